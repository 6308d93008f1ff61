// A cache that workers share: node examples/shared-cache/main.mjs
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { createHost } from "bpfmap";
import { CACHE, STATS, STOP } from "./maps.mjs";

const WORKERS = 3;
const MOST = 10_000;
/** ms that a page is good for. */
const TTL = 200;
const ROUNDS = 20;

const host = createHost({ shared: true, cpus: WORKERS + 1, maxMemory: 64 * 1024 * 1024 });
const cache = host.createMap({ ...CACHE, name: "cache", maxEntries: MOST, ttl: TTL });
const stop = host.createMap({ ...STOP, name: "stop", maxEntries: 1 });
const stats = host.createMap({ ...STATS, name: "stats", maxEntries: 1 });
host.pin("/cache", cache);
host.pin("/stop", stop);
host.pin("/stats", stats);

const workers = Array.from({ length: WORKERS }, () =>
  host.watch(new Worker(new URL("worker.mjs", import.meta.url), { workerData: host.share() })),
);
const ends = workers.map((worker) => once(worker, "exit"));
const atWork = () => stats.get(0).filter(({ misses }) => misses > 0).length;
while (atWork() < WORKERS) await setTimeout(1);

let largest = 0;
for (let round = 1; round <= ROUNDS; round++) {
  largest = Math.max(largest, cache.size);
  // The others do not notice: whatever it had locked is free when terminate() is over.
  if (round === ROUNDS / 2) await workers[0].terminate();
  await setTimeout(25);
}
stop.set(0, 1);
await Promise.all(ends);

for (const [cpu, { hits, misses }] of stats.get(0).entries()) {
  if (cpu === host.cpu) continue;
  console.log(
    `CPU ${cpu}: ${hits + misses} pages, ${((100 * hits) / (hits + misses)).toFixed(1)}% from the cache`,
  );
}
const { evicted, expired } = cache.stats();
console.log(`evicted ${evicted}, expired ${expired}; never more than ${MOST} pages: ${largest <= MOST}`);
console.log(`problems in the map: ${cache.verify().length}`);

// All that is left is too old before long, whoever looks.
await setTimeout(2 * TTL);
host.tick();
console.log(`pages after ${2 * TTL} ms without a worker: ${[...cache.keys()].length}`);
host.close();

// Prints, with numbers for #:
// CPU 1: # pages, #% from the cache
// CPU 2: # pages, #% from the cache
// CPU 3: # pages, #% from the cache
// evicted #, expired #; never more than # pages: true
// problems in the map: 0
// pages after # ms without a worker: 0
