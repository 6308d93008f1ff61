/** The trivially correct model of a map, over byte strings, with the errnos of the kernel. */
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST } from "../constants.ts";
import type { Eviction } from "../core/tables/map_types.ts";
import { ERRNO } from "../errors.ts";
import { byteString } from "./bytes.ts";

/** An entry as the model keeps it. */
export interface ReferenceEntry {
  readonly key: Uint8Array;
  /** a copy of the value of the last update */
  readonly value: Uint8Array;
  /** model time when the entry was inserted; an overwrite keeps it, delete and insert again renews it */
  readonly born: number;
}

/** Types of maps that the model answers for. */
export type ReferenceType = "hash" | "rhash" | "lru_hash" | "lru_percpu_hash" | "array";

/** Up to so many entries `recency` is an LRU to the letter. */
const EXACT_ENTRIES = 31;

/** Sizes in bytes, `maxEntries` in entries. */
export interface ReferenceMapOptions {
  /** Default `rhash`. Keys of an array are the little-endian u32 of an index. */
  readonly type?: ReferenceType | undefined;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** Of types that evict; default `value`. */
  readonly eviction?: Eviction | undefined;
}

/**
 * What a map must answer: a JS Map keyed by the bytes of the key, and the kernel's errnos.
 * It has no order: anything about the order is checked by {@link ScanChecker}.
 *
 * Of a map that evicts it knows how many entries were evicted, and which one only of an LRU to the letter (`recency`, up to 31
 * entries). Otherwise whoever finds out that one has gone says so: {@link evicted}.
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
  readonly #evicts: boolean;
  /** Entries stand in the order of their last use, the oldest first. */
  readonly #exact: boolean;
  #maxEntries: number;
  #unknown = 0;
  #victim: ReferenceEntry | undefined;
  #time = 0;
  #frozen = false;

  constructor(options: ReferenceMapOptions) {
    this.type = options.type ?? "rhash";
    this.keySize = options.keySize;
    this.valueSize = options.valueSize;
    this.#maxEntries = options.maxEntries;
    this.#evicts = this.type === "lru_hash" || this.type === "lru_percpu_hash";
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
      this.#entries.set(byteString(key), { key, value: new Uint8Array(this.valueSize), born: this.#time });
    }
  }

  /** `grow`: 0 or an errno. */
  grow(maxEntries: number): number {
    if (this.type === "hash" || this.#evicts || maxEntries < this.#maxEntries) return ERRNO.EINVAL;
    if (this.#frozen) return ERRNO.EPERM;
    const first = this.#maxEntries;
    this.#maxEntries = maxEntries;
    if (this.type === "array") this.#addIndices(first);
    return 0;
  }

  /** Number of entries. */
  get size(): number {
    return this.#entries.size - this.#unknown;
  }

  /** Whether the map is an LRU to the letter. */
  get exact(): boolean {
    return this.#exact;
  }

  /** How many entries are still here that the map has evicted. */
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

  /** A key was read in a way that keeps it from being evicted. */
  use(key: Uint8Array): void {
    const name = byteString(key);
    const entry = this.#entries.get(name);
    if (!this.#exact || entry === undefined) return;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Counts insertions: entries with `born` up to this number were present at this moment. */
  get time(): number {
    return this.#time;
  }

  /** map_update_elem: 0 or an errno. A frozen map is refused first, then the flags are tested, then the capacity. */
  update(key: Uint8Array, value: Uint8Array, flags: number): number {
    this.#requireSize("key", key, this.keySize);
    this.#requireSize("value", value, this.valueSize);
    this.#victim = undefined;
    if (this.#frozen) return ERRNO.EPERM;
    if (flags !== BPF_ANY && flags !== BPF_NOEXIST && flags !== BPF_EXIST) return ERRNO.EINVAL;
    const name = byteString(key);
    const old = this.#entries.get(name);
    if (old !== undefined) {
      if (flags === BPF_NOEXIST) return ERRNO.EEXIST;
      this.#entries.set(name, { key: old.key, value: value.slice(), born: old.born });
      this.use(key);
      return 0;
    }
    if (this.type === "array") return ERRNO.E2BIG;
    if (flags === BPF_EXIST) return ERRNO.ENOENT;
    if (this.size >= this.maxEntries) {
      if (!this.#evicts) return ERRNO.E2BIG;
      this.#evict();
    }
    this.#time++;
    this.#entries.set(name, { key: key.slice(), value: value.slice(), born: this.#time });
    return 0;
  }

  #evict(): void {
    if (!this.#exact) {
      this.#unknown++;
      return;
    }
    const [oldest] = this.#entries.values();
    this.#entries.delete(byteString(oldest!.key));
    this.#victim = oldest;
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
