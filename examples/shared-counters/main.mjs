// Workers count requests, and the main thread collects the counts while they go on: node examples/shared-counters/main.mjs
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { createHost, cstring, u32, u53 } from "bpfmap";

const WORKERS = 3;
const REQUESTS = 300_000; // of each worker

const host = createHost({ shared: true, cpus: WORKERS + 1, maxMemory: 64 * 1024 * 1024 });
const counts = host.createMap({ type: "percpu_hash", key: cstring(16), value: u53, maxEntries: 1000 });
const answered = host.createMap({ type: "array", key: u32, value: u53, maxEntries: host.cpus });
host.pin("/counts", counts);
host.pin("/answered", answered);

let running = 0;

function start() {
  const workerData = { handle: host.share(), requests: REQUESTS };
  const worker = host.watch(new Worker(new URL("worker.mjs", import.meta.url), { workerData }));
  running++;
  worker.once("exit", () => running--);
  return worker;
}

const totals = new Map();

/** Takes out what has been counted. A request counted meanwhile is in this collection or in the next one, never in both. */
function collect() {
  let requests = 0;
  for (const [route, slots] of counts.drain()) {
    const sum = slots.reduce((a, b) => a + b);
    totals.set(route, (totals.get(route) ?? 0) + sum);
    requests += sum;
  }
  return requests;
}

const [victim] = Array.from({ length: WORKERS }, start);
let collections = 0;
for (let killed = false; running > 0; await setTimeout(5)) {
  if (collect() > 0) collections++;
  const slot = host.slots().find(({ thread }) => thread === victim.threadId);
  if (killed || slot === undefined || answered.get(slot.cpu) < 1000) continue;
  // Killed, wherever it is just then, with whatever it holds. host.watch() clears up behind it, and another one takes its slot.
  await victim.terminate();
  killed = true;
  start();
  console.log(`killed one of ${WORKERS} workers, started another`);
}
if (collect() > 0) collections++;

let counted = 0;
for (const route of [...totals.keys()].sort()) {
  console.log(`${route} ${totals.get(route)}`);
  counted += totals.get(route);
}
let sum = 0;
for (const requests of answered.values()) sum += requests;
console.log(`${counted} requests in ${collections} collections`);
// A worker counts a request first. So the killed one may have counted one that it did not get to answer.
const exact = counted === sum || counted === sum + 1;
console.log(`answered ${sum}: the total is ${exact ? "exact" : "WRONG"}`);
console.log(`problems in the map: ${counts.verify().length}; entries left: ${counts.size}`);
host.close();

// Prints, with numbers for #:
// killed one of 3 workers, started another
// GET /cart #
// GET /index #
// GET /news #
// POST /order #
// # requests in # collections
// answered #: the total is exact
// problems in the map: 0; entries left: 0
