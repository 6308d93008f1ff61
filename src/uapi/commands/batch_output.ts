/**
 * Where a lookup batch puts its entries: keys and values packed in the caller's memory, with the faults of the kernel's
 * `copy_to_user`, which writes the key of an entry before its value.
 *
 * @module
 */
import { clearTimers } from "../../core/tables/special_fields.ts";
import type { Table } from "../../core/tables/table.ts";
import { BPF_ATTR_BATCH } from "../abi/attr.ts";
import type { Call } from "./call.ts";

const { keys, values, count } = BPF_ATTR_BATCH.fields;

/** Entries go through host memory this many bytes at a time. */
const STAGE_BYTES_MOST = 1 << 18;

/** How many entries are staged at a time: as many as are asked for, but not more than some 256 KiB of them. */
export function stagedEntries(table: Table, entries: number): number {
  const most = Math.floor(STAGE_BYTES_MOST / (table.keySize + table.valueBytes));
  return Math.max(1, Math.min(entries, most));
}

export class BatchOutput {
  /** Entries asked for. */
  readonly wanted: number;
  /** Entries for which there is room: fewer than `wanted` when the memory ends before. */
  readonly mapped: number;
  /** The most entries to write at a time. */
  readonly room: number;
  /** Entries written. */
  total = 0;
  readonly #call: Call;
  readonly #table: Table;
  readonly #keys: number;
  readonly #values: number;

  constructor(call: Call, table: Table) {
    this.#call = call;
    this.#table = table;
    this.#keys = call.u64(keys);
    this.#values = call.u64(values);
    this.wanted = call.u32(count);
    const { memory } = call;
    this.mapped = Math.min(
      memory.entries(this.#keys, table.keySize, this.wanted),
      memory.entries(this.#values, table.valueBytes, this.wanted),
    );
    // Of buffers that overlap, what is written later stays: entry by entry, then.
    this.room = this.#overlap() ? 1 : stagedEntries(table, this.wanted);
  }

  #overlap(): boolean {
    const keysEnd = this.#keys + this.mapped * this.#table.keySize;
    const valuesEnd = this.#values + this.mapped * this.#table.valueBytes;
    return this.#keys < valuesEnd && this.#values < keysEnd;
  }

  /** How many entries to take next: 0 when all that were asked for are written, else at least 1, though it may fault. */
  get next(): number {
    if (this.total === this.wanted) return 0;
    return Math.max(1, Math.min(this.room, this.mapped - this.total));
  }

  /** Copies entries from host memory. False for a fault, with what is mapped written. */
  write(keysAt: number, valuesAt: number, entries: number): boolean {
    const { host, memory } = this.#call;
    const { keySize, valueBytes } = this.#table;
    const { total } = this;
    // A NULL pointer stays one, whatever is added to it.
    const keysTo = this.#keys + total * keySize;
    const valuesTo = this.#values + total * valueBytes;
    if (!memory.write(keysTo, keysAt, entries * keySize)) return false;
    clearTimers(host.u8, this.#table, valuesAt, entries);
    if (!memory.write(valuesTo, valuesAt, entries * valueBytes)) return false;
    this.total += entries;
    return true;
  }
}
