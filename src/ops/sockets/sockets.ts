/**
 * The objects of a sockmap or sockhash: what all handles of the map share.
 *
 * ```
 * a table of the core, in host memory       here, in JavaScript
 *   key bytes -> u32 slot ────────────────> #entries[slot]: the object, and what hears of its end
 *             <──────────────────────────── #keys, from slot * keySize on: the key bytes, for the way back
 *                                           #free: slots that nothing is in
 * ```
 *
 * So hashing, order, limits and accounting are those of an rhash, and no object ever moves: growth raises the table's limit.
 * Results that are negative are an errno: the caller knows how to say it.
 *
 * @module
 */
import { BPF_NOEXIST } from "../../constants.ts";
import type { CoreHost } from "../../core/core_host.ts";
import { tableEntries } from "../../core/tables/stats.ts";
import type { Table } from "../../core/tables/table.ts";
import { ERRNO_LIMIT } from "../../core/wasm/exports.ts";
import { ERRNO } from "../../errors.ts";
import { type CloseLink, follow, unfollow } from "./close_watch.ts";
import type { LowWaterMark } from "./socket_low_water.ts";

const NO_SLOT = -1;
/** Keys that `#keys` has room for at first. */
const FIRST_ROOM = 8;

/** An object under a key. It hears of the object's end from when it is made until it leaves. */
export class SocketEntry implements CloseLink {
  readonly object: object;
  /** Whether the object has closed. */
  over = false;
  /** Its place in {@link Sockets}; NO_SLOT before it is in and after it has left. */
  slot = NO_SLOT;
  readonly #sockets: Sockets;

  constructor(sockets: Sockets, object: object) {
    this.#sockets = sockets;
    this.object = object;
    follow(object, this);
  }

  closed(): void {
    this.over = true;
    if (this.slot !== NO_SLOT) this.#sockets.dropClosed(this);
  }

  leave(): void {
    this.slot = NO_SLOT;
    unfollow(this.object, this);
  }
}

export class Sockets {
  /** Whether `freeze` was called. Not the core's flag: a socket that closes leaves a frozen map, too. */
  frozen = false;
  readonly lowWater: LowWaterMark<unknown> | undefined;
  readonly #host: CoreHost;
  readonly #table: Table;
  #entries: (SocketEntry | undefined)[] = [];
  #free: number[] = [];
  #keys = new Uint8Array(0);
  /** Slots of objects that have closed, with their key still in the table: a lock of the host could not be had in time. */
  #late: number[] = [];
  /** The table has gone. */
  #gone = false;

  constructor(host: CoreHost, table: Table, lowWater: LowWaterMark<unknown> | undefined) {
    this.#host = host;
    this.#table = table;
    this.lowWater = lowWater;
  }

  /** How many objects are in the map. */
  get count(): number {
    return this.#entries.length - this.#free.length - this.#late.length;
  }

  /** The object in a slot; undefined when it has closed. */
  objectIn(slot: number): object | undefined {
    return this.#entries[slot]?.object;
  }

  /** Address of the slot number under the key at an address, on shared hosts of a copy; 0 when it is absent, or an errno. */
  addressOf(handle: number, key: number): number {
    const { core } = this.#host;
    const isWord = this.#table.keySize === 4;
    return (isWord ? core.lookup4(handle, this.#host.word(key)) : core.lookupAny(handle, key)) >>> 0;
  }

  /** The slot of the key at an address, or a negative errno: ENOENT when it is absent. */
  slotOf(key: number): number {
    const address = this.addressOf(this.#table.handle, key);
    if (address < ERRNO_LIMIT) return -(address || ERRNO.ENOENT);
    return this.#host.word(address);
  }

  /** Puts an entry under the key at an address, in place of the one that is there. 0 or a negative errno. */
  put(key: number, entry: SocketEntry): number {
    const slot = this.slotOf(key);
    if (slot >= 0) {
      const before = this.#entries[slot];
      if (before === undefined) this.#late.splice(this.#late.indexOf(slot), 1);
      this.#enter(slot, entry);
      before?.leave();
      return 0;
    }
    return slot === -ERRNO.ENOENT ? this.#insert(key, entry) : slot;
  }

  #insert(key: number, entry: SocketEntry): number {
    const { core, scratch } = this.#host;
    const slot = this.#free.at(-1) ?? this.#entries.length;
    this.#host.putWord(scratch.value, slot);
    const errno = core.update(this.#table.handle, key, scratch.value, BPF_NOEXIST);
    if (this.#host.u8.length === 0) this.#host.refresh();
    if (errno !== 0) return -errno;
    this.#keepKey(slot, key);
    this.#free.pop();
    this.#enter(slot, entry);
    return 0;
  }

  #enter(slot: number, entry: SocketEntry): void {
    this.#entries[slot] = entry;
    entry.slot = slot;
  }

  #keepKey(slot: number, key: number): void {
    const { keySize } = this.#table;
    const end = (slot + 1) * keySize;
    if (end > this.#keys.length) {
      const larger = new Uint8Array(Math.max(FIRST_ROOM * keySize, 2 * this.#keys.length));
      larger.set(this.#keys);
      this.#keys = larger;
    }
    this.#keys.set(this.#host.u8.subarray(key, key + keySize), slot * keySize);
  }

  /** Removes the key at an address. Its object; undefined when it was absent; or a negative errno. */
  take(key: number): object | undefined | number {
    const { core, scratch } = this.#host;
    const errno = core.take(this.#table.handle, key, scratch.value);
    if (errno === ERRNO.ENOENT) return undefined;
    if (errno !== 0) return -errno;
    const slot = this.#host.word(scratch.value);
    const entry = this.#entries[slot];
    if (entry === undefined) this.#late.splice(this.#late.indexOf(slot), 1);
    this.#vacate(slot);
    entry?.leave();
    return entry?.object;
  }

  /** Removes all keys. 0, or a negative errno with some of them removed. */
  clear(): number {
    for (let slot = 0; slot < this.#entries.length; slot++) {
      const entry = this.#entries[slot];
      if (entry === undefined) continue;
      const errno = this.#takeKey(slot);
      if (errno !== 0) return -errno;
      this.#vacate(slot);
      entry.leave();
      // Listeners of the object may have closed the map.
      if (this.#gone) return 0;
    }
    return this.retry();
  }

  /** Removes an entry whose object has closed. Nobody is there to be told of an errno: the key is removed later. */
  dropClosed(entry: SocketEntry): void {
    const { slot } = entry;
    entry.slot = NO_SLOT;
    this.#entries[slot] = undefined;
    if (this.#takeKey(slot) === 0) this.#vacate(slot);
    else this.#late.push(slot);
  }

  /** Removes the keys that could not be removed when their object closed. 0 or a negative errno. */
  retry(): number {
    for (let slot = this.#late.at(-1); slot !== undefined; slot = this.#late.at(-1)) {
      const errno = this.#takeKey(slot);
      if (errno !== 0) return -errno;
      this.#late.pop();
      this.#vacate(slot);
    }
    return 0;
  }

  /** Removes the key of a slot from the table: 0 or an errno. */
  #takeKey(slot: number): number {
    const { core, scratch } = this.#host;
    return core.take(this.#table.handle, this.#stageKey(slot), scratch.value);
  }

  /** Writes the key of a slot into the scratch; where. */
  #stageKey(slot: number): number {
    const { u8, scratch } = this.#host;
    const { keySize } = this.#table;
    scratch.turn++;
    u8.set(this.#keys.subarray(slot * keySize, (slot + 1) * keySize), scratch.key);
    return scratch.key;
  }

  /** Makes a slot free whose key is gone. */
  #vacate(slot: number): void {
    this.#entries[slot] = undefined;
    this.#free.push(slot);
    if (this.#free.length === this.#entries.length) this.#reset();
  }

  #reset(): void {
    this.#entries = [];
    this.#free = [];
    this.#late = [];
    this.#keys = new Uint8Array(0);
  }

  /** Lets all objects go, when the table goes. */
  release(): void {
    const entries = this.#entries;
    this.#gone = true;
    this.#reset();
    for (const entry of entries) entry?.leave();
  }

  /** What does not hold between the table and the objects. */
  problems(): string[] {
    const problems: string[] = [];
    const keys = tableEntries(this.#host, this.#table.handle);
    const slots = this.count + this.#late.length;
    if (keys !== slots) problems.push(`there are ${keys} keys for ${slots} slots`);
    for (const [slot, entry] of this.#entries.entries()) {
      if (entry === undefined) continue;
      const found = this.slotOf(this.#stageKey(slot));
      if (found !== slot || entry.slot !== slot) problems.push(`slot ${slot} is not the one of its key`);
    }
    return problems;
  }
}
