// Gets a request of each client every millisecond, and asks a limiter that all workers share, and one of its own. The time is only counted, so
// that the example is over soon.
import { workerData } from "node:worker_threads";
import { attachHost, createMap } from "bpfmap";
import { ADMITTED, COUNTS, RateLimiter } from "./limiter.mjs";

const { share, end, clients, rule } = workerData;

const host = attachHost(share);
const admitted = host.open("/admitted", ADMITTED);
const shared = new RateLimiter(host.open("/counts", COUNTS), rule);
const own = new RateLimiter(createMap({ ...COUNTS, maxEntries: 1000 }), rule);

for (let now = 0; now < end; now++) {
  const window = Math.floor(now / rule.window);
  for (let client = 0; client < clients; client++) {
    if (shared.allow(client, now)) admitted.add(`shared ${client} ${window}`, 1);
    if (own.allow(client, now)) admitted.add(`own ${client} ${window}`, 1);
  }
}
host.detach();
