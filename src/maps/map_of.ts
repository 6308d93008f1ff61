import type { AnyMapType } from "../core/tables/map_types.ts";
import type { ArrayView } from "../ops/array_view.ts";
import type { ArrayMap } from "./array/array_map.ts";
import type { PercpuArrayMap } from "./array/percpu_array.ts";
import type { HashMap } from "./hash/hash_map.ts";
import type { PercpuHashMap } from "./hash/percpu_hash.ts";
import type { SockHash } from "./sockets/sock_hash.ts";
import type { SockMap } from "./sockets/sock_map.ts";

/** What {@link createMap} makes of each type. */
export interface MapTypes<K, V, N extends string = string> {
  sockmap: SockMap<V>;
  sockhash: SockHash<K, V>;
  hash: HashMap<K, V>;
  rhash: HashMap<K, V>;
  lru_hash: HashMap<K, V>;
  percpu_hash: PercpuHashMap<K, V>;
  lru_percpu_hash: PercpuHashMap<K, V>;
  array: ArrayMap<V, ArrayView<V, N>>;
  percpu_array: PercpuArrayMap<V, ArrayView<V, N>>;
}

/**
 * The map of type `T` with keys `K` and values `V`; of the `percpu_` types, `V` is the value of one CPU. `N` is the name of the
 * values' codec, which says what an array is seen as by `view()`.
 */
export type MapOf<T extends AnyMapType, K, V, N extends string = string> = MapTypes<K, V, N>[T];
