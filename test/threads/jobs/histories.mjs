// Records what a few threads do to a few keys, and when, for test/threads/histories/histories.ts to decide whether it is linearizable. Many
// short rounds, each on keys that are absent (in an array: 0) at its start; meanwhile another thread makes the map grow and shrink.
import { BPF_EXIST, BPF_NOEXIST, createHost, struct, u32, u53 } from "bpfmap";
import { verified } from "../kit/check.mjs";
import { barrier, now, stop, stopped, together } from "../kit/control.mjs";
import { codecs, LAYOUTS } from "../kit/layouts.mjs";

/** Words of a recorded call; as in test/threads/histories/histories.ts. */
const CALL_WORDS = 6;
const KINDS = ["get", "set", "add", "delete", "lookupAndDelete", "insert", "replace"];
const ABSENT = -1;
/** Numbers of the keys of the rounds, and of those that come and go beside them. */
const ROUND_KEYS = 600;
const PASSING = 200;

const plain = (key, value) => ({
  key,
  value,
  keyOf: (n) => n,
  valueFor: (_, number) => number,
  sequenceOf: (_, number) => number,
  step: 1,
});
/** Values that are numbers as they are, so that `add` is among the calls, and those that tell torn ones. */
const HISTORY_LAYOUTS = {
  ...LAYOUTS,
  u32: plain(u32, u32),
  u53: plain(u32, u53),
  "u53 key": plain(u53, u53),
  "struct key": { ...plain(struct({ a: u32, b: u32, c: u32 }), u32), keyOf: (n) => ({ a: n, b: 1, c: n }) },
};

export async function run(team, { type, layout: name, threads, keys, calls, rounds }) {
  const layout = HISTORY_LAYOUTS[name];
  const host = createHost({ shared: true, cpus: threads + 2, seed: team.seed, maxMemory: 64 << 20 });
  const maxEntries = ROUND_KEYS + PASSING;
  const map = host.createMap({ type, name: "histories", ...codecs(layout), maxEntries });
  if (type === "array") for (let n = 0; n < maxEntries; n++) map.set(n, layout.valueFor(n, 0));
  host.pin("/histories", map);
  const words = new Int32Array(new SharedArrayBuffer(rounds * threads * calls * CALL_WORDS * 4));
  const args = { type, name, threads, keys, calls, rounds, words, seed: team.seed };
  const passing = type === "array" ? [] : [team.start(host, "pass", args)];
  await team.results(team.startAll(host, "record", threads, (thread) => ({ ...args, thread })));
  stop(team.control);
  await team.results(passing);
  verified(host, "at the end");
  host.close();
  // A copy: what is shared cannot be sent to another process.
  team.emit(new Int32Array(words));
  return { rounds };
}

const open = (host, { type, name }) => host.open("/histories", { type, ...codecs(HISTORY_LAYOUTS[name]) });

/** Grows and shrinks the map by keys of its own. */
export function pass({ host, random, control }, args) {
  const map = open(host, args);
  const { keyOf, valueFor } = HISTORY_LAYOUTS[args.name];
  for (let step = 0; !stopped(control); step++) {
    const n = ROUND_KEYS + random.below(PASSING);
    const growing = step % 800 < 400;
    if (random.chance(growing ? 85 : 15)) map.set(keyOf(n), valueFor(n, 1));
    else map.delete(keyOf(n));
  }
}

export function record({ host, random, control }, args) {
  const { type, name, thread, threads, keys, calls, rounds, words } = args;
  const layout = HISTORY_LAYOUTS[name];
  const map = open(host, args);
  const isArray = type === "array";
  const caller = new Caller(map, layout, random);
  const kinds = KINDS.filter((kind) => {
    if (isArray) return kind === "get" || kind === "set" || (kind === "add" && layout.step !== undefined);
    return kind !== "add" || layout.step !== undefined;
  });
  for (let round = 0; round < rounds; round++) {
    const numbers = Array.from({ length: keys }, (_, i) => (round * keys + i) % ROUND_KEYS);
    barrier(control, threads);
    together(control, threads);
    let at = (round * threads + thread) * calls * CALL_WORDS;
    for (let i = 0; i < calls; i++) {
      for (let spin = random.chance(50) ? random.below(300) : 0; spin > 0; spin--) Atomics.load(control, 0);
      const n = numbers[random.below(keys)];
      const kind = kinds[random.below(kinds.length)];
      const argument = random.between(1, 1000);
      const start = now(control);
      const result = caller[kind](n, argument);
      words[at++] = KINDS.indexOf(kind);
      words[at++] = n;
      words[at++] = argument;
      words[at++] = Number(result ?? ABSENT);
      words[at++] = start;
      words[at++] = now(control);
    }
    barrier(control, threads);
    if (thread !== 0) continue;
    for (const n of numbers) {
      if (isArray) map.set(n, layout.valueFor(n, 0));
      else map.delete(layout.keyOf(n));
    }
  }
}

/** Each call in one of the ways that there are for it. */
class Caller {
  constructor(map, layout, random) {
    this.map = map;
    this.layout = layout;
    this.random = random;
    this.batch = map.createBatch(1);
    this.values = new Uint8Array(layout.value.size);
    this.view = new DataView(this.values.buffer);
  }

  get(n) {
    const { map, layout } = this;
    const key = layout.keyOf(n);
    if (this.random.chance(60)) return this.number(n, map.get(key));
    return map.lookupMany([key], this.values) === 0
      ? undefined
      : this.number(n, layout.value.decode(this.view, 0));
  }

  set(n, argument) {
    const { map, layout } = this;
    if (this.random.chance(60)) map.set(layout.keyOf(n), layout.valueFor(n, argument));
    else this.write(n, argument, 0);
  }

  add(n, argument) {
    return this.map.add(this.layout.keyOf(n), argument * this.layout.step);
  }

  delete(n) {
    const { map, layout, batch } = this;
    const key = layout.keyOf(n);
    if (this.random.chance(60)) return map.delete(key);
    batch.set(0, key, layout.valueFor(n, 1));
    batch.count = 1;
    return this.done("ENOENT", () => map.deleteBatch(batch));
  }

  lookupAndDelete(n) {
    return this.number(n, this.map.lookupAndDelete(this.layout.keyOf(n)));
  }

  insert(n, argument) {
    return this.done("EEXIST", () => this.write(n, argument, BPF_NOEXIST));
  }

  replace(n, argument) {
    return this.done("ENOENT", () => this.write(n, argument, BPF_EXIST));
  }

  write(n, argument, flags) {
    const { map, layout, batch } = this;
    const key = layout.keyOf(n);
    const value = layout.valueFor(n, argument);
    if (this.random.chance(50)) return map.update(key, value, flags);
    batch.set(0, key, value);
    batch.count = 1;
    batch.elemFlags = flags;
    try {
      map.updateBatch(batch);
    } finally {
      batch.elemFlags = 0;
    }
  }

  number(n, value) {
    return value === undefined ? undefined : this.layout.sequenceOf(n, value);
  }

  /** Whether a call was done; false when it was refused with the errno. */
  done(refusal, call) {
    try {
      call();
      return true;
    } catch (error) {
      if (error.code !== refusal) throw error;
      return false;
    }
  }
}
