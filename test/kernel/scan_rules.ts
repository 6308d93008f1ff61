/**
 * What one side may answer to LOOKUP_BATCH and LOOKUP_AND_DELETE_BATCH of a hash map, where order is free.
 *
 * These are all the differences that are allowed between the kernel and `host.bpf`; everything else is compared byte by byte:
 *
 * | where | kernel | host.bpf | compared instead |
 * |---|---|---|---|
 * | any order of entries: lookup batches | bucket order | its own order | each side: entries that are in the map, with their values; none twice in a call; those that stay in the map from start to end of a scan exactly once; all of them when a call answers ENOENT |
 * | ... a batch that does not reach the end | ends at a bucket: 1..count entries | exactly count entries | the number, against that rule |
 * | ENOSPC: first bucket does not fit | ENOSPC, count 0, cursor written | exactly count entries, success | the walk goes on with a larger count; the union is the same |
 * | ... which of them a deleting batch removes | the buckets it returned | what it returned | what only one side removed is removed from the other too |
 * | cursor values | index of a bucket | its own | exactly 4 bytes are written, or none where the kernel writes none; 0 starts, 0xffffffff is at the end |
 * | a buffer that faults in a batch | all of a bucket before it, and this bucket, are copied or removed | entry by entry | EFAULT, count 0, no cursor written; slots of the buffers hold an entry, or are untouched, or hold the part of a key or value before the fault; a delete has lost the entry that faulted |
 * | ... beyond the place where the kernel's batch ends early | no fault | EFAULT | as the rule on ends and on ENOSPC |
 * | GET_NEXT_KEY of a key that is there | its next, or ENOENT at the last | the same | another key that is there, or ENOENT with the buffer untouched; whole walks as sets; from NULL or from an absent key: the first key of this side |
 * | file descriptors, ids | numbers of the process, of the system | its own | calls get those of their own side |
 * | attribute shorter than the results written back to it | writes behind its end | leaves them out | bytes of the attribute only |
 */
import { byteString, equalBytes } from "../../src/testing/bytes.ts";
import { Mismatch } from "../../src/testing/divergence.ts";
import { E, showResult } from "./commands.ts";
import { MARGIN, MEMORY_BYTES, PATTERN, type Region } from "./memory.ts";
import { CURSOR_BYTES, hex, type MapState, type Scan } from "./world.ts";

/** A lookup batch as one side has answered it. */
export interface ScanCall {
  readonly wholeBuckets: boolean;
  readonly side: 0 | 1;
  readonly map: MapState;
  readonly scan: Scan;
  /** in_batch says that the scan is over */
  readonly atEnd: boolean;
  readonly removes: boolean;
  readonly asked: number;
  readonly keys: Region;
  readonly values: Region;
  readonly out: Region;
  /** in_batch and out_batch are the same buffer: then nobody can tell whether it was written */
  readonly aliased: boolean;
  readonly inReadable: boolean;
  readonly memory: Uint8Array;
  readonly result: number;
  readonly count: number;
}

const expect = (condition: boolean, expected: string, call: ScanCall): void => {
  if (!condition) throw new Mismatch(expected, `${showResult(call.result)}, count ${call.count}`);
};

/** Checks the answer and gives the keys that came back; those of a failed call are not among them. */
export function checkScan(call: ScanCall): string[] {
  const { map, scan, side, asked, result, count } = call;
  const seen = scan.seen[side];
  let seenStable = 0;
  for (const key of scan.stable) if (seen.has(key)) seenStable++;
  // Entries that came later may be behind the cursor or before it.
  const least = call.atEnd ? 0 : scan.stable.size - seenStable;
  const most = call.atEnd ? 0 : map.entries.size - seenStable;
  const fitting = Math.min(wholeElements(call.keys, map.keySize), wholeElements(call.values, map.stride));
  if (result === -E.FAULT) {
    const reason =
      !call.inReadable || (call.out.mapped < CURSOR_BYTES && !call.atEnd) || Math.min(asked, most) > fitting;
    expect(reason, "no EFAULT: every buffer is there", call);
    expect(count === 0, "EFAULT with count 0", call);
    // A cursor that faults itself leaves what fits of it.
    const partial = call.out.mapped < CURSOR_BYTES ? call.out.mapped : 0;
    if (!call.aliased) expectUntouched(call, "out_batch", call.out, partial);
    expectEntriesOrNothing(call);
    // Entry by entry: those before the one that faults are there, or all of them when only the cursor faults.
    if (!call.wholeBuckets && call.inReadable) expectEntries(call, Math.min(asked, least, fitting), seen);
    return [];
  }
  expect(call.inReadable, "EFAULT: in_batch is not mapped", call);
  if (call.atEnd) {
    expect(result === -E.NOENT && count === 0, "ENOENT, count 0: the cursor is at the end", call);
    if (!call.aliased) expectUntouched(call, "out_batch", call.out, 0);
  } else {
    expect(call.out.mapped >= CURSOR_BYTES, "EFAULT: out_batch is not mapped", call);
    if (!call.wholeBuckets) expect(Math.min(asked, least) <= fitting, "EFAULT: the entries do not fit", call);
    if (!call.aliased) {
      const start = call.out.start!;
      const same = equalBytes(
        call.memory.subarray(start, start + CURSOR_BYTES),
        PATTERN.subarray(start, start + CURSOR_BYTES),
      );
      expect(!same, "a cursor in out_batch", call);
    }
  }
  expectUntouched(call, "out_batch", call.out, CURSOR_BYTES);
  if (result === -E.NOSPC) {
    expect(call.wholeBuckets && most > asked, "no ENOSPC", call);
    expect(count === 0, "ENOSPC with count 0", call);
  } else if (result === 0) {
    expect(most > asked, `ENOENT: at most ${most} entries are left`, call);
    expect(
      call.wholeBuckets ? count >= 1 && count <= asked : count === asked,
      `success with ${asked} entries`,
      call,
    );
  } else {
    expect(result === -E.NOENT, "success or ENOENT", call);
    expect(count >= least && count <= most && count <= asked, `${least} to ${most} entries at the end`, call);
  }
  const returned = expectEntries(call, count, seen);
  expectUntouched(call, "keys", call.keys, count * map.keySize);
  expectUntouched(call, "values", call.values, count * map.stride);
  return [...returned];
}

/** How many whole elements of a buffer are mapped. */
export function wholeElements(buffer: Region, size: number): number {
  return buffer.mapped === buffer.length ? Number.POSITIVE_INFINITY : Math.floor(buffer.mapped / size);
}

/** The first `count` slots of the buffers hold different entries of the map. */
function expectEntries(call: ScanCall, count: number, seen: ReadonlySet<string>): ReadonlySet<string> {
  const { map, memory, keys, values } = call;
  const returned = new Set<string>();
  for (let i = 0; i < count; i++) {
    const key = byteString(
      memory.subarray(keys.start! + i * map.keySize, keys.start! + (i + 1) * map.keySize),
    );
    const value = map.entries.get(key);
    if (value === undefined) throw new Mismatch("keys of the map", `key ${i} = ${hex(key)}`);
    const start = values.start! + i * map.stride;
    if (!equalBytes(value, memory.subarray(start, start + map.stride))) {
      throw new Mismatch(`value ${i} of key ${hex(key)}`, "another one");
    }
    if (returned.has(key)) throw new Mismatch("each key once in a call", `${hex(key)} again at ${i}`);
    if (seen.has(key) && call.scan.stable.has(key))
      throw new Mismatch("each key once in a scan", `${hex(key)} again`);
    returned.add(key);
  }
  if (call.result === -E.NOENT && !call.atEnd) {
    for (const key of call.scan.stable) {
      if (!seen.has(key) && !returned.has(key))
        throw new Mismatch(`key ${hex(key)} before the end of the scan`, "the end");
    }
  }
  return returned;
}

/** The bytes around a buffer, and in it from `used` on, hold what they held before. */
function expectUntouched(call: ScanCall, what: string, buffer: Region, used: number): void {
  if (buffer.start === undefined) return;
  const end = Math.min(buffer.start + buffer.mapped + MARGIN, MEMORY_BYTES);
  const ranges = [
    [Math.max(buffer.start - MARGIN, 0), buffer.start],
    [Math.min(buffer.start + used, end), end],
  ] as const;
  for (const [from, to] of ranges) {
    for (let i = from; i < to; i++) {
      if (call.memory[i] === PATTERN[i]) continue;
      throw new Mismatch(
        `${what} untouched from byte ${used} on`,
        `byte ${i - buffer.start} = ${call.memory[i]}`,
      );
    }
  }
}

/** After a fault: a slot of keys is untouched or holds a key of the map, and then its value is untouched or that of the key. */
function expectEntriesOrNothing(call: ScanCall): void {
  const { map, memory, keys, values } = call;
  expectUntouched(call, "keys", keys, keys.mapped);
  expectUntouched(call, "values", values, values.mapped);
  if (keys.start === undefined) return;
  const pairs = Math.min(call.asked, Math.floor(keys.mapped / map.keySize));
  for (let i = 0; i < pairs; i++) {
    const from = keys.start + i * map.keySize;
    const bytes = memory.subarray(from, from + map.keySize);
    if (equalBytes(bytes, PATTERN.subarray(from, from + map.keySize))) continue;
    const value = map.entries.get(byteString(bytes));
    if (value === undefined)
      throw new Mismatch("keys of the map, or nothing", `key ${i} = ${hex(byteString(bytes))}`);
    if (values.start === undefined || (i + 1) * map.stride > values.mapped) continue;
    const start = values.start + i * map.stride;
    const got = memory.subarray(start, start + map.stride);
    if (equalBytes(got, value) || equalBytes(got, PATTERN.subarray(start, start + map.stride))) continue;
    throw new Mismatch(`value ${i} of its key, or nothing`, "another one");
  }
}
