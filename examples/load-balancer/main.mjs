// A TCP balancer with connection stickiness; half-way one of its backends is killed: node examples/load-balancer/main.mjs
import { parseArgs } from "node:util";
import { runScenario } from "./scenario.mjs";

const HELP = `usage: node examples/load-balancer/main.mjs [options]

Starts backends, a balancer and clients on 127.0.0.1, kills a backend half-way, and says who was where.

  --backends N     backends, each in a thread of its own (default 3)
  --clients N      clients at the same time, each with an address of its own (24)
  --connections N  connections of each client, one after the other (10)
  --requests N     requests in each connection, every 4th of 128 KiB, the others of 4 KiB (4)
  --json           everything that was counted, for programs
  --help           this`;

const LIMITS = { backends: [1, 16], clients: [1, 256], connections: [1, 100], requests: [1, 64] };

function readOptions() {
  const number = { type: "string" };
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(Object.keys(LIMITS).map((name) => [name, number])),
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  for (const [name, [low, high]] of Object.entries(LIMITS)) {
    if (values[name] === undefined) continue;
    values[name] = Number(values[name]);
    if (!Number.isInteger(values[name]) || values[name] < low || values[name] > high) {
      throw new RangeError(`--${name}: expected an integer ${low}..${high}`);
    }
  }
  return values;
}

const MIB = 1024 * 1024;

function print(report) {
  const { clients, connections, answered, bytes, retries, backends, path, maps, problems } = report;
  console.log(
    `${connections} connections of ${clients} clients: ${answered} answers, ${(bytes / MIB).toFixed(1)} MiB compared`,
  );
  for (const { number, killed, counted } of backends) {
    const traffic = `${counted.connections} connections, ${(counted.received / MIB).toFixed(1)} MiB in`;
    console.log(`backend ${number}: ${counted.clients} clients, ${traffic}${killed ? ", then killed" : ""}`);
  }
  const kept = path.filter((numbers) => numbers.length === 1).length;
  const moved = path.filter((numbers) => numbers.length === 2 && numbers[0] === 0).length;
  console.log(
    `clients that stayed with their backend: ${kept}; moved from the one that was killed: ${moved}`,
  );
  console.log(`clients that strayed: ${clients - kept - moved}; connections cut and made again: ${retries}`);
  const { sticky, toBackend } = maps;
  console.log(`sticky grew from 8 to ${sticky.maxEntries}; connections left in the maps: ${toBackend.size}`);
  console.log(`problems in the maps: ${problems.length}`);
}

try {
  const { json, help, ...options } = readOptions();
  if (help) console.log(HELP);
  else {
    const report = await runScenario(options);
    if (json) console.log(JSON.stringify(report, undefined, 2));
    else print(report);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

// Prints, with numbers for #:
// 240 connections of 24 clients: 960 answers, 32.8 MiB compared
// backend 0: 8 clients, # connections, # MiB in, then killed
// backend 1: # clients, # connections, # MiB in
// backend 2: # clients, # connections, # MiB in
// clients that stayed with their backend: #; moved from the one that was killed: #
// clients that strayed: 0; connections cut and made again: #
// sticky grew from 8 to 32; connections left in the maps: 0
// problems in the maps: 0
