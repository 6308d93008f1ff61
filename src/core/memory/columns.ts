/**
 * Where the core writes down the entries that iterators come to next (assembly/table/scan/columns.ts): a block of host memory with two
 * places, for all iterators of a host. The first iterator allocates it, and it goes with the host's last map.
 *
 *   place: state of the iterator with a key, from 0 on | u32 address of a value [room] | key [room], packed
 *
 * An iterator that has to leave its place to another one takes along, in JavaScript memory, what is still to come. So one that is
 * dropped half way leaks nothing and needs no finalizer. There are two, so that a loop in a loop and two iterators in turn need not move.
 *
 * @module
 */
import { COLUMNS_STATE, READ_AHEAD } from "../../generated/abi.js";
import type { CoreMemory } from "./core_memory.ts";

/** Most entries in a place. */
const AT_ONCE = 128;
/** Most bytes of their keys: with the largest, still room for nearly every bucket with its chain. */
const KEY_BYTES = 16384;

/** How many entries there is room for, by the size of their keys. */
export function columnRoom(keySize: number): number {
  return Math.min(AT_ONCE, Math.floor(KEY_BYTES / keySize));
}

/** Bytes of the state, with a key. */
export function columnState(keySize: number): number {
  return COLUMNS_STATE + roundUp8(keySize);
}

/** Bytes of a place. */
export function columnBytes(keySize: number, room: number): number {
  return columnState(keySize) + room * (4 + keySize) + READ_AHEAD;
}

function roundUp8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** Who a place belongs to. */
export interface ColumnOwner {
  /** Takes along what stands there. */
  leave(): void;
}

export class Columns {
  readonly #host: CoreMemory;
  #address = 0;
  /** Bytes of one place. */
  #bytes = 0;
  readonly #owners: [ColumnOwner | undefined, ColumnOwner | undefined] = [undefined, undefined];
  /** The place that was taken last. */
  #last = 0;

  constructor(host: CoreMemory) {
    this.#host = host;
  }

  /** A place of `bytes` or more, the one that the owner has already if it has one; 0 when there is no memory for it. */
  take(owner: ColumnOwner, bytes: number): number {
    if (bytes > this.#bytes && !this.#enlarge(bytes)) return 0;
    const [first, second] = this.#owners;
    const place = first === owner ? 0 : second === owner ? 1 : !first ? 0 : !second ? 1 : 1 - this.#last;
    const former = this.#owners[place];
    if (former !== owner) {
      this.#owners[place] = owner;
      former?.leave();
    }
    this.#last = place;
    return this.#address + place * this.#bytes;
  }

  /** Lets an owner go that is done. */
  release(owner: ColumnOwner): void {
    const [first, second] = this.#owners;
    if (first === owner) this.#owners[0] = undefined;
    if (second === owner) this.#owners[1] = undefined;
  }

  /** Has every owner leave. */
  clear(): void {
    const [first, second] = this.#owners;
    this.#owners[0] = this.#owners[1] = undefined;
    first?.leave();
    second?.leave();
  }

  close(): void {
    this.clear();
    if (this.#address !== 0) this.#host.release(this.#address, 2 * this.#bytes);
    this.#address = this.#bytes = 0;
  }

  #enlarge(bytes: number): boolean {
    const wanted = Math.ceil(bytes / 64) * 64;
    const address = this.#host.allocate(2 * wanted);
    if (address === 0) return false;
    this.close();
    this.#address = address;
    this.#bytes = wanted;
    return true;
  }
}
