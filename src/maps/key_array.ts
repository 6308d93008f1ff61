/**
 * Arrays that a caller passes for many keys at once, on their way to and from host memory.
 *
 * @module
 */
import { Scalar, type ScalarKind } from "../codec/codec.ts";
import { describe, within } from "../codec/mismatch.ts";
import type { Operation } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { READ_AHEAD } from "../host/scratch.ts";
import type { BpfMap } from "./bpf_map.ts";
import { isAbsentKey, reentryError, subjectOf } from "./failure.ts";

export type TypedArray =
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

/** Keys of {@link EntryMap.lookupMany}: an array of them, or all of them flat in a typed array. */
export type KeyArray<K> = readonly K[] | TypedArray;
/** Where {@link EntryMap.lookupMany} puts the values, flat. */
export type ValueArray = TypedArray;

/** Keys that go to the core at once: enough to hide the cost of the call, few enough for the caches. */
const GROUP = 4096;
const GROUP_BYTES = 256 * 1024;

/** How many of `count` keys go to the core at once. */
export function groupSize(count: number, bytesPerKey: number): number {
  return Math.max(1, Math.min(count, GROUP, Math.floor(GROUP_BYTES / bytesPerKey)));
}

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

const NO_BYTES = new Uint8Array(0);

/**
 * A typed array as an argument of a call. Its view is kept from call to call, since callers mostly pass the same array again,
 * and making a view allocates.
 */
export class FlatArgument {
  /** The bytes; of no use once memory has grown when {@link address} is not 0. */
  bytes: Uint8Array = NO_BYTES;
  /** Bytes when it was opened. */
  length = 0;
  /** Where the bytes are when the array is a view of host memory, and need no copy; otherwise 0. */
  address = 0;
  #array: unknown;
  #memory: Uint8Array = NO_BYTES;

  /** @param what names the argument in messages */
  open(map: BpfMap<unknown, unknown>, what: string, array: unknown, scalar: ScalarKind): void {
    const { u8 } = map.host;
    const same = array === this.#array && this.length === (array as TypedArray).byteLength;
    // `buffer`, below, is a call into the engine: asked for once per array and memory.
    if (same && this.#memory === u8) return;
    if (!same) this.bytes = bytesOf(map, what, array, scalar);
    this.length = this.bytes.length;
    this.#array = array;
    this.#memory = u8;
    const { buffer, byteOffset, length } = this.bytes;
    const own = buffer === u8.buffer && byteOffset + length + READ_AHEAD <= u8.length;
    this.address = own ? byteOffset : 0;
  }

  /** Puts a part of the bytes at `target`, unless they are in host memory; where they are. */
  part(host: Host, offset: number, bytes: number, target: number): number {
    if (this.address !== 0) return this.address + offset;
    const whole = offset === 0 && bytes === this.length;
    host.u8.set(whole ? this.bytes : this.bytes.subarray(offset, offset + bytes), target);
    return target;
  }

  /** Writes zeros over a part of the bytes. */
  clear(host: Host, offset: number, bytes: number): void {
    if (this.address !== 0) host.u8.fill(0, this.address + offset, this.address + offset + bytes);
    else this.bytes.fill(0, offset, offset + bytes);
  }
}

/** The bytes of a typed array, which must be a Uint8Array, or for single numbers the array of their type. */
function bytesOf(
  map: BpfMap<unknown, unknown>,
  what: string,
  array: unknown,
  scalar: ScalarKind,
): Uint8Array {
  if (array instanceof Uint8Array) return array;
  const elements = ELEMENTS[scalar];
  const tag = Object.prototype.toString.call(array).slice("[object ".length, -1);
  const known = elements === undefined ? tag.endsWith("Array") && tag !== "Array" : tag === elements;
  if (!ArrayBuffer.isView(array) || !(known || tag === "Uint8Array")) {
    const alternatives = elements === undefined ? "a typed array" : `a Uint8Array or ${elements}`;
    const [operation, name] = what.split(": ");
    throw new TypeError(
      `${operation}: ${subjectOf(map)}: ${name}: expected ${alternatives}, got ${describe(array)}`,
    );
  }
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The keys of a call. */
export class KeyArgument<K> {
  /** How many there are. */
  count = 0;
  /** Numbers of those that their layout cannot hold, of a call that only asks for them: they are absent, whatever was encoded. */
  readonly absent: number[] = [];
  #map: BpfMap<K, unknown>;
  #operation: Operation;
  #what: string;
  #flat = new FlatArgument();
  #list: readonly K[] | undefined;

  constructor(map: BpfMap<K, unknown>, operation: Operation) {
    this.#map = map;
    this.#operation = operation;
    this.#what = `${operation}: keys`;
  }

  open(keys: KeyArray<K>): void {
    const map = this.#map;
    const { keySize } = map.table;
    this.absent.length = 0;
    if (Array.isArray(keys)) {
      this.#list = keys;
      this.count = keys.length;
      return;
    }
    this.#list = undefined;
    this.#flat.open(map, this.#what, keys, map.keyScalar);
    const { length } = this.#flat;
    if (length % keySize !== 0) {
      const expected = `expected a multiple of ${keySize} bytes, got ${length}`;
      throw new RangeError(`${this.#operation}: ${subjectOf(map)}: keys: ${expected}`);
    }
    this.count = length / keySize;
  }

  /** Puts `n` keys from number `start` on at `target`, unless they are in host memory; where they are. */
  part(start: number, n: number, target: number): number {
    const { keySize } = this.#map.table;
    if (this.#list === undefined) {
      return this.#flat.part(this.#map.host, start * keySize, n * keySize, target);
    }
    this.#encode(this.#list, start, n, target, keySize);
    return target;
  }

  /** Throws when one of the keys is none, before any of them does something. `target`: room for a key. */
  check(target: number): void {
    if (this.#list !== undefined) this.#encode(this.#list, 0, this.count, target, 0);
  }

  /** Forgets the caller's array. */
  close(): void {
    this.#list = undefined;
  }

  #encode(keys: readonly K[], start: number, n: number, target: number, stride: number): void {
    const map = this.#map;
    const { scratch, view } = map.host;
    const { keyCodec } = map;
    const turn = scratch.turn;
    for (let i = 0; i < n && scratch.turn === turn; i++) {
      try {
        keyCodec.encode(keys[start + i], view, target + i * stride);
      } catch (error) {
        if (isAbsentKey(this.#operation, error)) this.absent.push(start + i);
        else throw within(`${this.#operation}: ${subjectOf(map)}: keys[${start + i}]`, error);
      }
    }
    if (scratch.turn !== turn) throw reentryError(map, this.#operation);
  }
}
