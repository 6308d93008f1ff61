import type { Codec } from "../codec/codec.ts";
import type { Eviction, EvictionHook, EvictionType, LowWater, MapType } from "../core/tables/map_types.ts";
import type { MapOf } from "./map_of.ts";

/** What {@link createMap} makes a map from. */
export interface MapSpec<K, V, T extends MapType = MapType, N extends string = string> {
  readonly type: T;
  /** At most 15 characters of `[A-Za-z0-9_.]`, for messages and listings. Default `""`. */
  readonly name?: string | undefined;
  /**
   * Layout of the keys. Keys are compared by their bytes: of the floats, 0 and -0 are two keys and NaN is one (JavaScript's
   * `Map` has one zero). Of a hash, rhash or lru_hash, `text` are strings of any length. The keys of arrays are `u32`.
   */
  readonly key: Codec<K>;
  /** Layout of the values; of the `percpu_` types, of one CPU's value. */
  readonly value: Codec<V, N>;
  /**
   * Limit of the entry count, 1..2^27 or 1..2^31 (rhash); of arrays, the length. All but an rhash allocate everything at once. `grow`
   * raises that of an rhash or an array.
   */
  readonly maxEntries: number;
  /** `BPF_F_*`. An rhash sets `BPF_F_NO_PREALLOC` itself. */
  readonly flags?: number | undefined;
  /** rhash: how many entries to be ready for at the start, up to 65535 and `maxEntries`. */
  readonly mapExtra?: number | undefined;
  /** rhash, arrays: makes room before the map is full. */
  readonly lowWater?: LowWater<MapOf<T, K, V, N>> | undefined;
  /**
   * hash, rhash with keys of 4 bytes and values of at most 8, on hosts that are not shared: whether the map keeps 32 bits for each
   * bucket that tell most absent keys without a look at it. For maps of some 20,000 entries and more where a third of the `get` calls
   * or more miss: those take half the time in large maps, others and inserts up to a third more, and an entry 0.6 bytes more. Default false.
   */
  readonly absentFilter?: boolean | undefined;
  /**
   * lru_hash, lru_percpu_hash: bytes that the map may take when it is full. It makes `maxEntries` smaller, as far as that is necessary;
   * `info.maxEntries` is what came of it.
   */
  readonly maxBytes?: number | undefined;
  /** lru_hash, lru_percpu_hash: which entry goes when a new one needs its place. Default `value`. */
  readonly eviction?: Eviction | undefined;
  /**
   * All but arrays: ms after which an entry expires, unless `set` says another time; 0: only those expire of which it does. An entry that has
   * expired is absent to every call. Default: nothing expires, and an entry takes no room for when it does. See `docs/guide/expiry.md`.
   */
  readonly ttl?: number | undefined;
  /**
   * With `ttl`: ms, a whole number up to 1000. Entries expire at multiples of it, at most that much late and never early. Default 10, with which a ttl
   * may last 497 days.
   */
  readonly ttlResolution?: number | undefined;
  /** With `ttl`: whether a `get` lets the ttl of the map begin anew for what it finds. Default false. */
  readonly updateAgeOnGet?: boolean | undefined;
  /** lru_hash, lru_percpu_hash: is told what went, once the operation that it went for is done. It may use the map. */
  readonly onEvict?: EvictionHook<K, T extends "lru_percpu_hash" ? V[] : V> | undefined;
}

/** What {@link createMap} makes a map from that evicts, and whose limit is one of bytes alone. */
export interface SizedMapSpec<K, V, T extends EvictionType = EvictionType, N extends string = string>
  extends Omit<MapSpec<K, V, T, N>, "maxEntries" | "maxBytes"> {
  readonly maxEntries?: undefined;
  readonly maxBytes: number;
}

/** What {@link Host.open} needs to know of a pinned map. */
export interface OpenSpec<K, V, T extends MapType, N extends string = string> {
  readonly key: Codec<K>;
  readonly value: Codec<V, N>;
  readonly type?: T | undefined;
  /**
   * rhash, arrays: called when this thread crosses the mark. `free` must be that of the map when it has one. On a shared host the
   * thread that crosses a mark calls its hook; one that has none leaves it to the next that has.
   */
  readonly lowWater?: LowWater<MapOf<T, K, V, N>> | undefined;
  /** lru_hash, lru_percpu_hash: is told what this thread evicts. */
  readonly onEvict?: EvictionHook<K, T extends "lru_percpu_hash" ? V[] : V> | undefined;
}
