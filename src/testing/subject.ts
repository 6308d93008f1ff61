/** What a replay needs of a map, and how it gets that from the typed API. */
import { bytes } from "../codec/index.ts";
import { BPF_ANY } from "../constants.ts";
import { BpfError, ERRNO } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { Batch } from "../maps/batch.ts";
import type { HashMap } from "../maps/hash_map.ts";
import type { HashType } from "../maps/spec.ts";
import type { ReferenceMapOptions } from "./model.ts";
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
  /** true when the address of an entry holds until the entry is deleted, as in `hash` */
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
  memoryUsage(): number;
  stats(): SubjectStats;
  /** Closes the map; bytes that it still takes. */
  close(): number;
}

/** A map to make for a replay: sizes in bytes, `flags` and `mapExtra` as in a map spec. */
export interface SubjectSpec extends ReferenceMapOptions {
  readonly type: HashType;
  readonly flags?: number;
  readonly mapExtra?: number;
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

class MapSubject implements Subject {
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly stableAddresses: boolean;
  readonly #host: Host;
  readonly #map: HashMap<Uint8Array, Uint8Array>;
  readonly #bytesBefore: number;

  constructor(host: Host, spec: SubjectSpec) {
    const { type, keySize, valueSize, maxEntries, flags, mapExtra } = spec;
    this.keySize = keySize;
    this.valueSize = valueSize;
    this.maxEntries = maxEntries;
    this.stableAddresses = type === "hash";
    this.#host = host;
    this.#bytesBefore = host.memoryUsage().bytes;
    this.#map = host.createMap({
      type,
      key: bytes(keySize),
      value: bytes(valueSize),
      maxEntries,
      flags,
      mapExtra,
    });
  }

  get size(): number {
    return this.#map.size;
  }

  update(key: Uint8Array, value: Uint8Array, flags: number): number {
    // Both ways to say the same; which one depends on the value alone, so that a shrunk sequence takes the same way.
    if (flags === BPF_ANY && value[0]! % 2 === 0) return errnoOf(() => this.#map.set(key, value));
    return errnoOf(() => this.#map.update(key, value, flags));
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    return this.#map.get(key);
  }

  has(key: Uint8Array): boolean {
    return this.#map.has(key);
  }

  delete(key: Uint8Array): number {
    let deleted = false;
    const errno = errnoOf(() => {
      deleted = this.#map.delete(key);
    });
    return errno === 0 && !deleted ? ERRNO.ENOENT : errno;
  }

  lookupAndDelete(key: Uint8Array): Uint8Array | number {
    let value: Uint8Array | undefined;
    const errno = errnoOf(() => {
      value = this.#map.lookupAndDelete(key);
    });
    return errno === 0 ? (value ?? ERRNO.ENOENT) : errno;
  }

  nextKey(key?: Uint8Array): Uint8Array | undefined {
    return this.#map.nextKey(key);
  }

  lookupMany(keys: Uint8Array, count: number): ManyFound {
    // What is not written shows up as a value that is not zero.
    const values = new Uint8Array(count * this.valueSize).fill(0xdb);
    const hits = this.#map.lookupMany(keys, values);
    const found: boolean[] = [];
    for (let i = 0; i < count; i++) found.push(this.#map.found(i));
    return { hits, found, values };
  }

  scan(): SubjectScan {
    return this.#batch((batch) => this.#map.lookupBatch(batch));
  }

  drain(): SubjectScan {
    return this.#batch((batch) => this.#map.lookupAndDeleteBatch(batch));
  }

  entries(): Iterator<readonly [Uint8Array, Uint8Array]> {
    return this.#map.entries();
  }

  address(key: Uint8Array): number {
    return this.#map.lookup(key);
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

  #batch(next: (batch: Batch<Uint8Array, Uint8Array>) => boolean): SubjectScan {
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
          keys.push(batch.keys.slice(i * this.keySize, (i + 1) * this.keySize));
          values.push(batch.values.slice(i * this.valueSize, (i + 1) * this.valueSize));
        }
        if (!more) batch.close();
        return { keys, values, ended: !more };
      },
      rewind: () => batch.rewind(),
    };
  }
}

/**
 * Makes a map on a host and shows it as a replay needs it: keys and values are the codec `bytes(n)`, errors become errnos.
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
