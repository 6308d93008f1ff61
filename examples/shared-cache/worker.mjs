// Serves pages, out of the cache where it can.
import { workerData } from "node:worker_threads";
import { attachHost } from "bpfmap";
import { CACHE, STATS, STOP } from "./maps.mjs";

const PAGES = 200_000;
/** Pages that change more often than others, and ms that they are good for. */
const FRONT = 10;
const FRONT_TTL = 50;

const host = attachHost(workerData);
const cache = host.open("/cache", CACHE);
const stop = host.open("/stop", STOP);
const stats = host.open("/stats", STATS);

/** Stands for work worth saving. */
const render = (page) => `<h1>Page ${page}</h1>`.padEnd(100, `${page}.`);

function serve(page) {
  const found = cache.get(page);
  stats.add(0, 1, { field: found === undefined ? "misses" : "hits" });
  if (found !== undefined) return found;
  const text = render(page);
  // Where the cache is full, what is worth least goes.
  if (page < FRONT) cache.set(page, text, { ttl: FRONT_TTL });
  else cache.set(page, text);
  return text;
}

while (stop.get(0) === 0) {
  // Low numbers far more often than high ones.
  const page = Math.floor(PAGES * Math.random() ** 8);
  if (serve(page) !== render(page)) throw new Error(`wrong text for page ${page}`);
}
host.detach();
