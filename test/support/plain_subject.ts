/** A slow but correct map in plain JavaScript, to test the kit itself; `bug` breaks one promise on purpose. */
import { byteString } from "../../src/testing/bytes.ts";
import {
  type ManyFound,
  ReferenceMap,
  type ReferenceMapOptions,
  type ScanStep,
  type Subject,
  type SubjectScan,
  type SubjectStats,
} from "../../src/testing/index.ts";

export type Bug =
  | "stale value" // an overwrite of every 7th key is lost
  | "capacity" // one entry too many
  | "flag order" // E2BIG before ENOENT
  | "scan skips" // a scan step of room 1 skips a key when something was deleted since the last step
  | "scan repeats" // a rewound position after an insert
  | "scan invents" // a deleted key is still returned
  | "move in section" // an insert in a section moves the entries
  | "reuse in section" // a deleted entry's memory is overwritten at once
  | "next restarts" // nextKey of the 30th key gives the first one
  | "many" // lookupMany leaves garbage for absent keys
  | "counts" // size is off by one above 20
  | "work" // five splits in one call
  | "leak"; // bytes left after close

interface PlainEntry {
  readonly key: Uint8Array;
  /** The key as a string, which entries are sorted by. */
  readonly name: string;
  address: number;
}

export class PlainSubject implements Subject {
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly ttl: number | undefined;
  readonly ttlResolution: number | undefined;
  readonly stableAddresses: boolean;
  readonly #bug: Bug | undefined;
  readonly #model: ReferenceMap;
  readonly #entries = new Map<string, PlainEntry>();
  readonly #memory = new Map<number, Uint8Array>();
  #nextAddress = 4096;
  #deletions = 0;
  #inserts = 0;
  #removed: PlainEntry | undefined;
  #depth = 0;

  constructor(sizes: ReferenceMapOptions, stableAddresses: boolean, bug?: Bug) {
    this.keySize = sizes.keySize;
    this.valueSize = sizes.valueSize;
    this.maxEntries = sizes.maxEntries;
    this.stableAddresses = stableAddresses;
    this.#bug = bug;
    this.ttl = sizes.ttl;
    this.ttlResolution = sizes.ttlResolution;
    this.#model = new ReferenceMap({
      ...sizes,
      maxEntries: sizes.maxEntries + (bug === "capacity" ? 1 : 0),
    });
  }

  get size(): number {
    return this.#model.size + (this.#bug === "counts" && this.#model.size > 20 ? 1 : 0);
  }

  update(key: Uint8Array, value: Uint8Array, flags: number, ttl?: number): number {
    const full = this.#model.size >= this.#model.maxEntries && this.#model.lookup(key) === undefined;
    if (this.#bug === "flag order" && full && flags <= 2 && !this.#model.frozen) return 7;
    const old = this.#entries.get(byteString(key));
    if (this.#bug === "stale value" && old !== undefined && key[0]! % 7 === 0) {
      return this.#model.update(key, this.#model.lookup(key)!, flags);
    }
    const errno = this.#model.update(key, value, flags, ttl);
    if (errno !== 0) return errno;
    if (old !== undefined) {
      this.#memory.set(old.address, value);
      return 0;
    }
    this.#inserts++;
    const name = byteString(key);
    const entry = { key: key.slice(), name, address: this.#place(value) };
    this.#entries.set(name, entry);
    if (this.#bug === "move in section" && this.#depth > 0) {
      for (const moved of this.#entries.values()) moved.address = this.#place(this.#model.lookup(moved.key)!);
    }
    return 0;
  }

  add(): never {
    throw new Error("values are no numbers");
  }

  remainingTtl(key: Uint8Array): number {
    return this.#model.remainingTtl(key);
  }

  advance(ms: number): void {
    for (const { key } of this.#model.advance(ms)) this.#forget(key);
  }

  sweep(): void {}

  grow(maxEntries: number): number {
    return this.#model.grow(maxEntries + (this.#bug === "capacity" ? 1 : 0));
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    return this.#model.lookup(key);
  }

  has(key: Uint8Array): boolean {
    return this.#model.lookup(key) !== undefined;
  }

  delete(key: Uint8Array): number {
    const errno = this.#model.delete(key);
    if (errno === 0) this.#forget(key);
    return errno;
  }

  lookupAndDelete(key: Uint8Array): Uint8Array | number {
    const taken = this.#model.lookupAndDelete(key);
    if (typeof taken !== "number") this.#forget(key);
    return taken;
  }

  nextKey(key?: Uint8Array): Uint8Array | undefined {
    const sorted = this.#sorted();
    if (key === undefined || !this.has(key)) return sorted[0]?.key;
    const name = byteString(key);
    const next = sorted.findIndex((entry) => entry.name > name);
    if (this.#bug === "next restarts" && next === 30) return sorted[0]!.key;
    return sorted[next]?.key;
  }

  lookupMany(keys: Uint8Array, count: number): ManyFound {
    const found: boolean[] = [];
    const values = new Uint8Array(count * this.valueSize).fill(this.#bug === "many" ? 1 : 0);
    for (let i = 0; i < count; i++) {
      const value = this.lookup(keys.subarray(i * this.keySize, (i + 1) * this.keySize));
      found.push(value !== undefined);
      if (value !== undefined) values.set(value, i * this.valueSize);
    }
    return { hits: found.filter(Boolean).length, found, values };
  }

  scan(): SubjectScan {
    return this.#scan(false);
  }

  drain(): SubjectScan {
    return this.#scan(true);
  }

  drainAll(): ScanStep {
    return this.#scan(true).step(this.#model.size) as ScanStep;
  }

  process(remove: number): ScanStep {
    const seen = this.#scan(false).step(this.#model.size) as ScanStep;
    for (const [i, key] of seen.keys.entries()) if (seen.values[i]![0]! < remove) this.delete(key);
    return seen;
  }

  *entries(): Generator<readonly [Uint8Array, Uint8Array]> {
    const scan = this.#scan(false);
    for (;;) {
      const step = scan.step(1) as ScanStep;
      for (let i = 0; i < step.keys.length; i++) yield [step.keys[i]!, step.values[i]!];
      if (step.ended) return;
    }
  }

  address(key: Uint8Array): number {
    return this.#entries.get(byteString(key))?.address ?? 0;
  }

  bytesAt(address: number, length: number): Uint8Array {
    return this.#memory.get(address)!.subarray(0, length);
  }

  section(body: () => void): void {
    this.#depth++;
    try {
      body();
    } finally {
      this.#depth--;
    }
  }

  clear(): number {
    const errno = this.#model.clear();
    if (errno === 0) this.#entries.clear();
    return errno;
  }

  freeze(): number {
    return this.#model.freeze();
  }

  memoryUsage(): number {
    return this.#model.size * (this.keySize + this.valueSize);
  }

  stats(): SubjectStats {
    const work = this.#bug === "work" && this.#model.size > 10 ? 5 : 0;
    return { count: this.#model.size, maxSplits: work, maxMerges: 0, maxMoved: 0 };
  }

  close(): number {
    return this.#bug === "leak" ? 64 : 0;
  }

  #place(value: Uint8Array): number {
    this.#nextAddress += 64;
    this.#memory.set(this.#nextAddress, value);
    return this.#nextAddress;
  }

  #forget(key: Uint8Array): void {
    const entry = this.#entries.get(byteString(key))!;
    this.#removed = entry;
    this.#deletions++;
    this.#entries.delete(byteString(key));
    if (this.#bug === "reuse in section") this.#memory.set(entry.address, new Uint8Array(this.valueSize));
  }

  #sorted(): PlainEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #scan(drain: boolean): SubjectScan {
    let last = "";
    let deletions = this.#deletions;
    let inserts = this.#inserts;
    return {
      step: (room) => {
        if (drain && this.#model.frozen) return 1;
        let ahead = this.#sorted().filter((entry) => last === "" || entry.name > last);
        if (this.#bug === "scan skips" && deletions !== this.#deletions && room === 1) ahead = ahead.slice(1);
        if (this.#bug === "scan repeats" && inserts !== this.#inserts) ahead = this.#sorted();
        deletions = this.#deletions;
        inserts = this.#inserts;
        const taken = ahead.slice(0, room);
        if (this.#bug === "scan invents" && this.#removed !== undefined && room > taken.length) {
          taken.push(this.#removed);
        }
        const step = {
          keys: taken.map((entry) => entry.key),
          values: taken.map((entry) => this.#model.lookup(entry.key) ?? new Uint8Array(this.valueSize)),
          ended: ahead.length <= room,
        };
        if (taken.length > 0) last = byteString(taken.at(-1)!.key);
        if (drain) for (const key of step.keys) this.delete(key);
        return step;
      },
      rewind: () => {
        last = "";
      },
    };
  }
}
