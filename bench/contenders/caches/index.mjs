import { CONTENDERS } from "../index.mjs";

/**
 * Caches, ours first. Of each:
 *
 * - `title`;
 * - `load({ seed, note })`: a function that opens one: `open({ capacity, kind })`, with `kind` of bench/data/cache_keys.mjs, one of
 *   `kinds` if it has them. What it gives has `get` and `set`, perhaps `close`; values are numbers, never undefined. With `ownLoops`
 *   it has the loops of bench/workloads/cache instead, and `ownNs` says what the last of them took;
 * - `bytesOf(cache)`, where it says what it takes;
 * - `exact`: it must have exactly the hits of LRU;
 * - `evicts: false`: it refuses new keys when it is full;
 * - `mostEntries`, where more would take too long.
 */
export const CACHES = {
  bpfmap: async () => (await import("./bpfmap.mjs")).value,
  "bpfmap-recency": async () => (await import("./bpfmap.mjs")).recency,
  "bpfmap-hash": async () => (await import("./bpfmap.mjs")).hash,
  "lru-cache": async () => (await import("./packages.mjs")).lruCache,
  mnemonist: async () => (await import("./packages.mjs")).mnemonist,
  "quick-lru": async () => (await import("./packages.mjs")).quickLru,
  ttlcache: async () => (await import("./packages.mjs")).ttlCache,
  "js-map": async () => (await import("./packages.mjs")).jsMap,
  "kernel-lru": () => import("./kernel_lru.mjs"),
};

/** Those that run nowhere else. */
export const ONLY_CACHES = Object.keys(CACHES).filter((name) => !(name in CONTENDERS));
