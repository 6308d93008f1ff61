/**
 * The record of a run in host memory, where the core and JavaScript meet: the other side is assembly/programs/run.ts.
 *
 * @module
 */
import type { CoreMemory } from "./core_memory.ts";
import { noBlock } from "./scratch.ts";

const STATE = 4;
const PLAN = 16;
const BEHIND = 4;
const PLANNED = 8;
const FLAGS = 272;
const NEXT = 276;
const VISITED = 280;
const UNLINKED = 284;
const VICTIMS = 288;
const VICTIM_ROOM = 292;
const VICTIM_COUNT = 296;
const STOPPED_AT = 300;
const BUCKETS_DONE = 304;
const OUTCOME = 308;
const NEEDED = 312;
const LOCKED_BEHIND = 316;
const LEFT = 320;
const ROWS = 340;
const ROW_ROOM = 344;
const STOPPED_ROWS = 348;
const RUN_BYTES = 488;
export const ROW_BYTES = 8;

/** Flags. */
export const LINEAR = 1;
export const KEEPS_VICTIMS = 2;
export const RESUMABLE = 4;

/** Outcomes; 0 when all was done that was asked for. */
export const NO_ROOM = 1;
export const BY_ENTRY = 2;
export const NO_LOCK = 3;

const END = 2;

/** Buckets of one plan. */
export const MOST_PLANNED = 32;
/** Runs of elements of one plan of a compiled program, which writes a row for each that it deletes. */
export const MOST_ELEMENT_RUNS = 8;
/** What a plan of buckets of usual length needs, and MOST_ELEMENT_RUNS of 64. A longer bucket makes it grow. */
const FIRST_ROWS = 512;
const FIRST_VICTIMS = 512;

/** Offsets that generated code stores at or loads from (scanner.ts). */
export const RECORD = { PLAN, PLANNED, BEHIND, NEXT, VISITED, STOPPED_AT, BUCKETS_DONE, ROWS } as const;

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
    this.#set(0, position);
    this.#set(FLAGS, flags);
    this.#set(ROWS, this.#rows.address);
    this.#set(ROW_ROOM, FIRST_ROWS);
  }

  get ended(): boolean {
    return this.#get(STATE) === END;
  }

  get position(): number {
    return this.#get(0);
  }

  get visited(): number {
    return this.#get(VISITED);
  }

  /** Entries that were unlinked in this run. */
  get unlinked(): number {
    return this.#get(UNLINKED);
  }

  get outcome(): number {
    return this.#get(OUTCOME);
  }

  get needed(): number {
    return this.#get(NEEDED);
  }

  get stopped(): boolean {
    return this.#get(STOPPED_AT) !== 0;
  }

  get bucketsDone(): number {
    return this.#get(BUCKETS_DONE);
  }

  get rows(): number {
    return this.#rows.address;
  }

  get stoppedRows(): number {
    return this.#get(STOPPED_ROWS);
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
    this.#set(LEFT, count);
  }

  addVisited(count: number): void {
    this.#set(VISITED, this.#get(VISITED) + count);
  }

  /** Entries in bucket number `index` of the plan, after `programEntries`. */
  entriesOf(index: number): number {
    return this.#get(PLAN + index * PLANNED);
  }

  /** The position behind the bucket that was locked last, of a shared host. */
  get lockedBehind(): number {
    return this.#get(LOCKED_BEHIND);
  }

  /** The position behind that bucket. */
  behind(index: number): number {
    return this.#get(PLAN + index * PLANNED + BEHIND);
  }

  /** Makes room for so many rows; what was in them is gone. False without memory. */
  growRows(room: number): boolean {
    const list = this.#grown(this.#rows, room, 0, this.#rows.address !== this.address + RUN_BYTES);
    if (list === undefined) return false;
    this.#rows = list;
    this.#set(ROWS, list.address);
    this.#set(ROW_ROOM, list.room);
    return true;
  }

  /** Makes room for so many victims and keeps those that are noted. False without memory. */
  growVictims(room: number): boolean {
    const list = this.#grown(this.#victims, room, this.victimCount, this.#victims.address !== 0);
    if (list === undefined) return false;
    this.#victims = list;
    this.#set(VICTIMS, list.address);
    this.#set(VICTIM_ROOM, list.room);
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
