/**
 * What the calls of maps on shared hosts are made of: keys and values go to the core through the scratch, since the core has to
 * write them itself, under the lock of a bucket.
 *
 * @module
 */
import { Scalar } from "../../codec/codec.ts";
import { fitsScalar, readScalar, writeScalar } from "../../core/memory/scalar.ts";
import { ERRNO, type Operation } from "../../errors.ts";
import { subjectOf } from "../failure.ts";
import type { EntryHandle, MapHandle } from "../handle.ts";
import { type AddOptions, badDelta, type Counter, type Counters, fitsDelta, outOfU53 } from "./counter.ts";

const WORD = 0x1_0000_0000;
/** Where the core puts a new count, in the scratch behind the delta. */
export const COUNT_OFFSET = 8;

/** Writes a key into the scratch; where, or 0, as {@link BpfMap.encodeKey}. Write the value first: see {@link Scratch.turn}. */
export function stageKey(map: MapHandle<unknown, unknown>, operation: Operation, key: unknown): number {
  if (!fitsScalar(map.keyScalar, key)) return map.encodeKey(operation, key);
  const { host } = map;
  host.scratch.turn++;
  writeScalar(host, map.keyScalar, host.scratch.key, key);
  return host.scratch.key;
}

/** Writes a value into the scratch; where. */
export function stageValue(map: MapHandle<unknown, unknown>, operation: Operation, value: unknown): number {
  if (!fitsScalar(map.valueScalar, value)) return map.encodeValue(operation, value);
  const { host } = map;
  host.scratch.turn++;
  writeScalar(host, map.valueScalar, host.scratch.value, value);
  return host.scratch.value;
}

/** The value at an address, which is a copy of the map's. */
export function valueAt<V>(map: MapHandle<unknown, V>, operation: Operation, address: number): V {
  const value = readScalar(map.host, map.valueScalar, address);
  return value === undefined ? map.decodeValue(operation, map.host.view, address) : (value as V);
}

/** Checks the arguments of `add`; the counter that they mean. */
export function checkCount(
  map: MapHandle<unknown, unknown> & { readonly counters: Counters },
  delta: unknown,
  options: AddOptions<unknown> | undefined,
): Counter {
  if (map.reading === 0 || map.writing === 0) map.refuse("add");
  const counter = map.counters.find(map, "add", options);
  if (!fitsDelta(counter, delta)) throw badDelta(counter, `add: ${subjectOf(map)}: delta`, delta);
  return counter;
}

/** Writes the delta of an `add` into the scratch, as 8 bytes in two's complement. Write the key first. */
export function stageDelta(map: MapHandle<unknown, unknown>, delta: unknown): number {
  const { host } = map;
  const at = host.scratch.value;
  if (typeof delta === "number") {
    host.putWord(at, delta);
    host.putWord(at + 4, Math.floor(delta / WORD));
  } else writeScalar(host, Scalar.U64, at, delta);
  return at;
}

/** The result of an `add` that the core has done: the new count. */
export function counted(
  map: MapHandle<unknown, unknown>,
  counter: Counter,
  delta: unknown,
  errno: number,
): number | bigint {
  if (errno === ERRNO.ERANGE) {
    throw outOfU53(counter, `add: ${subjectOf(map)}: `, delta as number);
  }
  if (errno !== 0) map.fail("add", errno);
  const { host } = map;
  const count = readScalar(host, counter.scalar, host.scratch.value + COUNT_OFFSET);
  return count as number | bigint;
}

/** Writes entries one by one, as batches with BPF_F_LOCK are; how many, with the errno that ended it in the stage. */
export function putEach(
  map: EntryHandle<unknown, unknown>,
  stage: number,
  keys: number,
  count: number,
  values: number,
  condition: number,
): number {
  const { host, table } = map;
  let errno = 0;
  let done = 0;
  while (done < count) {
    errno = map.put(keys + done * table.keySize, values + done * table.valueBytes, condition);
    if (errno !== 0) break;
    done++;
  }
  host.putWord(stage + host.layout.stageErrno, errno);
  return done;
}

/** Whether reading or writing a number is one access of the machine, as JavaScript does it. */
export function isOneAccess(scalar: number): boolean {
  return scalar >= Scalar.U8 && scalar <= Scalar.F64;
}
