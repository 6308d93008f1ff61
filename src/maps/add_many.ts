/**
 * Adding to many counters at once.
 *
 * @module
 */
import { Scalar } from "../codec/codec.ts";
import { describe } from "../codec/mismatch.ts";
import { noMemory, READ_AHEAD, roundUp64 } from "../host/scratch.ts";
import { badDelta, type Counter, fitsDelta } from "./counter.ts";
import type { EntryMap } from "./entry_map.ts";
import { partError, reentryError, subjectOf } from "./failure.ts";
import { FlatArgument, groupSize, KeyArgument, type KeyArray, type TypedArray } from "./key_array.ts";
import { callLowWater, LOW_WATER } from "./low_water.ts";

/** Deltas of {@link CountingMap.addMany}: numbers, or bigints. */
export type DeltaArray<C> = C extends bigint
  ? readonly bigint[] | BigInt64Array | BigUint64Array
  : readonly number[] | Exclude<TypedArray, BigInt64Array | BigUint64Array>;

const WORD = 0x1_0000_0000;

/** Whether the array has the deltas just as the core takes them: then they are copied, and all fit. */
function isAsStored({ scalar, width }: Counter, deltas: unknown): deltas is TypedArray {
  if (width < 8) return deltas instanceof Uint32Array || deltas instanceof Int32Array;
  return scalar !== Scalar.U53 && (deltas instanceof BigUint64Array || deltas instanceof BigInt64Array);
}

export class AddMany<K, V> {
  #map: EntryMap<K, V>;
  #keys: KeyArgument<K>;
  #flat = new FlatArgument();

  constructor(map: EntryMap<K, V>) {
    this.#map = map;
    this.#keys = new KeyArgument(map, "addMany");
  }

  run(keys: KeyArray<K>, deltas: DeltaArray<number | bigint>, counter: Counter): void {
    const map = this.#map;
    const { host, table } = map;
    this.#keys.open(keys);
    const { count } = this.#keys;
    if (!Array.isArray(deltas) && !(ArrayBuffer.isView(deltas) && "length" in deltas)) {
      const expected = `expected an array or a typed array, got ${describe(deltas)}`;
      throw new TypeError(`addMany: ${subjectOf(map)}: deltas: ${expected}`);
    }
    if (deltas.length !== count) {
      const expected = `expected one for each of ${count} keys, got ${deltas.length}`;
      throw new RangeError(`addMany: ${subjectOf(map)}: deltas: ${expected}`);
    }
    const flat = isAsStored(counter, deltas);
    if (flat) this.#flat.open(map, "addMany: deltas", deltas, Scalar.NONE);
    else this.#check(deltas, counter);

    const { stageBytes, stageErrno } = host.layout;
    const deltaBytes = counter.width === 8 ? 8 : 4;
    const room = groupSize(count, table.keySize + deltaBytes);
    const deltasOffset = roundUp64(stageBytes);
    const keysOffset = deltasOffset + roundUp64(room * deltaBytes + READ_AHEAD);
    const bytes = keysOffset + roundUp64(room * table.keySize + READ_AHEAD);
    let stage = this.#stage(bytes);
    if (count > room) this.#keys.check(stage + keysOffset);
    let { turn } = host.scratch;
    /** The limit whose mark the next key may pass. */
    let crossed = 0;
    for (let start = 0; start < count; ) {
      // The key that was told of the low-water mark goes on, and no other.
      const n = crossed > 0 ? 1 : Math.min(room, count - start);
      const keysAt = this.#keys.part(start, n, stage + keysOffset);
      let deltasAt = stage + deltasOffset;
      if (flat) deltasAt = this.#flat.part(host, start * deltaBytes, n * deltaBytes, deltasAt);
      else this.#write(deltas, start, n, deltasAt, counter);
      if (host.scratch.turn !== turn) throw reentryError(map, "addMany");
      if (crossed > 0) host.core.passLowWater(table.handle, crossed);
      const done = map.addDeltas(stage, keysAt, n, deltasAt, counter.width, counter.offset);
      if (crossed > 0) host.core.passLowWater(0, 0);
      crossed = 0;
      if (host.u8.length === 0) host.refresh();
      start += done;
      if (done === n) continue;
      const errno = host.u32[(stage + stageErrno) >>> 2];
      if (errno !== LOW_WATER) throw partError(map, "addMany", errno, start, count);
      crossed = callLowWater(map, "addMany");
      // The hook may have used the stage.
      stage = this.#stage(bytes);
      turn = host.scratch.turn;
    }
    this.#keys.close();
  }

  #stage(bytes: number): number {
    const { host } = this.#map;
    const stage = host.scratch.stage(bytes);
    if (stage === 0) throw noMemory(host, "addMany", subjectOf(this.#map));
    return stage;
  }

  /** Throws for the first delta that the counter does not take. */
  #check(deltas: ArrayLike<unknown>, counter: Counter): void {
    for (let i = 0; i < deltas.length; i++) {
      const delta = deltas[i];
      if (!fitsDelta(counter, delta)) {
        throw badDelta(counter, `addMany: ${subjectOf(this.#map)}: deltas[${i}]`, delta);
      }
    }
  }

  /** Writes deltas as the core takes them: modulo 2^32, or 2^64 for counters of 8 bytes. */
  #write(deltas: ArrayLike<unknown>, start: number, n: number, target: number, counter: Counter): void {
    const { u32, view } = this.#map.host;
    let at = target >>> 2;
    if (counter.width < 8) for (let i = start; i < start + n; i++) u32[at++] = deltas[i] as number;
    else if (counter.scalar === Scalar.U53) {
      for (let i = start; i < start + n; i++) {
        const delta = deltas[i] as number;
        u32[at++] = delta;
        u32[at++] = Math.floor(delta / WORD);
      }
    } else {
      for (let i = 0; i < n; i++) view.setBigUint64(target + i * 8, deltas[start + i] as bigint, true);
    }
  }
}
