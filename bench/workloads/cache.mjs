// Maps that evict beside the caches of npm and the kernel's LRU: what they keep, what a call costs, what an entry takes.
import { CACHES } from "../contenders/caches/index.mjs";
import { measureMemory } from "./cache/memory.mjs";
import { measureOperations } from "./cache/operations.mjs";
import { replayLoads } from "./cache/replays.mjs";

export const name = "cache";
export const title = "caches: hit ratios, get, set that evicts, bytes per entry";
/** Entries of the caches whose calls and bytes are measured; those of the loads have shares of their keys. */
export const defaultSizes = [500, 100_000, 1_000_000];
export const options = {
  keys: { type: "integer", default: 1_000_000, help: "keys of the loads, which are read four times each" },
};

export async function run(context) {
  const caches = await loadCaches(context);
  const parts = [];
  for (const measure of [replayLoads, measureOperations, measureMemory]) {
    if (!context.stopped) parts.push(await measure(caches, context));
  }
  const [{ fingerprint }] = parts;
  for (const part of parts.slice(1)) fingerprint.add(`${part.fingerprint}`);
  return {
    parameters: { keys: context.options.keys, queries: context.queries },
    fingerprint: `${fingerprint}`,
    measurements: parts.flatMap(({ measurements }) => measurements),
    notes: parts.flatMap(({ notes }) => notes),
  };
}

/** The caches that take part. */
async function loadCaches({ contenders = Object.keys(CACHES), seed, note, skip }) {
  const caches = [];
  for (const name of contenders) {
    try {
      if (!(name in CACHES)) throw new Error("is no cache");
      const cache = await CACHES[name]();
      caches.push({ ...cache, name, open: await cache.load({ seed, note }) });
    } catch (error) {
      if (name === "bpfmap") throw error;
      skip(name, error.message);
    }
  }
  return caches;
}
