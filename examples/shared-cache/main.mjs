// A cache that workers share, of which the main thread throws out what is old: node examples/shared-cache/main.mjs
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { createHost } from "bpfmap";
import { CACHE, CLOCK, ROUND, STATS, STOP } from "./maps.mjs";

const WORKERS = 3;
const MOST = 30_000;
const ROUNDS = 20;
/** Rounds that an entry stays. */
const AGE = 5;

const host = createHost({ shared: true, cpus: WORKERS + 1, maxMemory: 64 * 1024 * 1024 });
const cache = host.createMap({ ...CACHE, name: "cache", maxEntries: MOST });
const clock = host.createMap({ ...CLOCK, name: "clock", maxEntries: 2 });
const stats = host.createMap({ ...STATS, name: "stats", maxEntries: 1 });
host.pin("/cache", cache);
host.pin("/clock", clock);
host.pin("/stats", stats);

/** Deletes old entries, also while workers read them: a reader gets all of a value or none of it. */
function evict(round) {
  let evicted = 0;
  for (const [page, entry] of cache) {
    if (round - entry.round > AGE && cache.delete(page)) evicted++;
  }
  return evicted;
}

const workers = Array.from({ length: WORKERS }, () =>
  host.watch(new Worker(new URL("worker.mjs", import.meta.url), { workerData: host.share() })),
);
const ends = workers.map((worker) => once(worker, "exit"));
const atWork = () => stats.get(0).filter(({ misses }) => misses > 0).length;
while (atWork() < WORKERS) await setTimeout(1);

let evicted = 0;
let largest = 0;
for (let round = 1; round <= ROUNDS; round++) {
  clock.set(ROUND, round);
  evicted += evict(round);
  largest = Math.max(largest, cache.size);
  // The others do not notice: whatever it had locked is free when terminate() is over.
  if (round === ROUNDS / 2) await workers[0].terminate();
  await setTimeout(25);
}
clock.set(STOP, 1);
await Promise.all(ends);

for (const [cpu, { hits, misses, refused }] of stats.get(0).entries()) {
  if (cpu === host.cpu) continue;
  const rate = ((100 * hits) / (hits + misses)).toFixed(1);
  console.log(`CPU ${cpu}: ${hits + misses} pages, ${rate}% from the cache, ${refused} not kept: full`);
}
console.log(`evicted ${evicted}; at most ${MOST} entries: ${largest <= MOST}`);
console.log(`problems in the map: ${cache.verify().length}`);
cache.clear();
console.log(`memory given back: ${cache.memoryUsage() < 10_000}`);
host.close();

// Prints, with numbers for #:
// CPU 1: # pages, #% from the cache, # not kept: full
// CPU 2: # pages, #% from the cache, # not kept: full
// CPU 3: # pages, #% from the cache, # not kept: full
// evicted #; at most 30000 entries: true
// problems in the map: 0
// memory given back: true
