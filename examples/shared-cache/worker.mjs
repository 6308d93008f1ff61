// Serves pages, out of the cache where it can.
import { workerData } from "node:worker_threads";
import { attachHost, BpfError } from "bpfmap";
import { CACHE, CLOCK, ROUND, STATS, STOP } from "./maps.mjs";

const PAGES = 200_000;

const host = attachHost(workerData);
const cache = host.open("/cache", CACHE);
const clock = host.open("/clock", CLOCK);
const stats = host.open("/stats", STATS);

/** Stands for work worth saving. */
const render = (page) => `<h1>Page ${page}</h1>`.padEnd(100, `${page}.`);

function serve(page) {
  const found = cache.get(page);
  if (found !== undefined) {
    stats.add(0, 1, { field: "hits" });
    return found.text;
  }
  stats.add(0, 1, { field: "misses" });
  const text = render(page);
  try {
    cache.set(page, { round: clock.get(ROUND), text });
  } catch (error) {
    // The cache is full until the main thread has thrown out what is old.
    if (!(error instanceof BpfError) || error.code !== "E2BIG") throw error;
    stats.add(0, 1, { field: "refused" });
  }
  return text;
}

while (clock.get(STOP) === 0) {
  // Low numbers far more often than high ones.
  const page = Math.floor(PAGES * Math.random() ** 8);
  if (serve(page) !== render(page)) throw new Error(`wrong text for page ${page}`);
}
host.detach();
