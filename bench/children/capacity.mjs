// One rhash filled with as many entries as asked for, looked up and drained, each step timed.
import { createHost, f64, u32 } from "../../dist/index.js";
import { mix, Random } from "../data/random.mjs";
import { peakBytes, residentBytes } from "../memory/resident.mjs";
import { answer } from "./answer.mjs";

const BATCH = 4096;
const TELL_EVERY = 5_000_000;

function fill(map, entries, progress) {
  for (let from = 0; from < entries; from += TELL_EVERY) {
    progress(`${from} of ${entries} entries inserted`);
    const end = Math.min(entries, from + TELL_EVERY);
    for (let i = from; i < end; i++) map.set(mix(i), i);
  }
}

/** The value of the key number i is i. */
function lookUp(map, entries, queries, seed) {
  const random = new Random(seed, 1);
  for (let i = 0; i < queries; i++) {
    const index = random.below(entries);
    const value = map.get(mix(index));
    if (value !== index) throw new Error(`key ${index} has the value ${value}`);
  }
}

function miss(map, entries, queries, seed) {
  const random = new Random(seed, 2);
  // Keys are a bijection of their numbers: those from `entries` on are absent.
  for (let i = 0; i < queries; i++) {
    if (map.get(mix(entries + random.below(entries))) !== undefined) throw new Error("found an absent key");
  }
}

/** The sum of all values. */
function drain(map) {
  const batch = map.createBatch(BATCH);
  let sum = 0;
  for (let more = true; more; ) {
    batch.count = BATCH;
    more = map.lookupAndDeleteBatch(batch);
    const values = new Float64Array(batch.values.buffer, batch.values.byteOffset, batch.count);
    for (let i = 0; i < values.length; i++) sum += values[i];
  }
  return sum;
}

answer(({ entries, queries, seed }, progress) => {
  const host = createHost({ seed });
  const map = host.createMap({ type: "rhash", key: u32, value: f64, maxEntries: 2 ** 31 - 1 });
  const before = residentBytes();
  const seconds = {};
  const time = (name, work) => {
    progress(name);
    const start = performance.now();
    const result = work();
    seconds[name] = (performance.now() - start) / 1000;
    return result;
  };
  time("insert", () => fill(map, entries, progress));
  const full = { stats: map.stats(), host: host.memoryUsage().bytes, rss: residentBytes() - before };
  time("lookup", () => lookUp(map, entries, queries, seed));
  time("miss", () => miss(map, entries, queries, seed));
  const sum = time("drain", () => drain(map));
  if (sum !== (entries * (entries - 1)) / 2 || map.size !== 0) throw new Error(`the drain gave ${sum}`);
  const drained = { bytes: map.memoryUsage(), rss: residentBytes() - before, peak: peakBytes() - before };
  return { seconds, full, drained, maxPerCall: map.stats().maxPerCall };
});
