import { type Batch, BpfError, createHost, type HashMap, type MapType, u32 } from "../../src/index.ts";

/** A map of any type with u32 keys and values, to run the same test on all of them. */
export interface AnyMap {
  /** Seen as a hash: what its type cannot do throws, as the kernel answers. */
  readonly map: HashMap<number, unknown>;
  /** The value that stands for a number: itself, or of per-CPU maps one value per CPU. */
  value(n: number): unknown;
  /** The number that add and addMany count in. */
  count(value: unknown): number;
}

export const CPUS = 3;
/** Small: an engine takes five times as long to make room for all that addresses reach. */
const MAX_MEMORY = 64 * 1024 * 1024;
export const HASHES: readonly MapType[] = ["hash", "rhash", "lru_hash", "percpu_hash", "lru_percpu_hash"];
export const ARRAYS: readonly MapType[] = ["array", "percpu_array"];
/** What an insert into a full map evicts from. */
export const EVICTING: readonly MapType[] = ["lru_hash", "lru_percpu_hash"];
export const EVERY_TYPE: readonly MapType[] = [...HASHES, ...ARRAYS];

/** Whether each key has a value for each CPU. */
export function isPerCpu(type: MapType): boolean {
  return type.includes("percpu");
}

/** Whether a full map of the type refuses a new key. */
export function refuses(type: MapType): boolean {
  return !EVICTING.includes(type);
}

export function openAny(type: MapType, maxEntries: number, name = "m"): AnyMap {
  const host = createHost({ seed: 7, cpus: CPUS, maxMemory: MAX_MEMORY });
  const map = host.createMap({ type, name, key: u32, value: u32, maxEntries });
  const perCpu = isPerCpu(type);
  return {
    map: map as unknown as HashMap<number, unknown>,
    value: (n) => (perCpu ? Array.from({ length: CPUS }, (_, cpu) => n + cpu) : n),
    count: (value) => (perCpu ? (value as number[])[0] : (value as number)),
  };
}

/** A batch with the keys and values of numbers. */
export function batchOf(
  { map, value }: AnyMap,
  entries: readonly (readonly [number, number])[],
): Batch<number, unknown> {
  const batch = map.createBatch(Math.max(1, entries.length));
  for (const [i, [key, n]] of entries.entries()) batch.set(i, key, value(n));
  batch.count = entries.length;
  return batch;
}

/** How many of `total` entries a call has done, and the errno that it threw. */
export function outcome(total: number, call: () => unknown): { done: number; errno: number } {
  try {
    call();
    return { done: total, errno: 0 };
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return { done: error.count ?? -1, errno: error.errno };
  }
}
