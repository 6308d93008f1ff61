/**
 * What hash maps have whose full table evicts, or whose entries expire.
 *
 * @module
 */
import { ERRNO_LIMIT } from "../../core/wasm/exports.ts";
import { TTL_OF_MAP } from "../../generated/abi.js";
import { HashMap } from "./hash_map.ts";

/** Maps that evict or whose entries expire, on a host of one thread. Its subclasses are one for each kind of key, as those of {@link HashMap}. */
export abstract class NotedHashMap<K, V> extends HashMap<K, V> {
  override put(key: number, value: number, condition: number): number {
    return this.host.core.updateNoted(this.writing, key, value, condition, TTL_OF_MAP);
  }

  override peek(key: K): V | undefined {
    if (this.reading === 0) this.refuse("peek");
    const { host } = this;
    const at = this.encodeKey("peek", key);
    if (at === 0) return undefined;
    const address = this.find(this.reading, at);
    if (address < ERRNO_LIMIT) return this.missed("peek", address);
    return this.decodeValue("peek", host.view, address);
  }
}
