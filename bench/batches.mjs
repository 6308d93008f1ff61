#!/usr/bin/env node
// Batch calls beside what they replace: single calls, JS Map, the bare reading of cache lines, and the live kernel's HASH through
// bpf(2). The contenders of a row run in turn in one process (the kernel's in a child process of its own, in turn with the
// rest), and medians are compared. `npm run bench -- batches`; see `--help`.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { createHost, u32, u53 } from "../dist/index.js";

const HELP = `usage: npm run bench -- batches [options]
  --entries N    entries of the large map (default 1000000)
  --rounds N     rounds (default 7)
  --seed N       seed of keys and hashes (default 1)
  --json         one JSON object instead of a table
  --help         this text`;

const { values: options } = parseArgs({
  options: {
    entries: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "7" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit(0);
}
const large = Number(options.entries);
const rounds = Number(options.rounds);
const seed = Number(options.seed) >>> 0;
const WALK = 100_000; // entries of the walks, as many as the kernel's map holds
const BATCH = 256;
const root = new URL("..", import.meta.url).pathname;

/** A bijection on u32 (Wellons' "lowbias32"): distinct inputs are distinct keys. */
function mix(x) {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

const times = new Map();
function time(name, work) {
  const start = process.hrtime.bigint();
  const operations = work();
  const ns = Number(process.hrtime.bigint() - start) / operations;
  if (!times.has(name)) times.set(name, []);
  times.get(name).push(ns);
}
const median = (name) => times.get(name)?.toSorted((a, b) => a - b)[times.get(name).length >> 1];

/** The live kernel's figures, or undefined where there is no gcc or bpf(2) is refused. */
function compileKernel() {
  try {
    mkdirSync(`${root}build`, { recursive: true });
    execFileSync("gcc", ["-O2", "-o", `${root}build/kernel_batches`, `${root}bench/kernel_batches.c`]);
    execFileSync(`${root}build/kernel_batches`, ["1000", "100"], { stdio: "pipe" });
    return (batch) =>
      JSON.parse(
        execFileSync(`${root}build/kernel_batches`, [String(WALK), String(batch)], { encoding: "utf8" }),
      );
  } catch (error) {
    console.error(`without the live kernel: ${String(error.stderr ?? error.message).trim()}`);
    return undefined;
  }
}

/** Random 128-byte blocks in as much memory as the large map takes, read by nothing but loads. */
function bareLines(bytes) {
  execFileSync(process.execPath, [
    `${root}node_modules/assemblyscript/bin/asc.js`,
    `${root}bench/assembly/lines.ts`,
    ..."--runtime stub --importMemory --optimizeLevel 3 --noAssert --outFile".split(" "),
    `${root}build/lines.wasm`,
  ]);
  const blocks = Math.floor(bytes / 128);
  const memory = new WebAssembly.Memory({ initial: Math.ceil((blocks * 128 + BATCH * 4) / 65536) + 1 });
  const module = new WebAssembly.Module(readFileSync(`${root}build/lines.wasm`));
  const { readBlocks } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  new Uint8Array(memory.buffer).fill(1);
  const addresses = new Uint32Array(memory.buffer, blocks * 128, BATCH);
  return { readBlocks, addresses, blocks };
}

const host = createHost({ seed });
const spec = { type: "rhash", key: u32, value: u53, maxEntries: 0x7fffffff };
const small = host.createMap(spec);
const big = host.createMap(spec);
const js = new Map();
const keys = Uint32Array.from({ length: large }, (_, i) => mix(i));

function fill(map, entries) {
  const batch = map.createBatch(4096);
  batch.values.fill(0);
  for (let i = 0; i < entries; i += batch.count) {
    batch.count = Math.min(batch.capacity, entries - i);
    const view = new Uint32Array(batch.keys.buffer, batch.keys.byteOffset, batch.count);
    view.set(keys.subarray(i, i + batch.count));
    map.updateBatch(batch);
  }
  batch.close();
}

fill(small, WALK);
fill(big, large);
for (const key of keys) js.set(key, 0);
const kernel = compileKernel();
const lines = bareLines(big.memoryUsage());
const query = big.createBatch(BATCH);
const queries = 1 << 20;
let sink = 0;

/** Fills `target` with random keys of the map: copied before the clock starts. */
const draws = Array.from({ length: queries / BATCH }, (_, b) =>
  Uint32Array.from(
    { length: BATCH },
    (_, i) => keys[Math.floor((mix(b * BATCH + i + seed) / 2 ** 32) * large)],
  ),
);
const blockDraws = draws.map((batch) => batch.map((key) => (mix(key ^ 77) % lines.blocks) * 128));
const deltas = new Array(BATCH).fill(1);

function walkBatch(map, size, remove) {
  const batch = map.createBatch(size);
  let entries = 0;
  let more = true;
  while (more) {
    batch.count = size;
    more = remove ? map.lookupAndDeleteBatch(batch) : map.lookupBatch(batch);
    entries += batch.count;
  }
  batch.close();
  return entries;
}

for (let round = 0; round < rounds; round++) {
  time("nextKey + get", () => {
    let entries = 0;
    for (let key = small.nextKey(); key !== undefined; key = small.nextKey(key)) {
      sink += small.get(key);
      entries++;
    }
    return entries;
  });
  time("lookupBatch(100)", () => walkBatch(small, 100, false));
  time("lookupAndDeleteBatch(100)", () => walkBatch(small, 100, true));
  fill(small, WALK);
  if (kernel !== undefined) {
    const { walkNs, lookupBatchNs, lookupAndDeleteBatchNs } = kernel(100);
    for (const [name, ns] of [
      ["kernel nextKey + lookup", walkNs],
      ["kernel lookup_batch(100)", lookupBatchNs],
      ["kernel lookup_and_delete_batch(100)", lookupAndDeleteBatchNs],
    ]) {
      if (!times.has(name)) times.set(name, []);
      times.get(name).push(ns);
    }
  }
  time("bare reads of both lines", () => {
    for (const batch of blockDraws) {
      lines.addresses.set(batch);
      sink += lines.readBlocks(lines.addresses.byteOffset, BATCH);
    }
    return queries;
  });
  time("lookupMany(256)", () => {
    for (const batch of draws) {
      const view = new Uint32Array(query.keys.buffer, query.keys.byteOffset, BATCH);
      view.set(batch);
      sink += big.lookupMany(query.keys, query.values);
    }
    return queries;
  });
  time("addMany(256)", () => {
    for (const batch of draws) big.addMany(batch, deltas);
    return queries;
  });
  time("Map get + set", () => {
    for (const batch of draws) for (let i = 0; i < BATCH; i++) js.set(batch[i], js.get(batch[i]) + 1);
    return queries;
  });
  time("scan and copy out", () => walkBatch(big, 4096, false));
  time("drain, entries decoded", () => {
    let entries = 0;
    for (const [key] of big.drain({ size: 4096 })) {
      sink += key;
      entries++;
    }
    return entries;
  });
  fill(big, large);
  time("drain without a cursor", () => {
    const batch = big.createBatch(4096);
    const { core, scratch, layout } = host;
    const stage = scratch.stage(layout.stageBytes);
    let entries = 0;
    let done = 0;
    do {
      done = core.drainAny(
        big.table.handle,
        stage,
        batch.keys.byteOffset,
        batch.values.byteOffset,
        batch.capacity,
      );
      entries += done;
    } while (done === batch.capacity);
    batch.close();
    return entries;
  });
  fill(big, large);
  // The first round runs code that V8 has not optimised yet.
  if (round === 0) times.clear();
  if (process.stderr.isTTY) process.stderr.write(`\rround ${round + 1} of ${rounds} `);
}
if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");

const ns = Object.fromEntries([...times.keys()].map((name) => [name, median(name)]));
const ratios = {
  "lookupBatch(100) saves, of nextKey + get": 1 - ns["lookupBatch(100)"] / ns["nextKey + get"],
  "lookupMany(256) over bare reads": ns["lookupMany(256)"] / ns["bare reads of both lines"],
  "Map get + set over addMany(256)": ns["Map get + set"] / ns["addMany(256)"],
  ...(kernel && {
    "kernel over bpfmap, lookup_batch(100)": ns["kernel lookup_batch(100)"] / ns["lookupBatch(100)"],
    "kernel over bpfmap, lookup_and_delete_batch(100)":
      ns["kernel lookup_and_delete_batch(100)"] / ns["lookupAndDeleteBatch(100)"],
  }),
};
if (options.json)
  console.log(JSON.stringify({ node: process.version, seed, large, rounds, ns, ratios, sink }));
else {
  console.log(
    `Node ${process.version}, seed ${seed}; ns per entry, medians of ${rounds - 1} rounds; walks of ${WALK}, the rest of ${large} entries`,
  );
  for (const [name, value] of Object.entries(ns))
    console.log(`  ${name.padEnd(40)} ${value.toFixed(1).padStart(8)}`);
  for (const [name, value] of Object.entries(ratios)) console.log(`  ${name.padEnd(52)} ${value.toFixed(3)}`);
}
