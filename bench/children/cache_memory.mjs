// One cache of the workload `cache`, full: bytes per entry. Keys are made as they are needed, so that only the cache has them.
import { CACHES } from "../contenders/caches/index.mjs";
import { cacheKey } from "../data/cache_keys.mjs";
import { answer } from "./answer.mjs";

/** Small caches are measured as many at once, or the noise of the heap is most of it. */
const LEAST_ENTRIES = 100_000;
/** Entries that compile what there is to compile. */
const WARM_UP = 1000;

function heapBytes() {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function fill(cache, kind, size) {
  if (cache.insert === undefined) for (let i = 0; i < size; i++) cache.set(cacheKey(kind, i), i);
  else cache.insert(Uint32Array.from({ length: size }, (_, i) => cacheKey(kind, i)));
}

answer(async ({ name, kind, size, seed }) => {
  const { load, bytesOf } = await CACHES[name]();
  const open = await load({ seed });
  const warm = open({ capacity: WARM_UP, kind });
  fill(warm, kind, WARM_UP);
  warm.close?.();
  const count = Math.ceil(LEAST_ENTRIES / size);
  const before = heapBytes();
  const caches = Array.from({ length: count }, () => open({ capacity: size, kind }));
  for (const cache of caches) fill(cache, kind, size);
  const own = bytesOf?.(caches[0]);
  const grown = (heapBytes() - before) / count;
  for (const cache of caches) cache.close?.();
  return (own ?? grown) / size;
});
