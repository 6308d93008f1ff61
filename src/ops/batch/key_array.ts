/**
 * Arrays that a caller passes for many keys at once, on their way to and from host memory.
 *
 * Whoever has such an array may change it while the call runs: a getter of a key, a low-water hook, another thread when the memory is
 * shared. So a part of it is copied before the core sees it, each byte once: what is hashed is what is compared and stored. A copy
 * of 4096 keys costs less than a thousandth of what is done with them (docs/arguments.md).
 *
 * @module
 */
import { byteLengthOf, fixedBytes, typedArrayName } from "../../arguments/byte_array.ts";
import { describe, within } from "../../arguments/mismatch.ts";
import { Scalar, type ScalarKind } from "../../codec/codec.ts";
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import { isAbsentKey, reentryError, subjectOf } from "../failure.ts";
import type { MapHandle } from "../handle.ts";
import { Parts } from "./parts.ts";

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
const NO_VIEW = new DataView(NO_BYTES.buffer);
/** {@link FlatArgument.address} of what is not in host memory. */
const ELSEWHERE = -1;

/**
 * A typed array as an argument of a call: the bytes that it has when the call begins. The view is kept from call to call, since
 * callers mostly pass the same array again, and making a view allocates.
 */
export class FlatArgument {
  /** The bytes; of no use once memory has grown when they are in host memory. */
  bytes: Uint8Array = NO_BYTES;
  /** How many there were when it was opened. */
  length = 0;
  /** Where they are in host memory, ELSEWHERE when they are not. */
  address = ELSEWHERE;
  #map: MapHandle<unknown, unknown>;
  #operation: Operation;
  #name: string;
  #array: unknown;
  #memory: Uint8Array = NO_BYTES;

  /** @param name names the argument in messages */
  constructor(map: MapHandle<unknown, unknown>, operation: Operation, name: string) {
    this.#map = map;
    this.#operation = operation;
    this.#name = name;
  }

  /** Takes an array of numbers of a kind, or of bytes. */
  open(array: unknown, scalar: ScalarKind): void {
    const { u8 } = this.#map.host;
    if (array !== this.#array) this.#check(array, scalar);
    const length = byteLengthOf(array as ArrayBufferView);
    // A view and its `buffer` cost an allocation and a call into the engine: once per array and memory.
    if (
      array === this.#array &&
      length === this.length &&
      this.bytes.length === length &&
      this.#memory === u8
    )
      return;
    this.bytes = fixedBytes(array as ArrayBufferView, length);
    this.length = length;
    this.#array = array;
    this.#memory = u8;
    this.address = this.isInHostMemory ? this.bytes.byteOffset : ELSEWHERE;
  }

  get isInHostMemory(): boolean {
    return this.bytes.buffer === this.#memory.buffer;
  }

  /** Whether the bytes are also those of another argument. */
  overlaps(other: FlatArgument): boolean {
    if (this.bytes.buffer !== other.bytes.buffer) return false;
    const { byteOffset } = this.bytes;
    const start = other.bytes.byteOffset;
    return byteOffset < start + other.length && start < byteOffset + this.length;
  }

  /** Copies a part of the bytes to `target`. Throws EFAULT when they are not there any more, since keys up to number `done` are done. */
  copy(offset: number, bytes: number, target: number, done: number): void {
    const { host } = this.#map;
    if (this.address !== ELSEWHERE) {
      host.u8.copyWithin(target, this.address + offset, this.address + offset + bytes);
      return;
    }
    if (this.bytes.length !== this.length) throw this.#goneError(done);
    const whole = offset === 0 && bytes === this.length;
    host.u8.set(whole ? this.bytes : this.bytes.subarray(offset, offset + bytes), target);
  }

  /** Throws for anything but a Uint8Array or, for numbers, the array of their type. */
  #check(array: unknown, scalar: ScalarKind): void {
    const name = typedArrayName(array);
    const elements = ELEMENTS[scalar];
    if (name === "Uint8Array" || (name !== undefined && (elements === undefined || name === elements)))
      return;
    const alternatives = elements === undefined ? "a typed array" : `a Uint8Array or ${elements}`;
    throw new TypeError(`${this.#what}: expected ${alternatives}, got ${describe(array)}`);
  }

  get #what(): string {
    return `${this.#operation}: ${subjectOf(this.#map)}: ${this.#name}`;
  }

  #goneError(done: number): Error {
    const cause = `was given ${this.#name} whose memory went away during the call`;
    return bpfError(ERRNO.EFAULT, this.#operation, subjectOf(this.#map), cause, undefined, done);
  }

  /** Writes zeros over a part of the bytes. */
  clear(offset: number, bytes: number): void {
    const { host } = this.#map;
    if (this.address !== ELSEWHERE) host.u8.fill(0, this.address + offset, this.address + offset + bytes);
    else this.bytes.fill(0, offset, offset + bytes);
  }
}

/** Bytes of encoded keys that are kept for the next call. */
const KEPT_BYTES = GROUP_BYTES;

/** The keys of a call. */
export class KeyArgument<K> {
  /** How many there are. */
  count = 0;
  /** Numbers of those that their layout cannot hold, of a call that only asks for them: they are absent, whatever was encoded. */
  readonly absent: number[] = [];
  #map: MapHandle<K, unknown>;
  #operation: Operation;
  #flat: FlatArgument;
  /** The keys of an array of them, encoded; undefined when they are flat. */
  #encoded: Uint8Array | undefined;
  #kept = NO_BYTES;
  #parts = new Parts<Uint8Array>();
  #view = NO_VIEW;

  constructor(map: MapHandle<K, unknown>, operation: Operation) {
    this.#map = map;
    this.#operation = operation;
    this.#flat = new FlatArgument(map, operation, "keys");
  }

  /** Takes the keys. An array of them is read here and now, and every one is checked before any does something. */
  open(keys: KeyArray<K>): void {
    const map = this.#map;
    const { keySize } = map.table;
    this.absent.length = 0;
    if (Array.isArray(keys)) {
      this.#encode(keys);
      return;
    }
    this.#encoded = undefined;
    this.#flat.open(keys, map.keyScalar);
    const { length } = this.#flat;
    if (length % keySize !== 0) {
      const expected = `expected a multiple of ${keySize} bytes, got ${length}`;
      throw new RangeError(`${this.#operation}: ${subjectOf(map)}: keys: ${expected}`);
    }
    this.count = length / keySize;
  }

  /** Copies `n` keys from number `start` on to `target`. */
  copy(start: number, n: number, target: number): void {
    const { keySize } = this.#map.table;
    if (this.#encoded === undefined) this.#flat.copy(start * keySize, n * keySize, target, start);
    else this.#map.host.u8.set(this.#parts.of(this.#encoded, start * keySize, (start + n) * keySize), target);
  }

  /** Reads all keys now, if writing to an argument would change them. */
  keepFrom(other: FlatArgument): void {
    if (this.#encoded !== undefined || !this.#flat.overlaps(other)) return;
    this.#encoded = this.#flat.bytes.slice();
  }

  /** Forgets the caller's array, and what was read of it if that is too large to be kept. */
  close(): void {
    if (this.#encoded !== undefined && this.#encoded !== this.#kept) this.#parts.drop();
    this.#encoded = undefined;
  }

  #encode(keys: readonly K[]): void {
    const map = this.#map;
    const { scratch } = map.host;
    const { keyCodec } = map;
    const { keySize } = map.table;
    const turn = ++scratch.turn;
    const count = keys.length;
    const bytes = count * keySize;
    if (this.#kept.length < bytes) {
      this.#kept = new Uint8Array(Math.ceil(bytes / 64) * 64);
      this.#view = new DataView(this.#kept.buffer);
    }
    const encoded = this.#kept;
    const view = this.#view;
    if (bytes > KEPT_BYTES) {
      this.#kept = NO_BYTES;
      this.#view = NO_VIEW;
    }
    for (let i = 0; i < count && scratch.turn === turn; i++) {
      try {
        keyCodec.encode(keys[i], view, i * keySize);
      } catch (error) {
        if (isAbsentKey(this.#operation, error)) this.absent.push(i);
        else throw within(`${this.#operation}: ${subjectOf(map)}: keys[${i}]`, error);
      }
    }
    if (scratch.turn !== turn) throw reentryError(map, this.#operation);
    this.#encoded = encoded;
    this.count = count;
  }
}
