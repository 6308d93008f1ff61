/**
 * What kinds of maps there are, and what is said of each.
 *
 * @module
 */

/**
 * Types of maps with one value per key, in bpftool's words. `hash` never grows beyond what it was made for and never moves an
 * entry; `rhash` (`BPF_MAP_TYPE_RHASH`) follows its entry count in both directions.
 */
export type HashType = "hash" | "rhash";

/**
 * Types of maps whose values are bytes. `array` has the keys 0..maxEntries - 1, all there from the start with a value of zeros. The `percpu_` types
 * have a value for each CPU of the host under every key.
 */
export type MapType = HashType | EvictionType | "percpu_hash" | "array" | "percpu_array";

/** Types of maps that are never full: at `maxEntries` an insert evicts an entry that has not been used for long. Otherwise as a `hash`. */
export type EvictionType = "lru_hash" | "lru_percpu_hash";

/**
 * Which entry goes: with `value` what was read again and again stays longer than what was read once, as recently as it was; `recency`
 * goes by the last use alone, as an LRU does.
 */
export type Eviction = "value" | "recency";

/** When entries of a map expire. */
export interface Expiry {
  /** ms after they were written; 0: never, unless `set` says so. */
  readonly ttl: number;
  /** ms: expiry is a number of such units, rounded up. */
  readonly resolution: number;
  /** Whether a `get` lets the ttl begin anew. */
  readonly renews: boolean;
}

/** Why an entry went that nobody had deleted. */
export type EvictionReason = "evict" | "expire";

// The type of a method: what is a map of numbers is then a map of unknown values, too.
/** Is told of entries that nobody had deleted. */
export type EvictionHook<K, V> = { onEvict(key: K, value: V, reason: EvictionReason): void }["onEvict"];

/**
 * A hook that makes room before a map is full. It is called when an insert is about to leave fewer than `free` slots free, from
 * within that operation: before it, or a later one, can fail for want of room.
 *
 * Once for each crossing: when the hook does not grow the map, inserts go on to the limit without calling it again, until deletes
 * have led back to the mark. A map that has grown has another mark, further on. In a sockmap an index beyond the end crosses it, too,
 * and is then tried again. In an array the slots are free from the highest index written on: the first write to one of the last
 * `free` indices crosses the mark, and so does one beyond the end, which is then tried again. It is not crossed again until the
 * array has grown or was cleared.
 */
export type LowWater<M> = {
  /** The mark, in slots: 1..maxEntries. */
  readonly free: number;
  /**
   * Typically `(map) => map.grow(2 * map.info.maxEntries)`. It may use the map as anybody may; while it runs, it is not called.
   * What it throws, the operation throws, having changed nothing, and the next one calls it again.
   */
  grow(map: M): void;
};

/** What the kernel calls `bpf_map_info`. */
export interface MapInfo {
  /** Counts up from 1 per host. */
  readonly id: number;
  readonly type: AnyMapType;
  readonly name: string;
  /** Bytes. */
  readonly keySize: number;
  /** Bytes; of the `percpu_` types, of one CPU's value. */
  readonly valueSize: number;
  readonly maxEntries: number;
  /** Flags of the map; `BPF_F_RDONLY` and `BPF_F_WRONLY` belong to a handle and are not among them. */
  readonly flags: number;
  readonly mapExtra: number;
  /** true of a map with a filter of absent keys, which the kernel has none of. */
  readonly absentFilter?: true;
  /** Of the types that evict: which entry goes. The kernel has no such choice. */
  readonly eviction?: Eviction;
  /** ms, of a map whose entries expire: how long they stay when `set` says nothing else; 0: for good. The kernel's maps have no such thing. */
  readonly ttl?: number;
}

/** The name of a special field that values have; undefined without one. */
export function specialOf(
  map: Pick<MapAttributes, "lockOffset" | "timerOffset" | "workqueueOffset">,
): "spinLock" | "timer" | "workqueue" | undefined {
  if (map.lockOffset !== undefined) return "spinLock";
  if (map.timerOffset !== undefined) return "timer";
  return map.workqueueOffset === undefined ? undefined : "workqueue";
}

/** Types of maps whose values are objects of the thread that made the map: by index, and by key. */
export type SocketMapType = "sockmap" | "sockhash";

/** All map types. */
export type AnyMapType = MapType | SocketMapType;

/** The attributes of MAP_CREATE, as the kernel sees them. */
export interface MapAttributes {
  readonly type: AnyMapType;
  readonly name: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly mapExtra: number;
  /** Where the `bpf_spin_lock`, the `bpf_timer` and the `bpf_wq` of the value are, in bytes. */
  readonly lockOffset?: number | undefined;
  readonly timerOffset?: number | undefined;
  readonly workqueueOffset?: number | undefined;
  /** Of maps that the kernel knows nothing of: whether they have a filter of absent keys. */
  readonly absentFilter?: boolean | undefined;
  /** Of types that evict: which entry goes. Default `value`. */
  readonly eviction?: Eviction | undefined;
  /** Of hash-like maps: when entries expire. Default: never. */
  readonly expiry?: Expiry | undefined;
  /** Whether keys are texts that take only the bytes that they have; `keySize` is their room. Default false. */
  readonly texts?: boolean;
  /** With BPF_F_NUMA_NODE: the node, or {@link NUMA_NO_NODE}. Default 0. */
  readonly numaNode?: number;
}
