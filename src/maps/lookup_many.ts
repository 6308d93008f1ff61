/**
 * Multi-get.
 *
 * @module
 */
import { Scalar, type ScalarKind } from "../codec/codec.ts";
import { describe, within } from "../codec/mismatch.ts";
import { noMemory, READ_AHEAD, roundUp64 } from "../host/scratch.ts";
import { reentryError, subjectOf } from "./failure.ts";
import type { HashMap } from "./hash_map.ts";

type TypedArray =
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/** Keys of {@link HashMap.lookupMany}: an array of them, or all of them flat in a typed array. */
export type KeyArray<K> = readonly K[] | TypedArray;
/** Where {@link HashMap.lookupMany} puts the values, flat. */
export type ValueArray = TypedArray;

/** Keys that go to the core at once: enough to hide the cost of the call, few enough for the caches. */
const GROUP = 4096;
const GROUP_BYTES = 256 * 1024;

/** The typed array whose elements are values of the codec. For every codec, a Uint8Array holds their bytes. */
const ELEMENTS: Readonly<Partial<Record<ScalarKind, string>>> = {
  [Scalar.U8]: "Uint8Array",
  [Scalar.U16]: "Uint16Array",
  [Scalar.U32]: "Uint32Array",
  [Scalar.I8]: "Int8Array",
  [Scalar.I16]: "Int16Array",
  [Scalar.I32]: "Int32Array",
  [Scalar.F32]: "Float32Array",
  [Scalar.F64]: "Float64Array",
  [Scalar.U53]: "BigUint64Array",
  [Scalar.U64]: "BigUint64Array",
  [Scalar.I64]: "BigInt64Array",
};

/** The bytes of a typed array, which must be a Uint8Array, or for single numbers the array of their type. */
function bytesOf(what: string, array: unknown, scalar: ScalarKind): Uint8Array {
  if (array instanceof Uint8Array) return array;
  const elements = ELEMENTS[scalar];
  const tag = Object.prototype.toString.call(array).slice("[object ".length, -1);
  const known = elements === undefined ? tag.endsWith("Array") && tag !== "Array" : tag === elements;
  if (!ArrayBuffer.isView(array) || !(known || tag === "Uint8Array")) {
    const alternatives = elements === undefined ? "a typed array" : `a Uint8Array or ${elements}`;
    throw new TypeError(`${what}: expected ${alternatives}, got ${describe(array)}`);
  }
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The multi-get of one map, with the result of its last call. */
export class Lookups<K, V> {
  #map: HashMap<K, V>;
  #found = new Uint8Array(0);
  #count = 0;

  constructor(map: HashMap<K, V>) {
    this.#map = map;
  }

  found(index: number): boolean {
    if (!Number.isInteger(index) || index < 0 || index >= this.#count) {
      const range = `the last lookupMany had ${this.#count} keys`;
      throw new RangeError(`found: ${subjectOf(this.#map)}: ${range}, got index ${describe(index)}`);
    }
    return this.#found[index] === 1;
  }

  run(keys: KeyArray<K>, values: ValueArray | undefined): number {
    const map = this.#map;
    const { keySize, valueSize } = map.table;
    const subject = `lookupMany: ${subjectOf(map)}`;
    const flat = Array.isArray(keys) ? undefined : bytesOf(`${subject}: keys`, keys, map.keyScalar);
    if (flat !== undefined && flat.length % keySize !== 0) {
      throw new RangeError(`${subject}: keys: expected a multiple of ${keySize} bytes, got ${flat.length}`);
    }
    const count = flat === undefined ? (keys as readonly K[]).length : flat.length / keySize;
    const target = values === undefined ? undefined : bytesOf(`${subject}: values`, values, map.valueScalar);
    if (target !== undefined && target.length < count * valueSize) {
      const needed = `${count * valueSize} bytes for ${count} keys`;
      throw new RangeError(`${subject}: values: expected ${needed}, got ${target.length}`);
    }
    this.#count = 0;
    if (this.#found.length < count) this.#found = new Uint8Array(count);
    const room = Math.max(1, Math.min(count, GROUP, Math.floor(GROUP_BYTES / (keySize + valueSize))));
    let hits = 0;
    for (let start = 0; start < count; start += room) {
      const n = Math.min(room, count - start);
      hits += this.#group(flat ?? (keys as readonly K[]), start, n, room, target);
    }
    this.#count = count;
    return hits;
  }

  /** Looks up `n` keys from number `start` on; how many were found. */
  #group(
    keys: Uint8Array | readonly K[],
    start: number,
    n: number,
    room: number,
    target: Uint8Array | undefined,
  ): number {
    const map = this.#map;
    const { host, table } = map;
    const { keySize, valueSize } = table;
    const keysOffset = roundUp64(host.layout.stageBytes);
    const valuesOffset = keysOffset + roundUp64(room * keySize + READ_AHEAD);
    const foundOffset = valuesOffset + roundUp64(room * valueSize + READ_AHEAD);
    const stage = host.scratch.stage(foundOffset + room);
    if (stage === 0) throw noMemory(host, "lookupMany", subjectOf(map));
    let keysAt = stage + keysOffset;
    if (!(keys instanceof Uint8Array)) this.#encode(keys, start, n, keysAt);
    else {
      const own = this.#ownAddress(keys, start * keySize, n * keySize);
      if (own !== 0) keysAt = own;
      else host.u8.set(keys.subarray(start * keySize, (start + n) * keySize), keysAt);
    }
    const ownValues = target === undefined ? 0 : this.#ownAddress(target, start * valueSize, n * valueSize);
    const valuesAt = ownValues !== 0 ? ownValues : stage + valuesOffset;
    const foundAt = stage + foundOffset;
    const hits = host.core.lookupMany(map.reading, stage, keysAt, n, valuesAt, foundAt);
    if (target !== undefined && ownValues === 0) {
      target.set(host.u8.subarray(valuesAt, valuesAt + n * valueSize), start * valueSize);
    }
    this.#found.set(host.u8.subarray(foundAt, foundAt + n), start);
    return hits;
  }

  /** The address of a part of an array that is a view of host memory, which needs no copy; otherwise 0. */
  #ownAddress(array: Uint8Array, offset: number, bytes: number): number {
    const { u8 } = this.#map.host;
    const address = array.byteOffset + offset;
    return array.buffer === u8.buffer && address + bytes + READ_AHEAD <= u8.length ? address : 0;
  }

  #encode(keys: readonly K[], start: number, n: number, address: number): void {
    const map = this.#map;
    const { scratch, view } = map.host;
    const turn = scratch.turn;
    let i = 0;
    try {
      for (; i < n; i++) map.keyCodec.encode(keys[start + i], view, address + i * map.table.keySize);
    } catch (error) {
      throw within(`lookupMany: ${subjectOf(map)}: keys[${start + i}]`, error);
    }
    if (scratch.turn !== turn) throw reentryError(map, "lookupMany");
  }
}
