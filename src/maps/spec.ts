import type { Codec } from "../codec/codec.ts";

/**
 * Map types, in bpftool's words. `hash` never grows beyond what it was made for and never moves an entry; `rhash`
 * (`BPF_MAP_TYPE_RHASH`) follows its entry count in both directions.
 */
export type MapType = "hash" | "rhash";

/** What {@link createMap} makes a map from. */
export interface MapSpec<K, V> {
  readonly type: MapType;
  /** At most 15 characters of `[A-Za-z0-9_.]`, for messages and listings. Default `""`. */
  readonly name?: string | undefined;
  /**
   * Layout of the keys. Keys are compared by their bytes: of the floats, 0 and -0 are two keys and NaN is one (JavaScript's
   * `Map` has one zero).
   */
  readonly key: Codec<K>;
  /** Layout of the values. */
  readonly value: Codec<V>;
  /** Limit of the entry count, 1..2^27 (hash) or 1..2^31 (rhash). A hash allocates all entries at once. */
  readonly maxEntries: number;
  /** `BPF_F_*`. An rhash sets `BPF_F_NO_PREALLOC` itself. */
  readonly flags?: number | undefined;
  /** rhash: how many entries to be ready for at the start, up to 65535 and `maxEntries`. */
  readonly mapExtra?: number | undefined;
}

/** What the kernel calls `bpf_map_info`. */
export interface MapInfo {
  /** Counts up from 1 per host. */
  readonly id: number;
  readonly type: MapType;
  readonly name: string;
  /** Bytes. */
  readonly keySize: number;
  /** Bytes. */
  readonly valueSize: number;
  readonly maxEntries: number;
  /** Flags of the map; `BPF_F_RDONLY` and `BPF_F_WRONLY` belong to a handle and are not among them. */
  readonly flags: number;
  readonly mapExtra: number;
}
