/**
 * LOOKUP_BATCH and LOOKUP_AND_DELETE_BATCH on hashes: `__htab_map_lookup_and_delete_batch` in kernel/bpf/hashtab.c, but for the
 * rule that a bucket is given whole or not at all. Here a batch may end anywhere, so that there is no ENOSPC, and every batch
 * but the last is full. An RHASH ends as `__rhtab_map_lookup_and_delete_batch` does (Linux 7.2): the last batch leaves
 * `out_batch` alone, which may be NULL then, and `count` is written before it.
 *
 * @module
 */
import { scanLayout } from "../../core/memory/scratch.ts";
import { slotErrno } from "../../core/memory/shared_core.ts";
import type { Table } from "../../core/tables/table.ts";
import { drainTable, scanTable } from "../../core/tables/table_calls.ts";
import { CURSOR_ENDED } from "../../core/wasm/exports.ts";
import type { Host } from "../../host/host.ts";
import { BPF_ATTR_BATCH } from "../abi/attr.ts";
import { ERRNO } from "../abi/errno.ts";
import { BatchOutput } from "./batch_output.ts";
import type { Call } from "./call.ts";
import { type Cursor, cursorOf, SCAN_END, valueOfCursor } from "./cursors.ts";

const { in_batch, out_batch, count, flags } = BPF_ATTR_BATCH.fields;

/** State of the core's cursor inside a group of equal hashes. */
const AFTER_KEY = 1;

/** Writes a cursor as the core has it. */
function placeCursor(host: Host, address: number, cursor: Cursor): void {
  host.putWord(address, cursor.position);
  host.putWord(address + 4, cursor.after === undefined ? 0 : AFTER_KEY);
  if (cursor.after !== undefined) host.u8.set(cursor.after, address + host.layout.cursorBytes);
}

/** Why a scan that gave nothing has ended before its end: 0 or an errno. Only shared memory can be locked too long. */
function scanErrno(host: Host, got: number): number {
  return got === 0 && host.shared ? slotErrno(host) : 0;
}

/** The key that the core's cursor stands behind: the last one given, or one that had expired. */
function keyOfCursor(host: Host, table: Table, cursor: number): Uint8Array {
  const at = cursor + host.layout.cursorBytes;
  return host.u8.slice(at, at + table.keySize);
}

/** The value for `out_batch` where the core's cursor stands. */
function valueAt(host: Host, table: Table, cursor: number): number {
  const isInside = host.word(cursor + 4) === AFTER_KEY;
  const after = isInside ? keyOfCursor(host, table, cursor) : undefined;
  return valueOfCursor(table, { position: host.word(cursor), after });
}

/**
 * The value for `out_batch` after a full batch: where the core's cursor stands, or SCAN_END when nothing is left. The kernel, too,
 * goes on over the empty buckets that follow: a batch that takes all the entries there are ends the scan.
 */
function valueAfter(host: Host, table: Table, cursor: number): number {
  if (host.word(cursor + 4) === CURSOR_ENDED) return SCAN_END;
  const position = host.word(cursor);
  const isInside = host.word(cursor + 4) === AFTER_KEY;
  const after = isInside ? keyOfCursor(host, table, cursor) : undefined;
  // The cursor itself may look ahead: its place is taken down, and this call needs it no more.
  const got = scanTable(host, table, cursor, host.scratch.out, 0, 1);
  // That a lock could not be had does not matter: there may be more, then.
  if (got === 0 && scanErrno(host, got) === 0) return SCAN_END;
  if (!isInside) return valueOfCursor(table, { position, after: undefined });
  // No entry of this hash is left, so that what comes stands behind it.
  if (host.word(cursor + 4) !== AFTER_KEY || host.word(cursor) !== position) {
    return valueOfCursor(table, { position: position + 1, after: undefined });
  }
  return valueOfCursor(table, { position, after });
}

/** The batch of a hash whose element flags were checked. */
export function lookupHashBatch(call: Call, table: Table, removing: boolean): number {
  if (call.u64(flags) !== 0) return -ERRNO.EINVAL;
  const { host, memory } = call;
  const output = new BatchOutput(call, table);
  if (output.wanted === 0) return 0;
  if (!call.put(count, 0)) return -ERRNO.EFAULT;
  const pointer = call.u64(in_batch);
  const start = pointer === 0 ? 0 : memory.u32(pointer);
  if (start === undefined) return -ERRNO.EFAULT;
  const cursor = cursorOf(table, start);
  if (cursor === undefined) return -ERRNO.ENOENT;
  let { room } = output;
  let layout = scanLayout(host, table.keySize, table.storedBytes, room);
  let stage = host.scratch.stage(layout.bytes);
  if (stage === 0) {
    room = 1;
    layout = scanLayout(host, table.keySize, table.storedBytes, room);
    stage = host.scratch.stage(layout.bytes);
  }
  const keys = stage + layout.keys;
  const values = stage + layout.values;
  placeCursor(host, stage, cursor);
  let errno = 0;
  while (host.word(stage + 4) !== CURSOR_ENDED) {
    const entries = Math.min(room, output.next);
    if (entries === 0) break;
    const got = removing
      ? drainTable(host, table, stage, keys, values, entries)
      : scanTable(host, table, stage, keys, values, entries);
    if (host.u8.length === 0) host.refresh();
    errno = scanErrno(host, got);
    if (errno !== 0) break;
    // What was removed is gone also when it can be written nowhere, as a bucket of the kernel's is.
    if (got > 0 && !output.write(keys, values, got)) return -ERRNO.EFAULT;
  }
  const { total, wanted } = output;
  if (errno !== 0 && total === 0) return -errno;
  // Where a lock could not be had the batch ends early, with what it has; the next one meets the lock first.
  let next = SCAN_END;
  if (errno !== 0) next = valueAt(host, table, stage);
  else if (total === wanted) next = valueAfter(host, table, stage);
  if (table.type === "rhash") {
    call.put(count, total);
    if (next === SCAN_END) return -ERRNO.ENOENT;
  }
  if (!memory.putU32(call.u64(out_batch), next)) return -ERRNO.EFAULT;
  call.put(count, total);
  return next === SCAN_END ? -ERRNO.ENOENT : 0;
}
