/** What a replay needs of a map, and how it gets that from the typed API. */
import { ACT_DELETE, ACT_KEEP, BPF_ANY } from "../constants.ts";
import type { Eviction } from "../core/tables/map_types.ts";
import { roundUp8 } from "../core/tables/registry.ts";
import type { Entry } from "../entries/entry.ts";
import { BpfError, ERRNO } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { HashMap } from "../maps/hash/hash_map.ts";
import type { Batch } from "../ops/batch/batch.ts";
import { expectBytes } from "./divergence.ts";
import { type Form, indexForm, numberKeys, numberValues, plainForm } from "./forms.ts";
import type { ReferenceMapOptions, ReferenceType } from "./model.ts";
import { MAX_ROOM } from "./operations.ts";

/** One step of a scan or drain: `keys[i]` belongs to `values[i]`. */
export interface ScanStep {
  readonly keys: readonly Uint8Array[];
  readonly values: readonly Uint8Array[];
  readonly ended: boolean;
}

/** A scan or drain under way. */
export interface SubjectScan {
  /** At most `room` further entries, or an errno. Not called again once it has ended. */
  step(room: number): ScanStep | number;
  /** Back to the start, before it has ended. */
  rewind(): void;
}

/** What a lookup of many keys gives: values of `valueSize` bytes each, zeros for absent keys. */
export interface ManyFound {
  readonly hits: number;
  readonly found: readonly boolean[];
  readonly values: Uint8Array;
}

/** The statistics that a replay compares; the last three are the most that one call has done so far. */
export interface SubjectStats {
  readonly count: number;
  readonly maxSplits: number;
  readonly maxMerges: number;
  readonly maxMoved: number;
}

/** A map as {@link replay} sees it: byte strings and errnos (0: done). {@link openSubject} makes one of a map of this library. */
export interface Subject extends ReferenceMapOptions {
  /** true when the address of an entry holds until the entry is deleted, as in `hash` and `array` */
  readonly stableAddresses: boolean;
  readonly size: number;
  /** `ttl`: ms until the entry expires, by default what the map says; only where entries expire. */
  update(key: Uint8Array, value: Uint8Array, flags: number, ttl?: number): number;
  /** Adds to a value; only where values are numbers, one for each key. */
  add(key: Uint8Array, by: number): number;
  remainingTtl(key: Uint8Array): number;
  /** Moves the clock on, by so many ms; nothing else does. */
  advance(ms: number): void;
  /** Sweeps so many buckets; 0: as many as a tick of the host does. */
  sweep(buckets: number): void;
  lookup(key: Uint8Array): Uint8Array | undefined;
  has(key: Uint8Array): boolean;
  delete(key: Uint8Array): number;
  /** The value, or an errno. */
  lookupAndDelete(key: Uint8Array): Uint8Array | number;
  /** The first key without an argument. */
  nextKey(key?: Uint8Array): Uint8Array | undefined;
  /** @param keys `count` keys without gaps */
  lookupMany(keys: Uint8Array, count: number): ManyFound;
  scan(): SubjectScan;
  drain(): SubjectScan;
  /** Takes everything at once, `room` entries at a time. */
  drainAll(room: number): ScanStep;
  /**
   * Runs a filter over everything, which deletes the entries whose value begins with a byte below `remove`: what it has seen, or an errno.
   * EOPNOTSUPP: this map has no runs.
   */
  process(remove: number): ScanStep | number;
  entries(): Iterator<readonly [Uint8Array, Uint8Array]>;
  /** Where the value of a key is, 0 when absent. */
  address(key: Uint8Array): number;
  /** The memory at an address; read before the next call. */
  bytesAt(address: number, length: number): Uint8Array;
  section(body: () => void): void;
  clear(): number;
  freeze(): number;
  grow(maxEntries: number): number;
  memoryUsage(): number;
  stats(): SubjectStats;
  /** Closes the map; bytes that it still takes. */
  close(): number;
}

/**
 * A map to make for a replay: sizes in bytes, `flags`, `mapExtra` and `absentFilter` as in a map spec. With `numbers`, keys of 4 or 8 bytes are
 * u32 or u64, values of 1, 2, 4 or 8 bytes u8, u16, u32 or u53.
 */
export interface SubjectSpec extends ReferenceMapOptions {
  readonly type: ReferenceType;
  readonly flags?: number;
  readonly mapExtra?: number;
  readonly absentFilter?: boolean;
}

/** 0 when `call` returns, the errno when it throws a BpfError; other errors pass. */
function errnoOf(call: () => unknown): number {
  try {
    call();
    return 0;
  } catch (error) {
    if (error instanceof BpfError) return error.errno;
    throw error;
  }
}

/** The value that every slot of a per-CPU value holds. */
function sameSlots(slots: readonly Uint8Array[]): Uint8Array {
  const [first, ...others] = slots as [Uint8Array];
  for (const slot of others) expectBytes("every slot", first, slot);
  return first;
}

class MapSubject implements Subject {
  readonly type: ReferenceType;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly eviction: Eviction | undefined;
  readonly ttl: number | undefined;
  readonly ttlResolution: number | undefined;
  readonly updateAgeOnGet: boolean | undefined;
  readonly numbers: boolean;
  readonly stableAddresses: boolean;
  readonly #host: Host;
  readonly #map: HashMap<unknown, unknown>;
  /** Slots of a value, and bytes from one to the next. All slots of a value hold the same. */
  readonly #slots: number;
  readonly #stride: number;
  readonly #keys: Form;
  readonly #values: Form;
  readonly #bytesBefore: number;

  constructor(host: Host, spec: SubjectSpec) {
    const { type, keySize, valueSize, maxEntries, eviction, flags, mapExtra, absentFilter } = spec;
    const { ttl, ttlResolution, updateAgeOnGet, numbers = false } = spec;
    this.type = type;
    this.keySize = keySize;
    this.valueSize = valueSize;
    this.eviction = eviction;
    this.ttl = ttl;
    this.ttlResolution = ttlResolution;
    this.updateAgeOnGet = updateAgeOnGet;
    this.#slots = this.#perCpu ? host.cpus : 1;
    this.#stride = this.#perCpu ? roundUp8(valueSize) : valueSize;
    this.stableAddresses = type !== "rhash";
    this.#keys = type === "array" ? indexForm : (numbers ? numberKeys : plainForm)(keySize);
    const number = numbers ? numberValues(valueSize) : undefined;
    this.#values = number ?? plainForm(valueSize);
    this.numbers = number !== undefined;
    this.#host = host;
    this.#bytesBefore = host.memoryUsage().bytes;
    const map = host.createMap({
      type,
      key: this.#keys.codec,
      value: this.#values.codec,
      maxEntries,
      flags,
      mapExtra,
      absentFilter,
      eviction,
      ttl,
      ttlResolution,
      updateAgeOnGet,
    });
    this.maxEntries = map.info.maxEntries;
    // What an array cannot do throws, as the kernel answers.
    this.#map = map as unknown as HashMap<unknown, unknown>;
  }

  get size(): number {
    return this.#map.size;
  }

  get #perCpu(): boolean {
    return this.type === "lru_percpu_hash" || this.type === "percpu_hash";
  }

  #key(key: Uint8Array): unknown {
    return this.#keys.of(key);
  }

  update(key: Uint8Array, value: Uint8Array, flags: number, ttl?: number): number {
    // Both ways to say the same; which one depends on the value alone, so that a shrunk sequence takes the same way.
    const one = this.#values.of(value);
    const given = this.#perCpu ? new Array(this.#slots).fill(one) : one;
    if (ttl !== undefined) return errnoOf(() => this.#map.set(this.#key(key), given, { ttl }));
    if (flags === BPF_ANY && value[0]! % 2 === 0) return errnoOf(() => this.#map.set(this.#key(key), given));
    return errnoOf(() => this.#map.update(this.#key(key), given, flags));
  }

  add(key: Uint8Array, by: number): number {
    return errnoOf(() => (this.#map as HashMap<unknown, number>).add(this.#key(key), by));
  }

  remainingTtl(key: Uint8Array): number {
    return this.#map.remainingTtl(this.#key(key));
  }

  advance(ms: number): void {
    const { clock, expiry } = this.#host;
    // Without the sweep of `tick`, which would hide what calls see of the dead.
    expiry.tick(clock.advance(clock.now() + ms));
  }

  sweep(buckets: number): void {
    if (buckets === 0) this.#host.tick();
    else this.#map.sweep(buckets);
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    return this.#value(this.#map.get(this.#key(key)));
  }

  has(key: Uint8Array): boolean {
    return this.#map.has(this.#key(key));
  }

  delete(key: Uint8Array): number {
    let deleted = false;
    const errno = errnoOf(() => {
      deleted = this.#map.delete(this.#key(key));
    });
    return errno === 0 && !deleted ? ERRNO.ENOENT : errno;
  }

  lookupAndDelete(key: Uint8Array): Uint8Array | number {
    let value: Uint8Array | undefined;
    const errno = errnoOf(() => {
      value = this.#value(this.#map.lookupAndDelete(this.#key(key)));
    });
    return errno === 0 ? (value ?? ERRNO.ENOENT) : errno;
  }

  nextKey(key?: Uint8Array): Uint8Array | undefined {
    const next = this.#map.nextKey(key === undefined ? undefined : this.#key(key));
    return next === undefined ? undefined : this.#keys.back(next);
  }

  lookupMany(keys: Uint8Array, count: number): ManyFound {
    // What is not written shows up as a value that is not zero.
    const values = new Uint8Array(count * this.#slots * this.#stride).fill(0xdb);
    const hits = this.#map.lookupMany(keys, values);
    const found: boolean[] = [];
    for (let i = 0; i < count; i++) found.push(this.#map.found(i));
    if (!this.#perCpu) return { hits, found, values };
    const whole = new Uint8Array(count * this.valueSize);
    for (let i = 0; i < count; i++) whole.set(this.#packed(values, i), i * this.valueSize);
    return { hits, found, values: whole };
  }

  scan(): SubjectScan {
    return this.#batch((batch) => this.#map.lookupBatch(batch));
  }

  drain(): SubjectScan {
    return this.#batch((batch) => this.#map.lookupAndDeleteBatch(batch));
  }

  *entries(): Iterator<readonly [Uint8Array, Uint8Array]> {
    for (const [key, value] of this.#map.entries()) yield [this.#keys.back(key), this.#value(value)!];
  }

  drainAll(room: number): ScanStep {
    const entries = [...this.#map.drain({ size: room })];
    const keys = entries.map(([key]) => this.#keys.back(key));
    return { keys, values: entries.map(([, value]) => this.#value(value)!), ended: true };
  }

  process(remove: number): ScanStep | number {
    const keys: Uint8Array[] = [];
    const values: Uint8Array[] = [];
    const filter = (entry: Entry<unknown, unknown>): number => {
      const { key, value } = entry.copy();
      const bytes = this.#value(value)!;
      keys.push(this.#keys.back(key));
      values.push(bytes);
      return bytes[0]! < remove ? ACT_DELETE : ACT_KEEP;
    };
    const errno = errnoOf(() => this.#map.process({ filter }));
    return errno === 0 ? { keys, values, ended: true } : errno;
  }

  address(key: Uint8Array): number {
    return this.#map.lookup(this.#key(key));
  }

  bytesAt(address: number, length: number): Uint8Array {
    return this.#host.u8.subarray(address, address + length);
  }

  section(body: () => void): void {
    this.#host.section(body);
  }

  clear(): number {
    return errnoOf(() => this.#map.clear());
  }

  freeze(): number {
    return errnoOf(() => this.#map.freeze());
  }

  grow(maxEntries: number): number {
    return errnoOf(() => this.#map.grow(maxEntries));
  }

  memoryUsage(): number {
    return this.#map.memoryUsage();
  }

  stats(): SubjectStats {
    const { entries, maxPerCall } = this.#map.stats();
    return {
      count: entries,
      maxSplits: maxPerCall.splits,
      maxMerges: maxPerCall.merges,
      maxMoved: maxPerCall.movedEntries,
    };
  }

  close(): number {
    this.#map.close();
    return this.#host.memoryUsage().bytes - this.#bytesBefore;
  }

  /** A value as the map gives it. */
  #value(value: unknown): Uint8Array | undefined {
    if (value === undefined) return undefined;
    if (!this.#perCpu) return this.#values.back(value);
    return sameSlots((value as unknown[]).map((slot) => this.#values.back(slot)));
  }

  /** Value number `i` of packed ones. */
  #packed(values: Uint8Array, i: number): Uint8Array {
    const first = i * this.#slots * this.#stride;
    const slots = Array.from({ length: this.#slots }, (_, slot) => {
      const at = first + slot * this.#stride;
      return values.slice(at, at + this.valueSize);
    });
    return sameSlots(slots);
  }

  #batch(next: (batch: Batch<unknown, unknown>) => boolean): SubjectScan {
    const batch = this.#map.createBatch(MAX_ROOM);
    return {
      step: (room) => {
        batch.count = room;
        let more = false;
        const errno = errnoOf(() => {
          more = next(batch);
        });
        if (errno !== 0) return errno;
        const keys: Uint8Array[] = [];
        const values: Uint8Array[] = [];
        for (let i = 0; i < batch.count; i++) {
          keys.push(this.#keys.back(batch.key(i)));
          values.push(this.#packed(batch.values, i));
        }
        if (!more) batch.close();
        return { keys, values, ended: !more };
      },
      rewind: () => batch.rewind(),
    };
  }
}

/**
 * Makes a map on a host and shows it as a replay needs it: keys and values are the codec `bytes(n)`, errors become errnos. The keys
 * of an array have 4 bytes. Where entries expire, the host has a clock that stands still: `createHost({ clock: () => 0 })`.
 *
 * @throws BpfError when the map is refused
 * @example
 * ```ts
 * import { createHost } from "bpfmap";
 * import { openSubject } from "bpfmap/testing";
 *
 * const subject = openSubject(createHost(), { type: "hash", keySize: 1, valueSize: 1, maxEntries: 1 });
 * console.log(subject.update(Uint8Array.of(1), Uint8Array.of(2), 2)); // 2: ENOENT, the flag asks for an entry
 * console.log(subject.close()); // 0 bytes left
 * ```
 */
export function openSubject(host: Host, spec: SubjectSpec): Subject {
  return new MapSubject(host, spec);
}
