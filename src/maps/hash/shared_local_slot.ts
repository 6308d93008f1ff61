/**
 * Slots of per-CPU hash maps on shared hosts: a thread reads and writes its own slot of a value without taking a lock.
 *
 * @module
 */
import { BPF_ANY } from "../../constants.ts";
import { fitsScalar, readScalar, writeScalar } from "../../core/memory/scalar.ts";
import { sharedCore } from "../../core/memory/shared_core.ts";
import type { Operation } from "../../errors.ts";
import { checkFlags, updateFlags } from "../../ops/calls/flags.ts";
import { stageKey } from "../../ops/calls/shared.ts";
import { LocalSlot } from "../../ops/percpu.ts";

/** {@link LocalSlot} of a map on a shared host. */
export class SharedLocalSlot<K, V> extends LocalSlot<K, V> {
  override get(key: K): V | undefined {
    const { map, codec, offset } = this;
    if (map.reading === 0) map.refuse("local.get");
    const { host } = map;
    const keyAddress = stageKey(map, "local.get", key);
    if (keyAddress === 0) return undefined;
    if (map.table.expiry !== undefined) host.expiry.touch();
    const { copy } = host.scratch;
    let found: number;
    try {
      found = sharedCore(map).localRead(map.reading, keyAddress, offset, map.table.valueSize, copy);
    } catch (trap) {
      throw map.trapped("local.get", trap);
    }
    if (found !== 1) {
      if (found !== 0) map.fail("local.get", found);
      return undefined;
    }
    const value = readScalar(host, codec.scalar, copy);
    return value === undefined ? map.decodeValue<V>("local.get", host.view, copy, codec) : (value as V);
  }

  protected override write(operation: Operation, key: K, value: V, flags: number): void {
    const { map, codec, offset } = this;
    if (map.writing === 0) map.refuse(operation);
    const { host } = map;
    checkFlags(map, operation, flags);
    if (fitsScalar(codec.scalar, value)) {
      host.scratch.turn++;
      writeScalar(host, codec.scalar, host.scratch.value, value);
    } else map.encodeValue(operation, value, codec);
    const condition = flags === BPF_ANY ? BPF_ANY : updateFlags(map, operation, flags);
    const keyAddress = stageKey(map, operation, key);
    if (map.table.expiry !== undefined) host.expiry.renew();
    const { value: at } = host.scratch;
    let errno: number;
    try {
      errno = sharedCore(map).localWrite(map.writing, keyAddress, offset, map.table.valueSize, at, condition);
    } catch (trap) {
      throw map.trapped(operation, trap);
    }
    if (errno !== 0) map.fail(operation, errno);
  }
}
