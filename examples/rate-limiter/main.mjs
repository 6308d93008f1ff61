// A rate limit that several workers keep together: node examples/rate-limiter/main.mjs
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { createHost } from "bpfmap";
import { ADMITTED, COUNTS } from "./limiter.mjs";

const WORKERS = 3;
const CLIENTS = 20;
const RULE = { limit: 50, window: 250 };
const WINDOWS = 4;

const host = createHost({ shared: true, cpus: WORKERS + 1, maxMemory: 64 * 1024 * 1024 });
const counts = host.createMap({ ...COUNTS, name: "counts", maxEntries: 1000 });
const admitted = host.createMap({ ...ADMITTED, name: "admitted", maxEntries: 100_000 });
host.pin("/counts", counts);
host.pin("/admitted", admitted);

const workers = Array.from({ length: WORKERS }, () =>
  host.watch(
    new Worker(new URL("worker.mjs", import.meta.url), {
      workerData: { share: host.share(), end: WINDOWS * RULE.window, clients: CLIENTS, rule: RULE },
    }),
  ),
);
await Promise.all(workers.map((worker) => once(worker, "exit")));

/** The most requests of one client that were let through in one window. */
function most(limiter) {
  let most = 0;
  for (const [key, count] of admitted) if (key.startsWith(limiter)) most = Math.max(most, count);
  return most;
}
console.log(`the limit is ${RULE.limit} requests in ${RULE.window} ms`);
console.log(`a limiter that all workers share keeps it: ${most("shared") <= RULE.limit}`);
console.log(`one in each of ${WORKERS} workers lets through ${most("own") / RULE.limit} times as many`);
host.close();

// Prints:
// the limit is 50 requests in 250 ms
// a limiter that all workers share keeps it: true
// one in each of 3 workers lets through 3 times as many
