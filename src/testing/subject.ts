/** What a replay needs of a map, and how it gets that from the typed API. */
import { bytes, type Codec, u32 } from "../codec/index.ts";
import { BPF_ANY } from "../constants.ts";
import type { Eviction } from "../core/tables/map_types.ts";
import { roundUp8 } from "../core/tables/registry.ts";
import { BpfError, ERRNO } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { HashMap } from "../maps/hash/hash_map.ts";
import type { Batch } from "../ops/batch/batch.ts";
import { expectBytes } from "./divergence.ts";
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
  update(key: Uint8Array, value: Uint8Array, flags: number): number;
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

/** A map to make for a replay: sizes in bytes, `flags`, `mapExtra` and `absentFilter` as in a map spec. */
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

function indexOf(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset).getUint32(0, true);
}

/** A key of a map as bytes. */
function bytesOf(key: unknown): Uint8Array {
  return typeof key === "number" ? new Uint8Array(Uint32Array.of(key).buffer) : (key as Uint8Array);
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
  readonly stableAddresses: boolean;
  readonly #host: Host;
  readonly #map: HashMap<unknown, unknown>;
  /** Slots of a value, and bytes from one to the next. All slots of a value hold the same. */
  readonly #slots: number;
  readonly #stride: number;
  /** A key as the map takes it. */
  readonly #key: (key: Uint8Array) => unknown;
  readonly #bytesBefore: number;

  constructor(host: Host, spec: SubjectSpec) {
    const { type, keySize, valueSize, maxEntries, eviction, flags, mapExtra, absentFilter } = spec;
    this.type = type;
    this.keySize = keySize;
    this.valueSize = valueSize;
    this.eviction = eviction;
    this.#slots = this.#perCpu ? host.cpus : 1;
    this.#stride = this.#perCpu ? roundUp8(valueSize) : valueSize;
    this.stableAddresses = type !== "rhash";
    const isArray = type === "array";
    this.#key = isArray ? indexOf : (key) => key;
    this.#host = host;
    this.#bytesBefore = host.memoryUsage().bytes;
    const map = host.createMap({
      type,
      key: (isArray ? u32 : bytes(keySize)) as Codec<unknown>,
      value: bytes(valueSize),
      maxEntries,
      flags,
      mapExtra,
      absentFilter,
      eviction,
    });
    this.maxEntries = map.info.maxEntries;
    // What an array cannot do throws, as the kernel answers.
    this.#map = map as unknown as HashMap<unknown, unknown>;
  }

  get size(): number {
    return this.#map.size;
  }

  get #perCpu(): boolean {
    return this.type === "lru_percpu_hash";
  }

  update(key: Uint8Array, value: Uint8Array, flags: number): number {
    // Both ways to say the same; which one depends on the value alone, so that a shrunk sequence takes the same way.
    const given = this.#perCpu ? new Array(this.#slots).fill(value) : value;
    if (flags === BPF_ANY && value[0]! % 2 === 0) return errnoOf(() => this.#map.set(this.#key(key), given));
    return errnoOf(() => this.#map.update(this.#key(key), given, flags));
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
    return next === undefined ? undefined : bytesOf(next);
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
    for (const [key, value] of this.#map.entries()) yield [bytesOf(key), this.#value(value)!];
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
    return this.#perCpu && value !== undefined ? sameSlots(value as Uint8Array[]) : (value as Uint8Array);
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
          keys.push(bytesOf(batch.key(i)));
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
 * of an array have 4 bytes.
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
