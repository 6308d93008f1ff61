import { ERRNO } from "../../errors.ts";
import { SocketMap } from "./socket_map.ts";

/**
 * A map of live objects by key (`BPF_MAP_TYPE_SOCKHASH`).
 *
 * @example
 * ```ts
 * import { createMap, type SockHash, u32 } from "bpfmap";
 *
 * const { port1, port2 } = new MessageChannel();
 * const ports: SockHash<number, typeof port1> = createMap({ type: "sockhash", key: u32, maxEntries: 100 });
 * ports.set(7, port1).set(8, port1);
 * console.log(ports.redirect(7, "to port2"), ports.size); // 1 2
 * ports.clear();
 * port1.close();
 * ```
 */
export class SockHash<K, V> extends SocketMap<K, V> {
  /** The key after `key`, or the first one without it or when it is absent; undefined after the last. */
  override nextKey(key?: K): K | undefined {
    if (this.reading === 0) this.refuse("nextKey");
    const { host } = this;
    const { scratch } = host;
    const from = key === undefined ? 0 : this.encodeKey("nextKey", key);
    scratch.turn++;
    const errno = host.core.nextKey(this.reading, from, scratch.out);
    if (errno === 0) return this.decodeKey("nextKey", host.view, scratch.out);
    if (errno !== ERRNO.ENOENT) this.fail("nextKey", errno);
    return undefined;
  }
}
