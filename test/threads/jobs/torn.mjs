// Hunts for torn values: all words of a value are the same, writers overwrite, delete and insert a few keys as fast as they can,
// and readers look at every value in every way there is. Counts the values read.
import { bytes, createHost, u32, u53 } from "bpfmap";
import { verified } from "../kit/check.mjs";
import { FREE, stop, stopped } from "../kit/control.mjs";

/** Values read between two looks at the target, about. */
const STRIDE = 1000;
const HIGH = 2 ** 21;

/** `size` bytes whose words are all the same. */
const words = (size) => ({
  codec: bytes(size),
  make: (word) => new Uint8Array(new Uint32Array(size / 4).fill(word).buffer),
  check(value) {
    checkWords(new Uint32Array(value.buffer, value.byteOffset, size / 4), 0, size / 4);
  },
});

function checkWords(all, start, end) {
  const first = all[start];
  for (let i = start + 1; i < end; i++) {
    if (all[i] !== first) throw new Error(`torn value: ${[...all.subarray(start, end)]}`);
  }
}

/** A u53 whose high part is the lowest 21 bits of its low part. */
const number = {
  codec: u53,
  make: (word) => (word % HIGH) * 2 ** 32 + word,
  check(value) {
    if (Math.floor(value / 2 ** 32) !== (value % 2 ** 32) % HIGH) throw new Error(`torn value: ${value}`);
  },
};

const kindOf = (size) => (size === "u53" ? number : words(size));
const specOf = ({ type, size }) => ({ type, key: u32, value: kindOf(size).codec });

export async function run(team, { type, size, keys, writers, readers, reads }) {
  const host = createHost({
    shared: true,
    cpus: writers + readers + 1,
    seed: team.seed,
    maxMemory: 64 << 20,
  });
  const args = { type, size, keys, reads };
  const map = host.createMap({ ...specOf(args), name: "torn", maxEntries: keys });
  host.pin("/torn", map);
  const writing = team.startAll(host, "write", writers, () => args);
  const reading = team.startAll(host, "read", readers, () => args);
  const found = await team.results(reading);
  stop(team.control);
  const written = await team.results(writing);
  verified(host, "at the end");
  host.close();
  const sum = (counts) => counts.reduce((a, b) => a + b);
  return { reads: sum(found), writes: sum(written) };
}

/** Until the readers are done. Answers how many values it wrote. */
export function write({ host, random, control }, args) {
  const { type, size, keys } = args;
  const { make } = kindOf(size);
  const map = host.open("/torn", specOf(args));
  const percpu = type === "percpu_hash" || type === "percpu_array";
  const deletes = type === "hash" || type === "rhash";
  const batch = percpu ? undefined : map.createBatch(8);
  let writes = 0;
  for (; !stopped(control); writes++) {
    const n = random.below(keys);
    const value = make(random.next());
    const roll = random.below(100);
    if (percpu) map.local.set(n, value);
    else if (roll < 80) map.set(n, value);
    else if (roll < 90) {
      for (let i = 0; i < batch.capacity; i++) batch.set(i, random.below(keys), make(random.next()));
      batch.count = batch.capacity;
      map.updateBatch(batch);
    } else if (deletes) map.delete(n);
  }
  return writes;
}

/** Until all readers together have read `reads` values. Answers how many it read. */
export function read({ host, random, control }, args) {
  const { type, size, keys, reads } = args;
  const { check } = kindOf(size);
  const map = host.open("/torn", specOf(args));
  const percpu = type === "percpu_hash" || type === "percpu_array";
  const see = percpu ? (slots) => slots.forEach(check) : check;
  const bytesEach = size === "u53" || percpu ? 0 : size;
  const some = Uint32Array.from({ length: 64 }, () => random.below(keys));
  const values = bytesEach === 0 ? undefined : new Uint8Array(some.length * bytesEach);
  const all = values && new Uint32Array(values.buffer);
  const batch = map.createBatch(keys);
  /** `count` values side by side. */
  const checkAll = (side, count) => {
    const each = bytesEach / 4;
    for (let i = 0; i < count; i++) checkWords(side, i * each, (i + 1) * each);
  };
  const ways = [
    () => {
      let seen = 0;
      for (let i = 0; i < STRIDE; i++) {
        const value = map.get(random.below(keys));
        if (value === undefined) continue;
        see(value);
        seen++;
      }
      return seen;
    },
    () => {
      let seen = 0;
      for (let i = 0; i < STRIDE; i += keys) {
        for (const value of map.values()) {
          see(value);
          seen++;
        }
      }
      return seen;
    },
    () => {
      let seen = 0;
      for (let i = 0; i < STRIDE; i += keys) {
        batch.rewind();
        map.lookupBatch(batch);
        const { values, count } = batch;
        if (bytesEach === 0) for (let at = 0; at < count; at++) see(batch.value(at));
        else checkAll(new Uint32Array(values.buffer, values.byteOffset, values.length / 4), count);
        seen += count;
      }
      return seen;
    },
  ];
  if (values !== undefined) {
    // Zeros stand for absent keys, which are not counted.
    ways.push(() => {
      let seen = 0;
      for (let i = 0; i < STRIDE; i += some.length) {
        seen += map.lookupMany(some, values);
        checkAll(all, some.length);
      }
      return seen;
    });
  }
  let total = 0;
  for (let turn = 0; ; turn++) {
    const seen = ways[turn % ways.length]();
    total += seen;
    // In thousands, so that the sum stays a number of 32 bits.
    const kilo = Math.floor(total / 1000) - Math.floor((total - seen) / 1000);
    if (Atomics.add(control, FREE, kilo) + kilo >= reads / 1000) return total;
  }
}
