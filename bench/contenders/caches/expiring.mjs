// Maps whose entries expire, ours first, in the form of the caches in index.mjs. Keys are u32. `open({ capacity, precise })`: with
// `precise` it sees at once that time was moved on, which costs lru-cache a look at the clock in each call. `tick` is to be called then.
import { f64, u32 } from "../../../dist/index.js";
import { requirePeer } from "../../peers/install.mjs";
import { benchHost } from "../bench_host.mjs";
import { clock } from "./clock.mjs";
import { MapExpiring } from "./map_expiring.mjs";

/** ms that an entry lives, unless time is moved on. */
export const TTL = 3_600_000;

const openMap =
  (spec) =>
  ({ seed }) =>
  ({ capacity }) =>
    benchHost(seed).createMap({ type: "hash", key: u32, value: f64, maxEntries: capacity, ...spec });

/** @type {Record<string, { expires?: boolean, seesTime?: boolean, load: Function, tick?: (seed: number) => void }>} */
export const EXPIRING = {
  bpfmap: {
    load: openMap({ ttl: TTL }),
    tick: (seed) => benchHost(seed).tick(performance.timeOrigin + clock.now()),
  },
  "bpfmap-hash": { expires: false, load: openMap({}) },
  "lru-cache": {
    load() {
      const { LRUCache } = requirePeer("lru-cache");
      return ({ capacity, precise }) =>
        new LRUCache({ max: capacity, ttl: TTL, perf: clock, ...(precise ? { ttlResolution: 0 } : {}) });
    },
  },
  // Its clock is that of the system.
  ttlcache: {
    seesTime: false,
    load() {
      const { TTLCache } = requirePeer("@isaacs/ttlcache");
      return () => {
        const cache = new TTLCache({ ttl: TTL });
        return Object.assign(cache, { close: () => cache.cancelTimer() });
      };
    },
  },
  "js-map": { load: () => () => new MapExpiring(TTL, clock) },
};
