/**
 * Per-CPU hash maps on shared hosts: a thread reads and writes its own slot of a value without taking a lock.
 *
 * @module
 */
import { BPF_ANY, BPF_EXIST } from "../../constants.ts";
import { fitsScalar, readScalar, writeScalar } from "../../core/memory/scalar.ts";
import { sharedCore } from "../../core/memory/shared_core.ts";
import type { Operation } from "../../errors.ts";
import { type Counter, checkDelta } from "../../ops/calls/counter.ts";
import { checkFlags, updateFlags } from "../../ops/calls/flags.ts";
import type { Part } from "../../ops/calls/part.ts";
import { COUNT_OFFSET, counted, stageDelta, stageKey } from "../../ops/calls/shared.ts";
import { LocalSlot } from "../../ops/percpu.ts";
import { SharedMapAny } from "./shared_map_any.ts";
import { SharedMap4 } from "./shared_map4.ts";
import { SharedMap8 } from "./shared_map8.ts";
import { SharedMap16 } from "./shared_map16.ts";

class SharedLocalSlot<K, V> extends LocalSlot<K, V> {
  override get(key: K): V | undefined {
    const { map, codec, offset } = this;
    if (map.reading === 0) map.refuse("local.get");
    const { host } = map;
    const keyAddress = stageKey(map, "local.get", key);
    if (keyAddress === 0) return undefined;
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

/** A class of hash maps whose values are an array with one value per CPU: which of them it is does not matter. */
type PercpuClass = typeof SharedMapAny<unknown, unknown[]>;

function sharingPerCpu(Base: PercpuClass): PercpuClass {
  class Shared extends Base {
    readonly #local = new SharedLocalSlot<unknown, unknown>(this);

    get local(): LocalSlot<unknown, unknown> {
      return this.#local;
    }

    override count(operation: Operation, key: unknown, counter: Counter, delta: unknown): number | bigint {
      checkDelta(this, operation, counter, delta);
      const keyAddress = stageKey(this, operation, key);
      const at = stageDelta(this, delta);
      const offset = this.#local.offset + counter.offset;
      let errno: number;
      try {
        errno = sharedCore(this).localAdd(
          this.writing,
          keyAddress,
          at,
          counter.scalar,
          offset,
          at + COUNT_OFFSET,
        );
      } catch (trap) {
        throw this.trapped(operation, trap);
      }
      return counted(this, operation, counter, delta, errno);
    }

    protected override addList(key: number, list: number, count: number): number {
      return sharedCore(this).localAddParts(this.writing, key, this.#local.offset, list, count);
    }

    protected override writePart(key: number, part: Part, source: number): number {
      const { offset, codec } = part;
      return sharedCore(this).localWrite(this.writing, key, offset, codec.size, source, BPF_EXIST);
    }

    override addDeltas(
      stage: number,
      keys: number,
      count: number,
      deltas: number,
      width: number,
      offset: number,
    ): number {
      return super.addDeltas(stage, keys, count, deltas, width, this.#local.offset + offset);
    }
  }
  return Shared;
}

/** By key size: 4, 8, 16 bytes, any other. */
export const SHARED_PERCPU_MAPS = [
  /* @__PURE__ */ sharingPerCpu(SharedMap4),
  /* @__PURE__ */ sharingPerCpu(SharedMap8),
  /* @__PURE__ */ sharingPerCpu(SharedMap16),
  /* @__PURE__ */ sharingPerCpu(SharedMapAny),
] as const;
