#!/usr/bin/env node
// bpfmap beside JS Map: the same work on both, in one process, pass by pass in turn (A B A B ...), so that what disturbs the
// machine disturbs both. Reported are medians over the rounds, the ratio of the medians, and the spread of the per-round
// ratios. Keys are random u32, values 8-byte floats, queries uniform draws: a short repeating query list would be learned
// by the branch predictor and measure nothing but that. See `--help`.
import { parseArgs } from "node:util";
import { createHost, f64, u32 } from "../dist/index.js";

const HELP = `usage: npm run bench -- [options]          beside JS Map
       npm run bench -- batches [options]  batch calls (--help there)
  --sizes LIST   entries, separated by commas (default 500,100000,1000000)
  --rounds N     rounds of each size (default 7; small sizes repeat more work per round)
  --queries N    operations per pass (default 1048576)
  --seed N       seed of keys, queries and hashes (default 1)
  --pauses       instead: the longest pause while growing to the largest of the sizes
  --json         one JSON object instead of tables
  --help         this text`;

const { values: options } = parseArgs({
  options: {
    sizes: { type: "string", default: "500,100000,1000000" },
    rounds: { type: "string", default: "7" },
    queries: { type: "string", default: String(1 << 20) },
    seed: { type: "string", default: "1" },
    pauses: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(HELP);
  process.exit(0);
}

const seed = Number(options.seed) >>> 0;
const queries = Number(options.queries);
const rounds = Number(options.rounds);
const BATCH = 256;

/** A bijection on u32 (Wellons' "lowbias32"): distinct inputs are distinct keys. */
function mix(x) {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Random draws below `n` from a counter; seeded. */
const draw = (i, n) => Math.floor((mix(mix(i) ^ seed) / 2 ** 32) * n);

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

const times = new Map();
function time(name, contender, operations, work) {
  const start = process.hrtime.bigint();
  const result = work();
  const ns = Number(process.hrtime.bigint() - start) / operations;
  const key = `${name}/${contender}`;
  if (!times.has(key)) times.set(key, []);
  times.get(key).push(ns);
  return result;
}

function check(name, a, b) {
  if (a !== b) throw new Error(`${name}: bpfmap got ${a}, Map got ${b}: not the same work`);
}

/** One round: fill both, query both in turn, empty both. Returns bytes per entry of the filled map. */
function round(size, host, data) {
  const { keys, shuffled, hits, misses, batches, values } = data;
  const bpf = host.createMap({ type: "rhash", key: u32, value: f64, maxEntries: 0x7fffffff });
  const js = new Map();
  const passes = Math.max(2, Math.floor(queries / size));
  // Small maps are filled and emptied many times, so that every pass does about as much work.
  for (let pass = 0; pass < passes; pass++) {
    time("set, growing", "bpfmap", size, () => {
      for (let i = 0; i < size; i++) bpf.set(keys[i], i);
    });
    time("set, growing", "Map", size, () => {
      for (let i = 0; i < size; i++) js.set(keys[i], i);
    });
    if (pass === passes - 1) break;
    // In the order of insertion, in which the entries of a Map lie in memory.
    time("delete, oldest first", "bpfmap", size, () => {
      for (let i = 0; i < size; i++) bpf.delete(keys[i]);
    });
    time("delete, oldest first", "Map", size, () => {
      for (let i = 0; i < size; i++) js.delete(keys[i]);
    });
  }
  const bytes = bpf.memoryUsage() / size;
  for (let again = 0; again < 2; again++) {
    const got = time("get", "bpfmap", queries, () => {
      let sum = 0;
      for (let i = 0; i < queries; i++) sum += bpf.get(hits[i]);
      return sum;
    });
    const expected = time("get", "Map", queries, () => {
      let sum = 0;
      for (let i = 0; i < queries; i++) sum += js.get(hits[i]);
      return sum;
    });
    check("get", got, expected);
    check(
      "miss",
      time("get, absent key", "bpfmap", queries, () => {
        let found = 0;
        for (let i = 0; i < queries; i++) if (bpf.get(misses[i]) !== undefined) found++;
        return found;
      }),
      time("get, absent key", "Map", queries, () => {
        let found = 0;
        for (let i = 0; i < queries; i++) if (js.get(misses[i]) !== undefined) found++;
        return found;
      }),
    );
    time("set, existing key", "bpfmap", queries, () => {
      for (let i = 0; i < queries; i++) bpf.set(hits[i], i);
    });
    time("set, existing key", "Map", queries, () => {
      for (let i = 0; i < queries; i++) js.set(hits[i], i);
    });
    let sum = 0;
    const floats = new Float64Array(values.buffer);
    time(`lookupMany(${BATCH}) beside Map.get`, "bpfmap", queries, () => {
      for (const batch of batches) {
        bpf.lookupMany(batch, values);
        sum += floats[0];
      }
    });
    let expectedSum = 0;
    time(`lookupMany(${BATCH}) beside Map.get`, "Map", queries, () => {
      for (const batch of batches) {
        for (let i = 0; i < BATCH; i++) floats[i] = js.get(batch[i]);
        expectedSum += floats[0];
      }
    });
    check("lookupMany", sum, expectedSum);
  }
  time("delete, random order", "bpfmap", size, () => {
    for (let i = 0; i < size; i++) bpf.delete(shuffled[i]);
  });
  time("delete, random order", "Map", size, () => {
    for (let i = 0; i < size; i++) js.delete(shuffled[i]);
  });
  check("size", bpf.size, js.size);
  bpf.close();
  return bytes;
}

function measure(size) {
  times.clear();
  const keys = Uint32Array.from({ length: size }, (_, i) => mix(i));
  const shuffled = keys.slice();
  for (let i = size - 1; i > 0; i--) {
    const j = draw(i + 12345, i + 1);
    [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
  }
  const hits = Uint32Array.from({ length: queries }, (_, i) => keys[draw(i, size)]);
  const misses = Uint32Array.from({ length: queries }, (_, i) => mix(size + draw(i, size)));
  const batches = [];
  for (let i = 0; i + BATCH <= queries; i += BATCH) batches.push(hits.slice(i, i + BATCH));
  const data = { keys, shuffled, hits, misses, batches, values: new Uint8Array(BATCH * 8) };
  const host = createHost({ seed });
  let bytes = 0;
  for (let i = 0; i < rounds; i++) {
    bytes = round(size, host, data);
    // The first round runs code that V8 has not optimised yet.
    if (i === 0) times.clear();
    if (process.stderr.isTTY) process.stderr.write(`\r${size} entries: round ${i + 1} of ${rounds} `);
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  host.close();
  const rows = [];
  for (const key of times.keys()) {
    if (!key.endsWith("/bpfmap")) continue;
    const name = key.slice(0, -"/bpfmap".length);
    const ours = times.get(key);
    const theirs = times.get(`${name}/Map`);
    const ratios = theirs.map((ns, i) => ns / ours[i]).sort((a, b) => a - b);
    rows.push({
      operation: name,
      bpfmapNs: median(ours),
      mapNs: median(theirs),
      ratio: median(theirs) / median(ours),
      spread: [ratios[Math.floor(ratios.length * 0.1)], ratios[Math.ceil(ratios.length * 0.9) - 1]],
    });
  }
  return { size, bytesPerEntry: bytes, rows };
}

/** The slowest 16 inserts in a row, in ms, while each contender grows from empty to `size`; `repeats` runs in turn, their minimum:
 *  a pause of the structure comes every time, one of the machine does not. */
function worstPause(size, repeats = 5) {
  const BLOCK = 16;
  const worst = { bpfmap: Infinity, Map: Infinity };
  for (let repeat = 0; repeat < repeats; repeat++) {
    const host = createHost({ seed });
    const contenders = {
      bpfmap: host.createMap({ type: "rhash", key: u32, value: f64, maxEntries: 0x7fffffff }),
      Map: new Map(),
    };
    for (const [name, map] of Object.entries(contenders)) {
      let slowest = 0;
      for (let i = 0; i < size; i += BLOCK) {
        const start = performance.now();
        for (let j = i; j < i + BLOCK; j++) map.set(mix(j), j);
        slowest = Math.max(slowest, performance.now() - start);
      }
      worst[name] = Math.min(worst[name], slowest);
    }
    host.close();
  }
  return worst;
}

if (options.pauses) {
  const size = Math.max(...options.sizes.split(",").map(Number));
  const worst = worstPause(size);
  if (options.json) console.log(JSON.stringify({ node: process.version, seed, size, worstPauseMs: worst }));
  else {
    console.log(`Node ${process.version}: the slowest 16 inserts in a row while growing to ${size} entries`);
    for (const [name, ms] of Object.entries(worst)) console.log(`  ${name.padEnd(8)} ${ms.toFixed(2)} ms`);
  }
  process.exit(0);
}

const results = options.sizes.split(",").map((size) => measure(Number(size)));
if (options.json) {
  console.log(JSON.stringify({ node: process.version, seed, queries, rounds, results }));
} else {
  console.log(`Node ${process.version}, seed ${seed}; ns per operation, medians of ${rounds - 1} rounds`);
  for (const { size, bytesPerEntry, rows } of results) {
    console.log(`\n${size} entries, ${bytesPerEntry.toFixed(1)} bytes per entry`);
    for (const { operation, bpfmapNs, mapNs, ratio, spread } of rows) {
      console.log(
        `  ${operation.padEnd(32)} bpfmap ${bpfmapNs.toFixed(1).padStart(6)}  Map ${mapNs.toFixed(1).padStart(6)}` +
          `  Map / bpfmap ${ratio.toFixed(2).padStart(5)}  (${spread.map((x) => x.toFixed(2)).join(" .. ")})`,
      );
    }
  }
}
