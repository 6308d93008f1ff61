// The counted workload: what is done with which maps. A fixed program: keys, values and draws come from a seed, nothing depends on
// time, machine or version of Node. It goes through the typed API, so that what is counted is what a user's calls cost.
import { bytes, createHost, u32, u53, u64, useWasm } from "../../dist/index.js";
import { Fingerprint } from "../data/fingerprint.mjs";
import { draws, mix, Random, shuffled } from "../data/random.mjs";

export const SEED = 1;

/** Operations with drawn keys. */
const QUERIES = 20480;
/** Keys of one call that takes many. */
const BATCH = 256;
/** Entries of one batch of a scan. */
const SCAN = 100;
const CPUS = 4;
const MAX_MEMORY = 2 ** 28;

function foldBytes(value) {
  let hash = 0;
  for (let i = 0; i < value.length; i++) hash = mix(hash ^ value[i]);
  return hash;
}

/** An array in parts for calls that take many. */
function parts(array) {
  const starts = Array.from({ length: Math.ceil(array.length / BATCH) }, (_, i) => i * BATCH);
  return starts.map((start) => array.slice(start, start + BATCH));
}

/** Random bytes that belong to number `i`; distinct for distinct numbers. */
function bytesOf(i, length) {
  const words = Uint32Array.from({ length: length / 4 }, (_, word) => mix(i + (word << 20)));
  return new Uint8Array(words.buffer);
}

/** Keys and values: how they are made from a number, and folded into one for the fingerprint. */
const KINDS = {
  u32: { codec: u32, bytes: 4, key: mix, fold: (x) => x },
  u53: { codec: u53, bytes: 8, key: (i) => mix(i) * 2 ** 20 + i, value: (i) => i, fold: (x) => x % 2 ** 32 },
  u64: { codec: u64, bytes: 8, value: BigInt, fold: Number },
  bytes16: { codec: bytes(16), bytes: 16, key: (i) => bytesOf(i, 16), fold: foldBytes },
  bytes64: { codec: bytes(64), bytes: 64, value: (i) => bytesOf(i, 64), fold: foldBytes },
  perCpu: {
    codec: u53,
    bytes: 8 * CPUS,
    value: (i) => Array.from({ length: CPUS }, (_, cpu) => i + cpu),
    fold: (slots) => slots.reduce((hash, x) => mix(hash ^ x), 0),
    /** addMany adds to the value of one CPU. */
    delta: 1,
  },
};

/**
 * Between them they have every layout of assembly/maps/choose_layout.ts. To the core, f64, u53 and u64 are the same 8 bytes; u53 is taken
 * since addMany adds to it. `counts`: the value is an integer that addMany adds to.
 */
export const CASES = [
  { name: "rhash u32 -> u53, 10k", type: "rhash", key: "u32", value: "u53", entries: 10_000, counts: true },
  { name: "rhash u32 -> u53, 100k", type: "rhash", key: "u32", value: "u53", entries: 100_000, counts: true },
  { name: "hash u32 -> u64, 10k", type: "hash", key: "u32", value: "u64", entries: 10_000, counts: true },
  { name: "rhash u53 -> u53, 10k", type: "rhash", key: "u53", value: "u53", entries: 10_000, counts: true },
  {
    name: "rhash 16 -> u53, 10k",
    type: "rhash",
    key: "bytes16",
    value: "u53",
    entries: 10_000,
    counts: true,
  },
  {
    name: "rhash 16 -> 64, 10k",
    type: "rhash",
    key: "bytes16",
    value: "bytes64",
    entries: 10_000,
    counts: false,
  },
  {
    name: "percpu_hash, 10k",
    type: "percpu_hash",
    key: "u32",
    value: "perCpu",
    entries: 10_000,
    counts: true,
  },
  { name: "array, 10k", type: "array", key: "u32", value: "u64", entries: 10_000, counts: true },
];

/** One case on one core: the map, the keys, and what the operations of the case have counted. */
class Run {
  operations = {};
  /** Of the map with all its entries. */
  bytesPerEntry = 0;
  #keys;
  #core;
  #host;

  constructor({ name, type, key, value, entries }, core) {
    useWasm(core.module);
    this.#core = core;
    this.#host = createHost({ seed: SEED, maxMemory: MAX_MEMORY, cpus: CPUS });
    this.#keys = KINDS[key];
    this.values = KINDS[value];
    this.entries = entries;
    this.fingerprint = new Fingerprint().add(name, SEED);
    const { codec } = this.#keys;
    this.map = this.#host.createMap({ type, key: codec, value: this.values.codec, maxEntries: entries });
    // Number 0 .. entries - 1 are in the map, the next ones are not.
    const keyOf = type === "array" ? (i) => i : this.#keys.key;
    const random = new Random(SEED, 0);
    this.keys = Array.from({ length: entries }, (_, i) => keyOf(i));
    this.present = Array.from(draws(QUERIES, entries, random), (i) => this.keys[i]);
    this.absent = Array.from(draws(QUERIES, entries, random), (i) => keyOf(entries + i));
    this.shuffled = shuffled(this.keys, random);
    for (const list of [this.keys, this.present, this.absent, this.shuffled]) {
      this.fingerprint.add(list.reduce((hash, key) => mix(hash ^ this.#keys.fold(key)), 0));
    }
  }

  close() {
    this.#host.close();
  }

  /** Does `work` and keeps what is counted meanwhile; what it returns goes into the fingerprint. */
  measure(operation, count, work) {
    const before = this.#structure();
    const countedBefore = this.#core.read(this.#host);
    const result = work();
    const counted = this.#core.read(this.#host);
    const after = this.#structure();
    const row = { operations: count };
    for (const name of Object.keys(counted)) row[name] = counted[name] - countedBefore[name];
    for (const name of ["moved", "splits", "merges"]) row[name] = after[name] - before[name];
    row.pages = after.pages;
    this.operations[operation] = row;
    this.fingerprint.add(operation, count, result);
  }

  #structure() {
    const { splits, merges, movedEntries } = this.map.stats();
    this.#host.refresh(); // a view that growth has detached is empty
    return { splits, merges, moved: movedEntries, pages: this.#host.u8.length / 65536 };
  }

  /** Folds an entry. A map has an order of its own, so the entries that it gives are added up. */
  foldEntry(key, value) {
    return mix(this.#keys.fold(key) ^ mix(this.values.fold(value)));
  }

  /** `call`s with a batch that holds the keys, part by part. */
  inBatches(operation, keys, call) {
    const batch = this.map.createBatch(BATCH);
    this.measure(operation, keys.length, () => {
      for (const part of parts(keys)) {
        batch.count = part.length;
        for (const [i, key] of part.entries()) batch.set(i, key, this.values.value(i));
        call(batch);
      }
      return this.map.size;
    });
    batch.close();
  }
}

/** What all maps do. */
function readAndOverwrite(run, counts) {
  const { map, entries, values, present } = run;
  run.bytesPerEntry = map.stats().bytesPerEntry;
  const found = new Uint8Array(BATCH * values.bytes);
  run.measure("lookupMany", QUERIES, () => {
    let result = 0;
    for (const part of parts(present)) {
      result = mix(result ^ map.lookupMany(part, found));
      result = mix(result ^ foldBytes(found));
    }
    return result;
  });
  run.inBatches("updateBatch, existing", present, (batch) => map.updateBatch(batch));
  if (counts) addMany(run, "addMany, existing", present);
  run.measure("scan", entries, () => {
    let result = 0;
    for (const batch of map.batches({ size: SCAN })) {
      for (const [key, value] of batch.entries()) result = (result + run.foldEntry(key, value)) >>> 0;
    }
    return result;
  });
}

function addMany(run, operation, keys) {
  const { map, values } = run;
  const deltas = new Array(BATCH).fill(values.delta ?? values.value(1));
  run.measure(operation, keys.length, () => {
    for (const part of parts(keys)) map.addMany(part, deltas.slice(0, part.length));
    return map.size;
  });
}

/** What maps do whose keys come and go: they grow, and are emptied in three ways. */
function runHash(run, counts) {
  const { map, entries, keys, values, present, absent, shuffled: order } = run;
  const setAll = () => {
    for (const [i, key] of keys.entries()) map.set(key, values.value(i));
    return map.size;
  };
  run.measure("set, growing", entries, setAll);
  run.measure("get, present", QUERIES, () => {
    let result = 0;
    for (const key of present) result = mix(result ^ values.fold(map.get(key)));
    return result;
  });
  run.measure("get, absent", QUERIES, () => {
    let missed = 0;
    for (const key of absent) if (map.get(key) === undefined) missed++;
    return missed;
  });
  run.measure("set, existing", QUERIES, () => {
    for (const [i, key] of present.entries()) map.set(key, values.value(i));
    return map.size;
  });
  readAndOverwrite(run, counts);
  run.measure("drain", entries, () => {
    let result = 0;
    for (const [key, value] of map.drain({ size: BATCH }))
      result = (result + run.foldEntry(key, value)) >>> 0;
    return result;
  });
  run.inBatches("updateBatch, growing", keys, (batch) => map.updateBatch(batch));
  run.measure("delete", entries, () => {
    let deleted = 0;
    for (const key of order) if (map.delete(key)) deleted++;
    return deleted;
  });
  if (counts) addMany(run, "addMany, growing", keys);
  else setAll();
  run.inBatches("deleteBatch", order, (batch) => map.deleteBatch(batch));
}

/**
 * Runs one of {@link CASES} on a core.
 *
 * @param {import("./cores.mjs").CountingCore} core
 */
export function runCase(spec, core) {
  const run = new Run(spec, core);
  const { type, counts } = spec;
  if (type === "array") readAndOverwrite(run, counts);
  else runHash(run, counts);
  run.close();
  const { entries, bytesPerEntry, fingerprint, operations } = run;
  return { entries, bytesPerEntry, fingerprint: `${fingerprint}`, operations };
}
