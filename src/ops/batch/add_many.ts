/**
 * Adding to many counters at once.
 *
 * @module
 */

import { elementsOf, typedArrayName } from "../../arguments/byte_array.ts";
import { describe } from "../../arguments/mismatch.ts";
import { Scalar } from "../../codec/codec.ts";
import { noBlock, roundUp64 } from "../../core/memory/scratch.ts";
import { ERRNO } from "../../errors.ts";
import { READ_AHEAD } from "../../generated/abi.js";
import { type AddOptions, badDelta, type Counter, type Counters, fitsDelta } from "../calls/counter.ts";
import { partError, reentryError, subjectOf } from "../failure.ts";
import type { EntryHandle, MapHandle } from "../handle.ts";
import { callLowWater, LOW_WATER } from "../low_water.ts";
import { FlatArgument, groupSize, KeyArgument, type KeyArray, type TypedArray } from "./key_array.ts";
import { Parts } from "./parts.ts";

/** Deltas of {@link CountingMap.addMany}: numbers, or bigints. */
export type DeltaArray<C> = C extends bigint
  ? readonly bigint[] | BigInt64Array | BigUint64Array
  : readonly number[] | Exclude<TypedArray, BigInt64Array | BigUint64Array>;

const WORD = 0x1_0000_0000;
const NO_WORDS = new Uint32Array(0);
/** Words of deltas that are kept for the next call. */
const MOST_KEPT = 65536;

/** Whether the array has the deltas just as the core takes them: then they are copied, and all fit. */
function isAsStored({ scalar, width }: Counter, name: string | undefined): boolean {
  if (width < 8) return name === "Uint32Array" || name === "Int32Array";
  return scalar !== Scalar.U53 && (name === "BigUint64Array" || name === "BigInt64Array");
}

/** The deltas of a call. */
class DeltaArgument {
  #map: MapHandle<unknown, unknown>;
  #flat: FlatArgument;
  /** Deltas that had to be looked at one by one, as the core takes them; undefined when they are flat. */
  #words: Uint32Array | undefined;
  #kept: Uint32Array = NO_WORDS;
  #parts = new Parts<Uint32Array>();

  constructor(map: MapHandle<unknown, unknown>) {
    this.#map = map;
    this.#flat = new FlatArgument(map, "addMany", "deltas");
  }

  /** Takes one delta for each of `count` keys. Each is read once, here, and all are checked before any is added. */
  open(deltas: unknown, counter: Counter, count: number): void {
    const name = typedArrayName(deltas);
    if (name === undefined && !Array.isArray(deltas)) {
      throw new TypeError(`${this.#what}: expected an array or a typed array, got ${describe(deltas)}`);
    }
    const given = name === undefined ? (deltas as unknown[]).length : elementsOf(deltas as ArrayBufferView);
    if (given !== count) {
      throw new RangeError(`${this.#what}: expected one for each of ${count} keys, got ${given}`);
    }
    this.#words = undefined;
    if (isAsStored(counter, name)) this.#flat.open(deltas, Scalar.NONE);
    else this.#words = this.#read(deltas as ArrayLike<unknown>, counter, count);
  }

  /** Copies `n` deltas of `width` bytes from number `start` on to `target`. */
  copy(start: number, n: number, width: number, target: number): void {
    const words = this.#words;
    if (words === undefined) this.#flat.copy(start * width, n * width, target, start);
    else
      this.#map.host.u32.set(
        this.#parts.of(words, (start * width) >>> 2, ((start + n) * width) >>> 2),
        target >>> 2,
      );
  }

  close(): void {
    const words = this.#words;
    if (words !== undefined) {
      if (words.length <= MOST_KEPT) this.#kept = words;
      else this.#parts.drop();
    }
    this.#words = undefined;
  }

  /** The deltas as the core takes them: modulo 2^32, or 2^64 for counters of 8 bytes. */
  #read(deltas: ArrayLike<unknown>, counter: Counter, count: number): Uint32Array {
    const wide = counter.width === 8;
    const length = wide ? 2 * count : count;
    const words = this.#kept.length >= length ? this.#kept : new Uint32Array(length);
    // Not kept while it is in use: a getter of a delta may call addMany of the same map.
    this.#kept = NO_WORDS;
    for (let i = 0; i < count; i++) {
      const delta = deltas[i];
      if (!fitsDelta(counter, delta)) throw badDelta(counter, `${this.#what}[${i}]`, delta);
      if (!wide) words[i] = delta as number;
      else if (typeof delta === "number") {
        words[2 * i] = delta;
        words[2 * i + 1] = Math.floor(delta / WORD);
      } else {
        const bits = BigInt.asUintN(64, delta as bigint);
        words[2 * i] = Number(bits & 0xffff_ffffn);
        words[2 * i + 1] = Number(bits >> 32n);
      }
    }
    return words;
  }

  get #what(): string {
    return `addMany: ${subjectOf(this.#map)}: deltas`;
  }
}

/** A map that knows its counters, and keeps what a call has used for the next one. */
interface Counting<K, V> extends EntryHandle<K, V> {
  readonly counters: Counters;
  additions: AddMany<K, V> | undefined;
}

/** See {@link CountingMap.addMany}. */
export function addMany<K, V>(
  map: Counting<K, V>,
  keys: KeyArray<K>,
  deltas: unknown,
  options: AddOptions<unknown> | undefined,
): void {
  if (map.reading === 0 || map.writing === 0) map.refuse("addMany");
  if (map.frozen) map.fail("addMany", ERRNO.EPERM);
  const counter = map.counters.find(map as never, "addMany", options);
  // A low-water hook may come here while the call that it was called from waits for it.
  const additions = map.additions ?? new AddMany(map);
  map.additions = undefined;
  try {
    additions.run(keys, deltas as DeltaArray<number | bigint>, counter);
  } finally {
    map.additions = additions;
  }
}

export class AddMany<K, V> {
  #map: EntryHandle<K, V>;
  #keys: KeyArgument<K>;
  #deltas: DeltaArgument;

  constructor(map: EntryHandle<K, V>) {
    this.#map = map;
    this.#keys = new KeyArgument(map, "addMany");
    this.#deltas = new DeltaArgument(map as never);
  }

  run(keys: KeyArray<K>, deltas: DeltaArray<number | bigint>, counter: Counter): void {
    const { pins } = this.#map.host;
    // A getter or a low-water hook may close what the keys or deltas are in.
    pins.calls++;
    try {
      this.#run(keys, deltas, counter);
    } finally {
      this.#keys.close();
      this.#deltas.close();
      pins.letGo();
    }
  }

  #run(keys: KeyArray<K>, deltas: DeltaArray<number | bigint>, counter: Counter): void {
    const map = this.#map;
    const { host, table } = map;
    this.#keys.open(keys);
    const { count } = this.#keys;
    const { turn } = host.scratch;
    this.#deltas.open(deltas, counter, count);
    if (host.scratch.turn !== turn) throw reentryError(map, "addMany");

    const { stageBytes, stageErrno } = host.layout;
    const deltaBytes = counter.width === 8 ? 8 : 4;
    const room = groupSize(count, table.keySize + deltaBytes);
    const deltasOffset = roundUp64(stageBytes);
    const keysOffset = deltasOffset + roundUp64(room * deltaBytes + READ_AHEAD);
    const bytes = keysOffset + roundUp64(room * table.keySize + READ_AHEAD);
    let stage = host.scratch.stage(bytes);
    if (stage === 0) throw noBlock(host, "addMany", subjectOf(map));
    /** The limit whose mark the next key may pass. */
    let crossed = 0;
    for (let start = 0; start < count; ) {
      // The key that was told of the low-water mark goes on, and no other.
      const n = crossed > 0 ? 1 : Math.min(room, count - start);
      this.#keys.copy(start, n, stage + keysOffset);
      this.#deltas.copy(start, n, deltaBytes, stage + deltasOffset);
      if (crossed > 0) host.core.passLowWater(table.handle, crossed);
      const done = map.addDeltas(
        stage,
        stage + keysOffset,
        n,
        stage + deltasOffset,
        counter.width,
        counter.offset,
      );
      if (crossed > 0) host.core.passLowWater(0, 0);
      crossed = 0;
      if (host.u8.length === 0) host.refresh();
      start += done;
      if (done === n) continue;
      const errno = host.word(stage + stageErrno);
      if (errno !== LOW_WATER) throw partError(map, "addMany", errno, start, count);
      crossed = callLowWater(map, "addMany");
      // The hook may have used the stage.
      stage = host.scratch.stage(bytes);
      if (stage === 0) throw partError(map, "addMany", ERRNO.ENOMEM, start, count);
    }
  }
}
