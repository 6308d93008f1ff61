// An lru_hash, and the hash that it is compared with, which refuses what a cache evicts for.
import { f64, text, u32 } from "../../../dist/index.js";
import { benchHost } from "../bench_host.mjs";

const CODECS = { u32, text: text(32) };

const cacheOf = (title, spec) => ({
  title,
  load:
    ({ seed }) =>
    ({ capacity, kind }) =>
      benchHost(seed).createMap({ key: CODECS[kind], value: f64, maxEntries: capacity, ...spec }),
  bytesOf: (map) => map.memoryUsage(),
});

export const value = cacheOf("bpfmap, lru_hash", { type: "lru_hash" });
export const recency = cacheOf('bpfmap, lru_hash with eviction: "recency"', {
  type: "lru_hash",
  eviction: "recency",
});
export const hash = { ...cacheOf("bpfmap, hash: evicts nothing", { type: "hash" }), evicts: false };
