// The whole of it: backends, a balancer in front of them, clients; half-way, the first backend is killed.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { Balancer } from "./balancer.mjs";
import { Client } from "./client.mjs";

async function startBackend(number) {
  const worker = new Worker(new URL("backend.mjs", import.meta.url), { workerData: { number } });
  const [port] = await once(worker, "message");
  return { number, worker, port, killed: false };
}

function mapsOf({ backends, sticky, toBackend, toClient, counters }) {
  return { backends, sticky, toBackend, toClient, counters };
}

/** What a backend itself has counted. */
async function ask({ worker, killed }) {
  if (killed) return undefined;
  worker.postMessage("report");
  const [report] = await once(worker, "message");
  return report;
}

/**
 * @param options `backends`; `clients`, at the same time; `connections` of each, one after the other; `requests` in each
 */
export async function runScenario({ backends = 3, clients = 24, connections = 10, requests = 4 } = {}) {
  const started = performance.now();
  const servers = await Promise.all(Array.from({ length: backends }, (_, number) => startBackend(number)));
  const balancer = new Balancer(servers.map(({ port }) => port));
  const port = await balancer.start();
  const all = Array.from({ length: clients }, (_, number) => new Client(port, number));
  let done = 0;
  let kill;
  const work = async (client) => {
    for (let i = 0; i < connections; i++) {
      await client.session(requests);
      // In the middle of what the others are doing.
      if (++done === Math.floor((clients * connections) / 2) && backends > 1) {
        servers[0].killed = true;
        kill = servers[0].worker.terminate();
      }
    }
  };
  try {
    await Promise.all(all.map(work));
    await kill;
    await balancer.drain();
    const reports = await Promise.all(servers.map(ask));
    return {
      clients,
      connections: done,
      answered: all.reduce((sum, client) => sum + client.answered, 0),
      bytes: all.reduce((sum, client) => sum + client.bytes, 0),
      retries: all.reduce((sum, client) => sum + client.retries, 0),
      waits: balancer.waits,
      /** Of each client, the numbers of the backends that have answered it, in their order. */
      path: all.map((client) => client.backends),
      backends: servers.map(({ number, port, killed }) => ({
        number,
        killed,
        counted: balancer.counters.get(port),
        reported: reports[number],
      })),
      maps: Object.fromEntries(
        Object.entries(mapsOf(balancer)).map(([name, map]) => [
          name,
          { size: map.size, maxEntries: map.info.maxEntries },
        ]),
      ),
      /** Of each backend in service: what listens for its end. The maps have it under many keys. */
      listeners: [...balancer.backends.values()].map((backend) => backend.listenerCount("close")),
      problems: Object.values(mapsOf(balancer)).flatMap((map) => map.verify()),
      ms: performance.now() - started,
    };
  } finally {
    balancer.close();
    await Promise.all(servers.map(({ worker }) => worker.terminate()));
  }
}
