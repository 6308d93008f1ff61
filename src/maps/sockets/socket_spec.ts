import type { Codec } from "../../codec/codec.ts";
import type { LowWater } from "../../core/tables/map_types.ts";
import type { SockHash } from "./sock_hash.ts";
import type { SockMap } from "./sock_map.ts";

/** What {@link createMap} makes a sockmap from. Values are objects of type `V`: they have no codec. */
export interface SockMapSpec<V extends object> {
  readonly type: "sockmap";
  /** As in {@link MapSpec}. */
  readonly name?: string | undefined;
  /** The keys are the indices 0..maxEntries - 1. */
  readonly key?: Codec<number> | undefined;
  /** Limit of the indices, 1..2^31. It allocates nothing: the table grows with its entries. */
  readonly maxEntries: number;
  /** `BPF_F_RDONLY`, `BPF_F_WRONLY`, `BPF_F_NUMA_NODE`. */
  readonly flags?: number | undefined;
  /** When and how to grow. An index that is too large asks for it, too. */
  readonly lowWater?: LowWater<SockMap<V>> | undefined;
}

/** What {@link createMap} makes a sockhash from. Values are objects of type `V`: they have no codec. */
export interface SockHashSpec<K, V extends object> {
  readonly type: "sockhash";
  /** As in {@link MapSpec}. */
  readonly name?: string | undefined;
  /** Layout of the keys, up to 512 bytes. */
  readonly key: Codec<K>;
  /** Limit of the entry count, 1..2^31. It allocates nothing: the table grows with its entries. */
  readonly maxEntries: number;
  /** `BPF_F_RDONLY`, `BPF_F_WRONLY`, `BPF_F_NUMA_NODE`. */
  readonly flags?: number | undefined;
  /** When and how to grow. */
  readonly lowWater?: LowWater<SockHash<K, V>> | undefined;
}

/** What {@link Host.open} needs to know of a pinned sockmap. */
export interface OpenSockMapSpec {
  readonly type: "sockmap";
  readonly key?: Codec<number> | undefined;
}

/** What {@link Host.open} needs to know of a pinned sockhash. */
export interface OpenSockHashSpec<K> {
  readonly type: "sockhash";
  readonly key: Codec<K>;
}
