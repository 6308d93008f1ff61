/**
 * A walk over the entries of a map of a plain host: what its iterators and `forEach` are made of.
 *
 * The core writes down the keys of the next entries and the addresses of their values (core/memory/columns.ts). The addresses hold until
 * an entry comes, goes or moves, which the version of the table tells; from then on the entries that are written down are looked up by
 * their keys, each when its turn comes. So a value is always that of the moment, and an entry deleted before its turn does not come.
 *
 * @module
 */
import { Scalar } from "../../codec/codec.ts";
import type { CoreHost } from "../../core/core_host.ts";
import { columnBytes, columnRoom, columnState } from "../../core/memory/columns.ts";
import { readScalar } from "../../core/memory/scalar.ts";
import { noBlock } from "../../core/memory/scratch.ts";
import { ERRNO_LIMIT } from "../../core/wasm/exports.ts";
import type { Operation } from "../../errors.ts";
import { subjectOf } from "../failure.ts";
import type { Walkable } from "../handle.ts";

const { F64 } = Scalar;
/** Entries that are written down first: many iterators are asked for one only. */
const FIRST_ROOM = 32;
/** Unlike every version, which is a u32. */
const NO_VERSION = -1;

/** What iterators see of a walk. Its entries from `at` to `end` may be read at once while the version stays. */
export class Walk<K, V> {
  readonly map: Walkable<K, V>;
  readonly host: CoreHost;
  readonly #operation: Operation;
  at = 0;
  end = 0;
  /** Index of the word with the version of the table, and what it was when the addresses were written. */
  readonly versionAt: number;
  version = NO_VERSION;
  /** Views of the host. When its memory grows they lose it, and with it the version. */
  words: Uint32Array;
  doubles: Float64Array;
  /** Index of the word with the first address, and of the one where the keys begin. */
  addresses = 0;
  keys = 0;
  /** Entries that are written down: `end`, unless the place went to another walk. */
  #count = 0;
  #room = 0;
  #place = 0;
  /** What stood in the place, for when it goes on in another one; of a full host the state only. */
  #own: Uint32Array | undefined;
  /** Whether the place went to another walk. */
  #isAway = false;
  #isDone = false;
  /** Whether entries expire: then each is looked up when its turn comes. */
  readonly #isTimed: boolean;

  constructor(map: Walkable<K, V>, operation: Operation) {
    if (map.reading === 0) map.refuse(operation);
    const { host } = map;
    this.map = map;
    this.host = host;
    this.#operation = operation;
    this.#isTimed = map.table.expiry !== undefined;
    this.versionAt = (map.reading + host.layout.version) >>> 2;
    this.words = host.u32;
    this.doubles = host.f64;
  }

  /** Goes to the next entry that is there: entry `at`. False at the end. */
  advance(): boolean {
    const { map } = this;
    while (!this.#isDone) {
      if (map.reading === 0) map.refuse(this.#operation);
      if (this.at === this.#count) {
        this.#fetch();
        continue;
      }
      if (this.#isAway) this.#stand(this.#take(this.#room), this.#own);
      this.#refresh();
      this.end = this.#count;
      if (this.words[this.versionAt] === this.version && !this.#isTimed) return true;
      this.version = NO_VERSION;
      const address = map.find(map.reading, this.#keyAt(this.at));
      if (address >= ERRNO_LIMIT) {
        this.words[this.addresses + this.at] = address;
        return true;
      }
      if (address !== 0) map.fail(this.#operation, address);
      this.at++;
    }
    return false;
  }

  /** The key of an entry that is written down. */
  key(index: number): K {
    const { map, host } = this;
    const { keyScalar } = map;
    const at = this.#keyAt(index);
    // Keys are aligned to 4 bytes at most.
    const key = keyScalar === F64 ? undefined : readScalar(host, keyScalar, at);
    return key === undefined ? map.decodeKey(this.#operation, host.view, at) : (key as K);
  }

  /** The value at an address. */
  value(address: number): V {
    const { map, host } = this;
    const value = readScalar(host, map.valueScalar, address);
    return value === undefined ? map.decodeValue(this.#operation, host.view, address) : (value as V);
  }

  stop(): void {
    this.#isDone = true;
    this.at = this.end = 0;
    this.host.scratch.columns.release(this);
  }

  leave(): void {
    this.#own = this.host.u32.slice(this.#place >>> 2, (this.#keyAt(this.#count) + 3) >>> 2);
    this.#isAway = true;
    this.end = this.at;
  }

  #keyAt(index: number): number {
    return 4 * this.keys + index * this.map.table.keySize;
  }

  #refresh(): void {
    const { host } = this;
    this.words = host.u32;
    this.doubles = host.f64;
  }

  /** A place for so many entries; 0 when there is no memory for it. */
  #take(room: number): number {
    return this.host.scratch.columns.take(this, columnBytes(this.map.table.keySize, room));
  }

  /** Goes on in a place, with words that are to stand at its beginning. */
  #stand(place: number, words: Uint32Array | undefined): void {
    this.#place = place;
    this.addresses = (place + columnState(this.map.table.keySize)) >>> 2;
    this.keys = this.addresses + this.#room;
    if (words !== undefined) this.host.u32.set(words, place >>> 2);
    this.#own = undefined;
    this.#isAway = false;
  }

  #fetch(): void {
    const { map, host } = this;
    const { keySize } = map.table;
    const state = columnState(keySize);
    const room = columnRoom(keySize);
    let place = this.#take(room);
    const isFull = place === 0;
    if (isFull) {
      // Room for one entry was reserved when the map was created. It is everybody's, so the state is kept here.
      place = host.scratch.stage(columnBytes(keySize, 1));
      if (place === 0) throw noBlock(host, this.#operation, subjectOf(map));
    }
    host.scratch.turn++; // a getter of a key that is being encoded may iterate: a call of the library like any other
    const isFirst = this.#room === 0;
    this.#room = isFull ? 1 : isFirst ? Math.min(room, FIRST_ROOM) : room;
    this.#stand(place, isFirst ? new Uint32Array(state >>> 2) : this.#own?.subarray(0, state >>> 2));
    const count = map.columns(place, 4 * this.addresses, 4 * this.keys, this.#room);
    this.#refresh();
    this.at = 0;
    this.end = this.#count = count;
    this.version = this.words[this.versionAt];
    if (count === 0) this.stop();
    else if (isFull) this.#own = this.words.slice(place >>> 2, this.addresses);
  }
}
