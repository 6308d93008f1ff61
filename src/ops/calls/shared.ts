/**
 * What the calls of maps on shared hosts are made of: keys and values go to the core through the scratch, since the core has to
 * write them itself, under the lock of a bucket.
 *
 * @module
 */
import { Scalar } from "../../codec/codec.ts";
import type { CoreHost } from "../../core/core_host.ts";
import { fitsScalar, readScalar, writeScalar } from "../../core/memory/scalar.ts";
import { noBlock } from "../../core/memory/scratch.ts";
import { ERRNO, type Operation } from "../../errors.ts";
import { ADDITION_AT, ADDITION_BYTES, ADDITION_KIND } from "../../generated/abi.js";
import { subjectOf } from "../failure.ts";
import type { EntryHandle, MapHandle } from "../handle.ts";
import type { Additions } from "./add_fields.ts";
import { type Counter, outOfU53 } from "./counter.ts";
import type { Part } from "./part.ts";

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

/** Writes the delta of an `add` into the scratch. Write the key first. */
export function stageDelta({ host }: MapHandle<unknown, unknown>, delta: unknown): number {
  putDelta(host, host.scratch.value, delta);
  return host.scratch.value;
}

/** Writes a delta as 8 bytes in two's complement. */
function putDelta(host: CoreHost, at: number, delta: unknown): void {
  if (typeof delta === "number") {
    host.putWord(at, delta);
    host.putWord(at + 4, Math.floor(delta / WORD));
  } else writeScalar(host, Scalar.U64, at, delta);
}

/** Writes what `addFields` adds into the stage: see `addList` in assembly/table/entries/scalar.ts. Write the key first. */
export function stageAdditions(map: MapHandle<unknown, unknown>, additions: Additions): number {
  const { host } = map;
  const { counters, deltas, count } = additions;
  const list = host.scratch.stage(count * ADDITION_BYTES);
  if (list === 0) throw noBlock(host, "addFields", subjectOf(map));
  for (let i = 0; i < count; i++) {
    const at = list + i * ADDITION_BYTES;
    putDelta(host, at, deltas[i]);
    host.putWord(at + ADDITION_AT, counters[i].offset);
    host.putWord(at + ADDITION_KIND, counters[i].scalar);
  }
  return list;
}

/** Throws where the core did not add a list of {@link stageAdditions}. */
export function checkAdded(
  map: MapHandle<unknown, unknown>,
  { counters, deltas }: Additions,
  list: number,
  errno: number,
): void {
  if (errno === ERRNO.ERANGE) {
    const refused = map.host.word(list);
    throw outOfU53(counters[refused], `addFields: ${subjectOf(map)}: `, deltas[refused] as number);
  }
  if (errno !== 0) map.fail("addFields", errno);
}

/** The result of an `add` that the core has done: the new count. */
export function counted(
  map: MapHandle<unknown, unknown>,
  operation: Operation,
  counter: Counter,
  delta: unknown,
  errno: number,
): number | bigint {
  if (errno === ERRNO.ERANGE) {
    throw outOfU53(counter, `${operation}: ${subjectOf(map)}: `, delta as number);
  }
  if (errno !== 0) map.fail(operation, errno);
  const { host } = map;
  const count = readScalar(host, counter.scalar, host.scratch.value + COUNT_OFFSET);
  return count as number | bigint;
}

/** Reads a part that the core has copied, or else says why it has not. */
export function partAt(map: MapHandle<unknown, unknown>, part: Part, found: number): unknown {
  if (found === 0) return undefined;
  if (found !== 1) map.fail("field.get", found);
  const { host } = map;
  const { copy } = host.scratch;
  return readScalar(host, part.scalar, copy) ?? map.decodeValue("field.get", host.view, copy, part.codec);
}

/** Writes a part of a value into the scratch: a number that fits, or else what is there already; where. */
export function stagePart(
  { host }: MapHandle<unknown, unknown>,
  part: Part,
  fits: boolean,
  x: unknown,
): number {
  host.scratch.turn++;
  if (fits) writeScalar(host, part.scalar, host.scratch.value, x);
  return host.scratch.value;
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
