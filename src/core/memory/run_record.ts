/**
 * The record of a run in host memory, where the core and JavaScript meet (assembly/programs/run.ts).
 *
 * @module
 */
import {
  CURSOR_ENDED,
  ROW_BYTES,
  RUN_BEHIND,
  RUN_BUCKETS_DONE,
  RUN_BYTES,
  RUN_FLAGS,
  RUN_LEFT,
  RUN_LOCKED_BEHIND,
  RUN_NEEDED,
  RUN_OUTCOME,
  RUN_PLAN,
  RUN_PLANNED,
  RUN_POSITION,
  RUN_ROW_ROOM,
  RUN_ROWS,
  RUN_STATE,
  RUN_STOPPED_AT,
  RUN_STOPPED_ROWS,
  RUN_UNLINKED,
  RUN_VICTIM_COUNT,
  RUN_VICTIM_ROOM,
  RUN_VICTIMS,
  RUN_VISITED,
} from "../../generated/abi.js";
import type { CoreMemory } from "./core_memory.ts";
import { noBlock } from "./scratch.ts";

/** Read for each victim: V8 has constants of this module in the code, and loads imported ones. */
const VICTIM_COUNT = RUN_VICTIM_COUNT;

/** Runs of elements of one plan of a compiled program, which writes a row for each that it deletes. */
export const MOST_ELEMENT_RUNS = 8;
/** What a plan of buckets of usual length needs, and MOST_ELEMENT_RUNS of 64. A longer bucket makes it grow. */
const FIRST_ROWS = 512;
const FIRST_VICTIMS = 512;

/** A list of rows in host memory: addresses of keys and values. */
interface List {
  address: number;
  room: number;
}

export class RunRecord {
  readonly host: CoreMemory;
  readonly address: number;
  readonly #bytes: number;
  #rows: List;
  #victims: List;

  /** Throws ENOMEM. `subject` is what messages call the map. */
  constructor(host: CoreMemory, flags: number, position: number, subject: string) {
    const bytes = RUN_BYTES + FIRST_ROWS * ROW_BYTES;
    const address = host.allocate(bytes);
    if (address === 0) throw noBlock(host, "process", subject);
    this.host = host;
    this.address = address;
    this.#bytes = bytes;
    host.u8.fill(0, address, address + RUN_BYTES);
    this.#rows = { address: address + RUN_BYTES, room: FIRST_ROWS };
    this.#victims = { address: 0, room: 0 };
    this.#set(RUN_POSITION, position);
    this.#set(RUN_FLAGS, flags);
    this.#set(RUN_ROWS, this.#rows.address);
    this.#set(RUN_ROW_ROOM, FIRST_ROWS);
  }

  get ended(): boolean {
    return this.#get(RUN_STATE) === CURSOR_ENDED;
  }

  get position(): number {
    return this.#get(RUN_POSITION);
  }

  get visited(): number {
    return this.#get(RUN_VISITED);
  }

  /** Entries that were unlinked in this run. */
  get unlinked(): number {
    return this.#get(RUN_UNLINKED);
  }

  get outcome(): number {
    return this.#get(RUN_OUTCOME);
  }

  get needed(): number {
    return this.#get(RUN_NEEDED);
  }

  get stopped(): boolean {
    return this.#get(RUN_STOPPED_AT) !== 0;
  }

  get bucketsDone(): number {
    return this.#get(RUN_BUCKETS_DONE);
  }

  get rows(): number {
    return this.#rows.address;
  }

  get stoppedRows(): number {
    return this.#get(RUN_STOPPED_ROWS);
  }

  get victims(): number {
    return this.#victims.address;
  }

  get victimCount(): number {
    return this.#get(VICTIM_COUNT);
  }

  set victimCount(count: number) {
    this.#set(VICTIM_COUNT, count);
  }

  /** Whether one more entry can be noted as a victim. */
  get hasVictimRoom(): boolean {
    return this.#get(VICTIM_COUNT) < this.#victims.room;
  }

  set bucketsLeft(count: number) {
    this.#set(RUN_LEFT, count);
  }

  addVisited(count: number): void {
    this.#set(RUN_VISITED, this.#get(RUN_VISITED) + count);
  }

  /** Entries in bucket number `index` of the plan, after `programEntries`. */
  entriesOf(index: number): number {
    return this.#get(RUN_PLAN + index * RUN_PLANNED);
  }

  /** The position behind the bucket that was locked last, of a shared host. */
  get lockedBehind(): number {
    return this.#get(RUN_LOCKED_BEHIND);
  }

  /** The position behind that bucket. */
  behind(index: number): number {
    return this.#get(RUN_PLAN + index * RUN_PLANNED + RUN_BEHIND);
  }

  /** Makes room for so many rows; what was in them is gone. False without memory. */
  growRows(room: number): boolean {
    const list = this.#grown(this.#rows, room, 0, this.#rows.address !== this.address + RUN_BYTES);
    if (list === undefined) return false;
    this.#rows = list;
    this.#set(RUN_ROWS, list.address);
    this.#set(RUN_ROW_ROOM, list.room);
    return true;
  }

  /** Makes room for so many victims and keeps those that are noted. False without memory. */
  growVictims(room: number): boolean {
    const list = this.#grown(this.#victims, room, this.victimCount, this.#victims.address !== 0);
    if (list === undefined) return false;
    this.#victims = list;
    this.#set(RUN_VICTIMS, list.address);
    this.#set(RUN_VICTIM_ROOM, list.room);
    return true;
  }

  close(): void {
    const { core } = this.host;
    if (this.#victims.address !== 0) core.release(this.#victims.address, this.#victims.room * ROW_BYTES);
    if (this.#rows.address !== this.address + RUN_BYTES) {
      core.release(this.#rows.address, this.#rows.room * ROW_BYTES);
    }
    core.release(this.address, this.#bytes);
  }

  #grown(list: List, room: number, kept: number, owned: boolean): List | undefined {
    const { host } = this;
    const wanted = Math.max(room, list.room * 2, FIRST_VICTIMS);
    const address = host.allocate(wanted * ROW_BYTES);
    if (address === 0) return undefined;
    host.copy(address, list.address, kept * ROW_BYTES);
    if (owned) host.core.release(list.address, list.room * ROW_BYTES);
    return { address, room: wanted };
  }

  #get(offset: number): number {
    return this.host.u32[(this.address + offset) >>> 2];
  }

  #set(offset: number, value: number): void {
    this.host.u32[(this.address + offset) >>> 2] = value;
  }
}
