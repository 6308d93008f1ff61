// Caches of npm, and the one that a program writes itself: each in the form that a careful user would give it.
import { requirePeer } from "../../peers/install.mjs";
import { MapLru } from "./map_lru.mjs";

export const lruCache = {
  title: "lru-cache (npm)",
  exact: true,
  load() {
    const { LRUCache } = requirePeer("lru-cache");
    return ({ capacity }) => new LRUCache({ max: capacity });
  },
};

export const mnemonist = {
  title: "mnemonist LRUMap (npm), typed where keys are numbers",
  exact: true,
  load() {
    const { LRUMap } = requirePeer("mnemonist");
    return ({ capacity, kind }) =>
      kind === "u32" ? new LRUMap(Uint32Array, Float64Array, capacity) : new LRUMap(capacity);
  },
};

export const quickLru = {
  title: "quick-lru (npm), which keeps up to twice as many entries as asked for",
  load() {
    const { default: QuickLRU } = requirePeer("quick-lru");
    return ({ capacity }) => new QuickLRU({ maxSize: capacity });
  },
};

/** So long that nothing expires meanwhile. */
const TTL_MS = 24 * 3600 * 1000;

export const ttlCache = {
  title: "@isaacs/ttlcache (npm), which evicts what expires first: here the oldest",
  // Each eviction goes over all milliseconds in which an entry expires: minutes for a million of them.
  mostEntries: 10_000,
  load() {
    const { TTLCache } = requirePeer("@isaacs/ttlcache");
    return ({ capacity }) => {
      const cache = new TTLCache({ max: capacity, ttl: TTL_MS });
      // Its timer would keep it alive.
      return Object.assign(cache, { close: () => cache.cancelTimer() });
    };
  },
};

export const jsMap = {
  title: "JS Map in the order of use: a get deletes and sets anew, the first key goes",
  exact: true,
  load:
    () =>
    ({ capacity }) =>
      new MapLru(capacity),
};
