/** The trivially correct model of a map, over byte strings, with the errnos of the kernel. */
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST } from "../constants.ts";
import type { Eviction } from "../core/tables/map_types.ts";
import { ERRNO } from "../errors.ts";
import { byteString } from "./bytes.ts";
import { ReferenceExpiry, type ReferenceExpiryOptions } from "./reference_expiry.ts";

/** An entry as the model keeps it. */
export interface ReferenceEntry {
  readonly key: Uint8Array;
  /** a copy of the value of the last update */
  readonly value: Uint8Array;
  /** model time when the entry was inserted; an overwrite keeps it, delete and insert again renews it */
  readonly born: number;
  /** unit of time at which it expires, 0 for never */
  readonly expiry: number;
}

/** Types of maps that the model answers for. */
export type ReferenceType = "hash" | "percpu_hash" | "rhash" | "lru_hash" | "lru_percpu_hash" | "array";

/** Up to so many entries `recency` is an LRU to the letter. */
const EXACT_ENTRIES = 31;
/** A map with room for so many has no more buckets than an insert sweeps before it is refused. */
const SWEPT_ENTRIES = 200;

/** Sizes in bytes, `maxEntries` in entries. */
export interface ReferenceMapOptions extends ReferenceExpiryOptions {
  /** Default `rhash`. Keys of an array are the little-endian u32 of an index. */
  readonly type?: ReferenceType | undefined;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** Of types that evict; default `value`. */
  readonly eviction?: Eviction | undefined;
  /** Whether values are little-endian numbers, below 2^48. Default false */
  readonly numbers?: boolean | undefined;
}

/**
 * What a map must answer: a JS Map keyed by the bytes of the key, and the kernel's errnos.
 * It has no order: anything about the order is checked by {@link ScanChecker}.
 *
 * Of a map that evicts it knows how many entries were evicted, and which one only of an LRU to the letter (`recency`, up to 31
 * entries). Otherwise whoever finds out that one has gone says so: {@link evicted}.
 *
 * Where entries expire, its clock stands still but for {@link advance}. An entry that has expired is gone from the model at once. The map
 * keeps it until a sweep comes to it: how many those are the model learns from the map's size ({@link learnSize}).
 *
 * @example
 * ```ts
 * import { ReferenceMap } from "bpfmap/testing";
 * const model = new ReferenceMap({ keySize: 1, valueSize: 1, maxEntries: 1 });
 * console.log(model.update(Uint8Array.of(1), Uint8Array.of(9), 0)); // 0
 * console.log(model.update(Uint8Array.of(2), Uint8Array.of(9), 0)); // 7: E2BIG, it is full
 * ```
 */
export class ReferenceMap {
  readonly type: ReferenceType;
  readonly keySize: number;
  readonly valueSize: number;
  readonly #entries = new Map<string, ReferenceEntry>();
  readonly numbers: boolean;
  readonly #evicts: boolean;
  readonly #expiry: ReferenceExpiry | undefined;
  /** Entries stand in the order of their last use, the oldest first. */
  readonly #exact: boolean;
  #maxEntries: number;
  /** Of a map whose entries expire, at most so many. */
  #unknown = 0;
  /** Entries that have expired and may still be in the map: at most so many. */
  #dead = 0;
  /** No entry expires before. */
  #earliest = Number.POSITIVE_INFINITY;
  #victim: ReferenceEntry | undefined;
  #time = 0;
  #frozen = false;

  constructor(options: ReferenceMapOptions) {
    this.type = options.type ?? "rhash";
    this.keySize = options.keySize;
    this.valueSize = options.valueSize;
    this.#maxEntries = options.maxEntries;
    this.numbers = options.numbers ?? false;
    this.#evicts = this.type === "lru_hash" || this.type === "lru_percpu_hash";
    this.#expiry = options.ttl === undefined ? undefined : new ReferenceExpiry(options);
    this.#exact = options.eviction === "recency" && options.maxEntries <= EXACT_ENTRIES;
    if (this.type === "array") this.#addIndices(0);
  }

  /** Limit of the entry count; of an array, its length. */
  get maxEntries(): number {
    return this.#maxEntries;
  }

  /** The indices of an array from number `first` on, with zeros. */
  #addIndices(first: number): void {
    this.#time++;
    for (let index = first; index < this.#maxEntries; index++) {
      const key = new Uint8Array(Uint32Array.of(index).buffer);
      this.#entries.set(byteString(key), {
        key,
        value: new Uint8Array(this.valueSize),
        born: this.#time,
        expiry: 0,
      });
    }
  }

  /** `grow`: 0 or an errno. */
  grow(maxEntries: number): number {
    const isFixed = this.type === "hash" || this.type === "percpu_hash" || this.#evicts;
    if (isFixed || maxEntries < this.#maxEntries) return ERRNO.EINVAL;
    if (this.#frozen) return ERRNO.EPERM;
    const first = this.#maxEntries;
    this.#maxEntries = maxEntries;
    if (this.type === "array") this.#addIndices(first);
    return 0;
  }

  /** Number of entries; of a map that evicts and whose entries expire, the least that it can be. */
  get size(): number {
    return Math.max(this.#entries.size - this.#unknown, 0);
  }

  /** Whether the map has no room but what an eviction or a sweep makes. */
  get full(): boolean {
    return this.size + this.#dead >= this.#maxEntries;
  }

  /** Whether values can be added to: numbers, and not one for each CPU. */
  get counts(): boolean {
    return this.numbers && this.type !== "percpu_hash" && this.type !== "lru_percpu_hash";
  }

  /** Whether entries expire. */
  get timed(): boolean {
    return this.#expiry !== undefined;
  }

  /** Whether the map can have as many entries as it says, those included that have expired. From then on no more of these are there. */
  learnSize(size: number): boolean {
    if (!this.timed) return size === this.size;
    if (size < this.size || size > this.#entries.size + this.#dead || size > this.#maxEntries) return false;
    this.#dead = Math.min(this.#dead, size - this.size);
    return true;
  }

  /** Time passes: the entries that expire by that. */
  advance(ms: number): ReferenceEntry[] {
    const expiry = this.#expiry;
    if (expiry === undefined) return [];
    expiry.advance(ms);
    const expired: ReferenceEntry[] = [];
    if (!expiry.hasPassed(this.#earliest)) return expired;
    this.#earliest = Number.POSITIVE_INFINITY;
    for (const [name, entry] of this.#entries) {
      if (expiry.hasPassed(entry.expiry)) {
        this.#entries.delete(name);
        expired.push(entry);
      } else this.#expires(entry.expiry);
    }
    this.#dead += expired.length;
    return expired;
  }

  #expires(expiry: number): void {
    if (expiry !== 0 && expiry < this.#earliest) this.#earliest = expiry;
  }

  /** The whole map was swept. */
  swept(): void {
    this.#dead = 0;
  }

  /** ms until an entry expires: infinite when it never does, 0 when it is absent. */
  remainingTtl(key: Uint8Array): number {
    const entry = this.entry(key);
    if (entry === undefined) return 0;
    return this.#expiry?.remaining(entry.expiry) ?? Number.POSITIVE_INFINITY;
  }

  /** Whether an update may answer E2BIG though entries have expired: it does not sweep a large map as a whole. */
  mayRefuse(key: Uint8Array, flags: number): boolean {
    const inserts =
      !this.#frozen && (flags === BPF_ANY || flags === BPF_NOEXIST) && this.entry(key) === undefined;
    return inserts && this.timed && !this.#evicts && this.full && this.#maxEntries > SWEPT_ENTRIES;
  }

  /** Whether the map is an LRU to the letter. */
  get exact(): boolean {
    return this.#exact;
  }

  /** How many entries are still here that the map has evicted; at most so many, where entries expire. */
  get unknown(): number {
    return this.#unknown;
  }

  /** The entry that the last update has evicted, where that is known. */
  get victim(): ReferenceEntry | undefined {
    return this.#victim;
  }

  /** The map was found without a key that is here: false when it has evicted none that it could be. */
  evicted(key: Uint8Array): boolean {
    if (this.#unknown === 0 || !this.#entries.delete(byteString(key))) return false;
    this.#unknown--;
    return true;
  }

  /** All keys that are here were asked for: no other was evicted. */
  settled(): void {
    this.#unknown = 0;
  }

  /** The entry that was used longest ago, in an LRU to the letter. */
  get oldest(): ReferenceEntry | undefined {
    const [oldest] = this.#entries.values();
    return oldest;
  }

  /** A key was read in a way that keeps it from being evicted, and may let its ttl begin anew. */
  use(key: Uint8Array): void {
    const name = byteString(key);
    const entry = this.#entries.get(name);
    if (entry === undefined || (!this.#exact && !this.timed)) return;
    const expiry = this.#expiry?.renewed(entry.expiry) ?? 0;
    this.#write(name, { ...entry, expiry });
  }

  /** Writes an entry, which is used by that. */
  #write(name: string, entry: ReferenceEntry): void {
    this.#expires(entry.expiry);
    if (this.#exact) this.#entries.delete(name);
    this.#entries.set(name, entry);
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Counts insertions: entries with `born` up to this number were present at this moment. */
  get time(): number {
    return this.#time;
  }

  /**
   * map_update_elem: 0 or an errno. A frozen map is refused first, then the flags are tested, then the capacity. `ttl`: of the entry, by
   * default that of the map.
   */
  update(key: Uint8Array, value: Uint8Array, flags: number, ttl?: number): number {
    this.#requireSize("key", key, this.keySize);
    this.#requireSize("value", value, this.valueSize);
    this.#victim = undefined;
    if (this.#frozen) return ERRNO.EPERM;
    if (flags !== BPF_ANY && flags !== BPF_NOEXIST && flags !== BPF_EXIST) return ERRNO.EINVAL;
    const name = byteString(key);
    const old = this.#entries.get(name);
    if (old !== undefined) {
      if (flags === BPF_NOEXIST) return ERRNO.EEXIST;
      this.#write(name, { ...old, value: value.slice(), expiry: this.#expiry?.of(ttl) ?? 0 });
      return 0;
    }
    if (this.type === "array") return ERRNO.E2BIG;
    if (flags === BPF_EXIST) return ERRNO.ENOENT;
    if (this.#evicts && this.full) this.#evict();
    else if (this.size >= this.#maxEntries) return ERRNO.E2BIG;
    this.#time++;
    const expiry = this.#expiry?.of(ttl) ?? 0;
    this.#write(name, { key: key.slice(), value: value.slice(), born: this.#time, expiry });
    return 0;
  }

  /** Adds to the number that is a value: 0 or an errno. The entry expires when it did. */
  add(key: Uint8Array, by: number): number {
    const old = this.entry(key);
    const sum = new Uint8Array(this.valueSize);
    for (let i = 0, carry = by; i < sum.length; i++, carry >>>= 8) {
      carry += old?.value[i] ?? 0;
      sum[i] = carry;
    }
    if (old === undefined) return this.update(key, sum, BPF_ANY);
    if (this.#frozen) return ERRNO.EPERM;
    this.#victim = undefined;
    this.#write(byteString(key), { ...old, value: sum });
    return 0;
  }

  #evict(): void {
    // One that has expired may go, too, or a sweep may have made room.
    if (!this.#exact || this.#dead > 0) {
      this.#unknown++;
      return;
    }
    this.#victim = this.oldest;
    this.#entries.delete(byteString(this.#victim!.key));
  }

  /** map_lookup_elem: the value (not to be written to), undefined when absent. */
  lookup(key: Uint8Array): Uint8Array | undefined {
    return this.entry(key)?.value;
  }

  /** The entry of a key, undefined when absent. */
  entry(key: Uint8Array): ReferenceEntry | undefined {
    this.#requireSize("key", key, this.keySize);
    return this.#entries.get(byteString(key));
  }

  /** map_delete_elem: 0 or an errno. */
  delete(key: Uint8Array): number {
    this.#requireSize("key", key, this.keySize);
    if (this.#frozen) return ERRNO.EPERM;
    if (this.type === "array") return ERRNO.EINVAL;
    return this.#entries.delete(byteString(key)) ? 0 : ERRNO.ENOENT;
  }

  /** map_lookup_and_delete_elem: the value, or an errno. */
  lookupAndDelete(key: Uint8Array): Uint8Array | number {
    const value = this.lookup(key);
    if (this.type === "array") return this.#frozen ? ERRNO.EPERM : ERRNO.ENOTSUPP;
    const errno = this.delete(key);
    return errno === 0 ? value! : errno;
  }

  /** What a drain answers in the place of entries: 0 when it gives some. */
  get drainErrno(): number {
    if (this.#frozen) return ERRNO.EPERM;
    return this.type === "array" ? ERRNO.ENOTSUPP : 0;
  }

  /** Removes everything, or writes zeros to all elements: 0 or an errno. */
  clear(): number {
    if (this.#frozen) return ERRNO.EPERM;
    if (this.type === "array") {
      for (const [name, entry] of this.#entries) {
        this.#entries.set(name, { ...entry, value: new Uint8Array(this.valueSize) });
      }
    } else this.#entries.clear();
    this.#unknown = 0;
    this.#dead = 0;
    return 0;
  }

  /** map_freeze: 0, or EPERM when it is frozen already (the kernel does not say EBUSY). */
  freeze(): number {
    if (this.#frozen) return ERRNO.EPERM;
    this.#frozen = true;
    return 0;
  }

  /** All entries, in no order that means anything. */
  entries(): IterableIterator<ReferenceEntry> {
    return this.#entries.values();
  }

  #requireSize(what: string, bytes: Uint8Array, size: number): void {
    if (bytes.length !== size) throw new RangeError(`${what}: expected ${size} bytes, got ${bytes.length}`);
  }
}
