// Settings in shared memory are rolled out from v1 to v2 and back while a reader goes on: node examples/rollout/main.mjs
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { createHost } from "bpfmap";
import { v1, v2 } from "./manifests.mjs";

const host = createHost({ shared: true, cpus: 2, maxMemory: 16 * 1024 * 1024 });
const settings = host.createKvStore({ name: "settings", manifest: v1 });
host.pin("/settings", settings);

const running = new SharedArrayBuffer(12);
const words = new Int32Array(running);
words[0] = 1;
const workerData = { handle: host.share(), running };
const reader = host.watch(new Worker(new URL("reader.mjs", import.meta.url), { workerData }));
const answer = once(reader, "message");

/** Until the reader has read the settings of a manifest (1 or 2) another hundred times. */
async function untilRead(manifest) {
  const enough = Atomics.load(words, manifest) + 100;
  while (Atomics.load(words, manifest) < enough) await setTimeout(1);
}

await untilRead(1);
console.log(`${settings.plan(v2)}`);

let plan = settings.rollout(v2);
await untilRead(2);
console.log(`\nv2 is in force: limit ${settings.pair("limit").get()}`);
console.log(`the same rollout again: ${settings.rollout(v2).steps.length} steps`);
settings.pair("limit").set(250); // in v2

plan.undo();
await untilRead(1);
console.log(`\nundone, with what was set meanwhile: limit ${settings.pair("limit").get()}`);

// A rollout that cannot be completed changes nothing.
const broken = { pairs: { ...v2.pairs, window: { ...v2.pairs.window, convert: () => ({ open: 1 }) } } };
try {
  settings.rollout(broken);
} catch (error) {
  console.log(`\n${error.message}`);
}
await untilRead(1);

// Back and forth, as fast as it goes.
for (let i = 0; i < 200; i++) {
  plan = settings.rollout(v2);
  if (i % 10 === 0) await untilRead(2);
  plan.undo();
  if (i % 10 === 0) await untilRead(1);
}
settings.rollout(v2).seal();
await untilRead(2);

words[0] = 0;
const [seen] = await answer;
console.log(`\nthe reader read v1 ${seen.v1} times, v2 ${seen.v2} times, a mix of them ${seen.mixed} times`);
const counted = settings.pair("requests").get();
console.log(`of ${seen.requests} requests that it counted, ${seen.requests - counted} were lost`);
console.log(`keys in use: ${settings.size}; problems in memory: ${host.verify().length}`);
host.close();

// Prints, with numbers for #:
// KV store "settings": 5 steps, planned
//   convert  limit     u32 (4 bytes), version 1 -> u32 (4 bytes), version 2                                undo: reverted
//   convert  window    u32 (4 bytes), version 1 -> struct { open: u16, closed: u16 } (4 bytes), version 1  undo: reverted
//   grow     requests  u32 (4 bytes), version 1 -> u53 (8 bytes), version 1                                undo: reverted
//   add      zone      cstring(8) (8 bytes), version 1                                                     undo: dropped
//   drop     comment   cstring(24) (24 bytes), version 1                                                   undo: restored
//
// v2 is in force: limit 500
// the same rollout again: 0 steps
//
// undone, with what was set meanwhile: limit 4000
//
// kv.rollout: KV store "settings": "window": convert.closed: expected u16, got nothing (the field is missing)
//
// the reader read v1 # times, v2 # times, a mix of them 0 times
// of # requests that it counted, 0 were lost
// keys in use: 4; problems in memory: 0
