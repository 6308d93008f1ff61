/**
 * Values of per-CPU maps: a slot for each CPU of the host, each at a multiple of 8 bytes, as the kernel copies them to user space.
 *
 * @module
 */
import { describe, outOfRange, within, wrongType } from "../arguments/mismatch.ts";
import { type Codec, Scalar } from "../codec/codec.ts";
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST } from "../constants.ts";
import { fitsScalar, readScalar, writeScalar } from "../core/memory/scalar.ts";
import { isPercpuHash, roundUp8 } from "../core/tables/registry.ts";
import { ERRNO, type Operation } from "../errors.ts";
import { TABLE_LANE } from "../generated/abi.js";
import { compareBy, hide } from "../print/hidden.ts";
import { INSPECT, printedByName } from "../print/inspect.ts";
import { checkFlags, updateFlags } from "./calls/flags.ts";
import { subjectOf } from "./failure.ts";
import type { EntryHandle, MapHandle } from "./handle.ts";
import { contentsOfMap } from "./print_map.ts";

/** The layout of all slots of a value. */
export interface PerCpuCodec<V> extends Codec<V[]> {
  /** The layout of one of them. */
  readonly slot: Codec<V>;
  /** Bytes from one to the next. */
  readonly stride: number;
}

/** The layout of `cpus` slots; the value is an array of exactly as many. They lie side by side, unless `stride` says otherwise. */
export function perCpu<V>(slot: Codec<V>, cpus: number, stride = roundUp8(slot.size)): PerCpuCodec<V> {
  const { size } = slot;
  const name = `${slot.name} for each of ${cpus} CPUs`;
  return printedByName({
    name,
    slot,
    stride,
    size: stride * cpus,
    align: 8,
    scalar: Scalar.NONE,
    encode(value, view, offset) {
      if (!Array.isArray(value)) throw wrongType(`${name} (an array)`, describe(value));
      if (value.length !== cpus)
        throw outOfRange(`${name} (exactly ${cpus} elements)`, `${value.length} elements`);
      let cpu = 0;
      try {
        for (; cpu < cpus; cpu++) {
          const at = offset + cpu * stride;
          slot.encode(value[cpu], view, at);
          for (let byte = size; byte < roundUp8(size); byte++) view.setUint8(at + byte, 0);
        }
      } catch (error) {
        throw within(`[${cpu}]`, error);
      }
    },
    decode(view, offset) {
      const value = new Array<V>(cpus);
      let cpu = 0;
      try {
        for (; cpu < cpus; cpu++) value[cpu] = slot.decode(view, offset + cpu * stride);
      } catch (error) {
        throw within(`[${cpu}]`, error);
      }
      return value;
    },
  });
}

/** Whether a layout is one that {@link perCpu} has made. */
export function isPerCpu(codec: Codec<unknown>): codec is PerCpuCodec<unknown> {
  return "slot" in codec;
}

/** The layout of one slot; of maps that are not per CPU, of the value. */
export function slotCodec(codec: Codec<unknown>): Codec<unknown> {
  return isPerCpu(codec) ? codec.slot : codec;
}

/**
 * Bytes from one slot of a value to the next in the table itself. On shared hosts slots of hash maps lie on different cache lines
 * (assembly/table/layout/lanes.ts); copies of values are packed on any host.
 */
export function slotStride(map: MapHandle<unknown, unknown>): number {
  const { host, table } = map;
  const lane = host.shared && isPercpuHash(table.type) ? host.word(table.handle + TABLE_LANE) : 0;
  return lane || roundUp8(table.valueSize);
}

/** The layout of the values of a map where they lie in the table. */
export function liveCodec<V>(map: MapHandle<unknown, V>): Codec<V> {
  const { valueCodec, host } = map;
  if (!isPerCpu(valueCodec)) return valueCodec;
  const stride = slotStride(map as MapHandle<unknown, unknown>);
  if (stride === valueCodec.stride) return valueCodec;
  return perCpu(valueCodec.slot, host.cpus, stride) as Codec<unknown> as Codec<V>;
}

/** The address of a value, packed: of a copy in the scratch, unless it is packed where it lies in the table. */
export function packedValue(map: MapHandle<unknown, unknown>, address: number): number {
  const { valueCodec, host } = map;
  if (!isPerCpu(valueCodec)) return address;
  const stride = slotStride(map);
  if (stride === valueCodec.stride) return address;
  for (let cpu = 0; cpu < host.cpus; cpu++) {
    host.copy(host.scratch.value + cpu * valueCodec.stride, address + cpu * stride, valueCodec.stride);
  }
  return host.scratch.value;
}

/** What slots are compared by: all values of the map, and which of them is meant. */
function contentsOfSlot(this: LocalSlot<unknown, unknown>): unknown {
  return [this.map.host.cpu, contentsOfMap.call(this.map)];
}

/**
 * The calling thread's slot of every value of a per-CPU map, number {@link Host.cpu}: `map.local`.
 *
 * @example
 * ```ts
 * import { createHost, u32, u53 } from "bpfmap";
 *
 * const host = createHost({ cpus: 2 });
 * const hits = host.createMap({ type: "percpu_hash", key: u32, value: u53, maxEntries: 100 });
 * hits.local.set(80, 5);
 * console.log(hits.local.get(80), hits.get(80)); // 5 [ 5, 0 ]
 * ```
 */
export class LocalSlot<K, V> {
  /** @internal */
  declare readonly map: EntryHandle<K, V[]>;
  /** @internal */
  declare readonly codec: Codec<V>;
  /** @internal Bytes from the start of the value. */
  declare readonly offset: number;

  /** @internal Use `map.local`. */
  constructor(map: EntryHandle<K, V[]>) {
    const codec = slotCodec(map.valueCodec) as Codec<V>;
    hide<LocalSlot<K, V>>(this, { map, codec, offset: map.host.cpu * slotStride(map as never) });
    compareBy(this, contentsOfSlot);
  }

  get [Symbol.toStringTag](): string {
    return "LocalSlot";
  }

  /** @internal */
  toJSON(): object {
    return { cpu: this.map.host.cpu, map: this.map };
  }

  /** @internal */
  [INSPECT](): string {
    return `LocalSlot of CPU ${this.map.host.cpu} in ${subjectOf(this.map)}`;
  }

  /** The slot's value (a copy), or undefined when the key is absent. */
  get(key: K): V | undefined {
    const { map, codec } = this;
    if (map.reading === 0) map.refuse("local.get");
    const address = map.locate("local.get", key);
    if (address === 0) return undefined;
    const value = readScalar(map.host, codec.scalar, address + this.offset);
    if (value !== undefined) return value as V;
    return map.decodeValue<V>("local.get", map.host.view, address + this.offset, codec);
  }

  /** The address of the slot in host memory, 0 when the key is absent; valid as long as one of {@link EntryMap.lookup}. */
  lookup(key: K): number {
    const { map } = this;
    if (map.reading === 0) map.refuse("local.lookup");
    const address = map.locate("local.lookup", key);
    return address === 0 ? 0 : address + this.offset;
  }

  /**
   * Writes the slot. The other slots of a new key are zeros; those of one that is there stay as they are.
   *
   * @throws BpfError as {@link EntryMap.set}
   */
  set(key: K, value: V): this {
    this.write("local.set", key, value, BPF_ANY);
    return this;
  }

  /**
   * {@link set} under a condition.
   *
   * @param flags `BPF_ANY`, `BPF_NOEXIST` or `BPF_EXIST`
   * @throws BpfError as {@link EntryMap.update}
   */
  update(key: K, value: V, flags: number = BPF_ANY): void {
    this.write("local.update", key, value, flags);
  }

  /** @internal */
  protected write(operation: Operation, key: K, value: V, flags: number): void {
    const { map, codec } = this;
    if (map.writing === 0) map.refuse(operation);
    checkFlags(map, operation, flags);
    const direct = fitsScalar(codec.scalar, value);
    if (!direct) map.encodeValue(operation, value, codec);
    const condition = flags === BPF_ANY ? BPF_ANY : updateFlags(map, operation, flags);
    if (condition !== BPF_ANY) {
      if (map.frozen) map.fail(operation, ERRNO.EPERM);
      const present = map.locate(operation, key) !== 0;
      if (condition === BPF_NOEXIST && present) map.fail(operation, ERRNO.EEXIST);
      if (condition === BPF_EXIST && !present) map.fail(operation, map.absent);
    }
    this.store(map.obtain(operation, key) + this.offset, direct, value);
  }

  /** @internal Writes a value that is one number and fits, or else the one in the scratch. */
  protected store(address: number, direct: boolean, value: V): void {
    const { host } = this.map;
    const { scalar } = this.codec;
    if (direct) writeScalar(host, scalar, address, value);
    else host.copy(address, host.scratch.value, this.map.table.valueSize);
  }
}
