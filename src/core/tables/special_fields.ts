/**
 * Bytes of values that their users neither read nor write: locks, timers and workqueues.
 *
 * @module
 */
import type { TableInfo } from "./table.ts";

const LOCK_BYTES = 4;
/** Of a timer, and of a workqueue. */
const TIMER_BYTES = 16;

type Offsets = Pick<TableInfo, "lockOffset" | "timerOffset" | "workqueueOffset" | "valueBytes">;

function clearField(u8: Uint8Array, field: number, bytes: number, stride: number, entries: number): void {
  for (let at = field; at < field + entries * stride; at += stride) u8.fill(0, at, at + bytes);
}

/** Timers and workqueues of values that were copied out of a map, or go into one, are zeros: nothing copies what was started. */
export function clearTimers(u8: Uint8Array, table: Offsets, values: number, entries: number): void {
  const { timerOffset, workqueueOffset, valueBytes } = table;
  if (timerOffset !== undefined) clearField(u8, values + timerOffset, TIMER_BYTES, valueBytes, entries);
  if (workqueueOffset !== undefined) {
    clearField(u8, values + workqueueOffset, TIMER_BYTES, valueBytes, entries);
  }
}

/** The same for locks, too: of values that come from user space. In a map they read 0, as the typed API leaves them. */
export function clearSpecial(u8: Uint8Array, table: Offsets, values: number, entries: number): void {
  const { lockOffset, valueBytes } = table;
  if (lockOffset !== undefined) clearField(u8, values + lockOffset, LOCK_BYTES, valueBytes, entries);
  clearTimers(u8, table, values, entries);
}

/** The bytes of a value between its special fields: pairs of start and end. */
export function plainSpans({
  lockOffset,
  timerOffset,
  workqueueOffset,
  valueBytes,
}: Offsets): [number, number][] {
  const fields = [
    [lockOffset, LOCK_BYTES],
    [timerOffset, TIMER_BYTES],
    [workqueueOffset, TIMER_BYTES],
  ].filter((field): field is [number, number] => field[0] !== undefined);
  const spans: [number, number][] = [];
  let start = 0;
  for (const [offset, bytes] of fields.sort(([a], [b]) => a - b)) {
    if (start < offset) spans.push([start, offset]);
    start = offset + bytes;
  }
  if (start < valueBytes) spans.push([start, valueBytes]);
  return spans;
}
