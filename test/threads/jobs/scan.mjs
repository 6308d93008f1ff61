// Exactly once, with the writers in other threads: they grow and shrink the map all the time by keys of their own, and every
// scan, iteration, BPF iterator and drain must give each key that stays exactly once, and none twice.
import { ACT_DELETE, ACT_KEEP, ACT_STOP, createHost, program, u32 } from "bpfmap";
import { check, verified } from "../kit/check.mjs";
import { stop, stopped } from "../kit/control.mjs";
import { codecs, LAYOUTS } from "../kit/layouts.mjs";

export async function run(team, { type, layout: name, stable, passing, writers, scanners, scans, drains }) {
  const layout = LAYOUTS[name];
  const threads = writers + scanners;
  const host = createHost({ shared: true, cpus: threads + 1, seed: team.seed, maxMemory: 256 << 20 });
  const maxEntries = stable + writers * passing;
  const map = host.createMap({ type, name: "scan", ...codecs(layout), maxEntries });
  for (let n = 0; n < stable; n++) map.set(layout.keyOf(n), layout.valueFor(n, 1));
  host.pin("/scan", map);
  const before = map.stats();
  const args = { type, name, stable, passing };
  const writing = team.startAll(host, "write", writers, (writer) => ({ ...args, writer }));
  await Promise.all(writing.map((member) => member.ready));
  await team.results(team.startAll(host, "scan", scanners, () => ({ ...args, scans })));
  // One thread alone: what one drain has taken, another one would miss.
  await team.results([team.start(host, "drain", { ...args, drains })]);
  stop(team.control);
  const written = await team.results(writing);
  verified(host, "at the end");
  const after = map.stats();
  if (type === "rhash")
    check("buckets were split and merged", after.splits > before.splits && after.merges > before.merges);
  host.close();
  return { writes: written.reduce((a, b) => a + b), splits: after.splits, merges: after.merges };
}

const open = (host, { type, name }) => host.open("/scan", { type, ...codecs(LAYOUTS[name]) });

/** Waves of own keys. */
export function write({ host, random, control }, args) {
  const { name, stable, passing, writer } = args;
  const { keyOf, valueFor } = LAYOUTS[name];
  const map = open(host, args);
  let writes = 0;
  for (; !stopped(control); writes++) {
    const n = stable + writer * passing + random.below(passing);
    const growing = writes % (4 * passing) < 2 * passing;
    if (random.chance(growing ? 90 : 10)) map.set(keyOf(n), valueFor(n, 1));
    else map.delete(keyOf(n));
  }
  return writes;
}

/** Takes note of what one pass over the map gives. */
class Pass {
  #seen;
  #stable;
  #layout;

  constructor({ name, stable }, what) {
    this.what = what;
    this.#layout = LAYOUTS[name];
    this.#stable = stable;
    this.#seen = new Set();
  }

  take(key, value) {
    const n = this.#layout.numberOf(key);
    this.#layout.sequenceOf(n, value);
    if (this.#seen.has(n)) throw new Error(`${this.what}: key ${n} came twice`);
    this.#seen.add(n);
  }

  end() {
    for (let n = 0; n < this.#stable; n++) {
      if (!this.#seen.has(n)) throw new Error(`${this.what}: stable key ${n} was missed`);
    }
  }
}

const roomOf = (random) => (random.chance(20) ? random.between(1, 3) : random.between(4, 300));

export function scan({ host, random }, args) {
  const map = open(host, args);
  for (let i = 0; i < args.scans; i++) {
    const room = roomOf(random);
    const batches = new Pass(args, `scan ${i} by ${room}`);
    for (const batch of map.batches({ size: room })) {
      for (const [key, value] of batch.entries()) batches.take(key, value);
    }
    batches.end();
    const entries = new Pass(args, `iteration ${i}`);
    for (const [key, value] of map) entries.take(key, value);
    entries.end();
    iterate(map, args, random, i);
    sweep(map, args, random, i);
  }
}

/** Programs that keep everything: a function, and one that is compiled, whole and in parts. */
function sweep(map, args, random, i) {
  const { stable } = args;
  const { numberOf } = LAYOUTS[args.name];
  const seen = new Set();
  let what = `run ${i}`;
  // The value may be half written: a function looks at it without a lock. The key is not.
  const filter = ({ key }) => {
    const n = numberOf(key);
    if (seen.has(n)) throw new Error(`${what}: key ${n} came twice`);
    seen.add(n);
    return random.chance(2) ? ACT_STOP : ACT_KEEP;
  };
  const everything = () => {
    for (let n = 0; n < stable; n++) if (!seen.has(n)) throw new Error(`${what}: stable key ${n} was missed`);
    seen.clear();
  };
  map.process({ filter: (entry) => filter(entry) & ~ACT_STOP });
  everything();
  what = `run ${i} in parts`;
  let cursor;
  do ({ cursor } = map.process({ filter, budget: { entries: random.between(1, 200) }, cursor }));
  while (cursor !== undefined);
  everything();
  const counting = program(map, (_, { counters }) => counters.seen.add(1), { counters: { seen: u32 } });
  do ({ cursor } = map.process({ filter: counting, budget: { entries: random.between(1, 200) }, cursor }));
  while (cursor !== undefined);
  check("a compiled program sees at least what stays", counting.counters.seen >= stable);
  counting.close();
}

/** Takes everything by `process`: every entry is in what the dumper sees, whole, since nobody else has it any more. */
function dumpAll(map, taken, random, deleting) {
  const dumper = ({ key, value }) => taken.take(key, value);
  const parts = random.chance(50)
    ? { budget: { entries: random.between(1, 300) } }
    : { size: random.between(1, 300) };
  let cursor;
  do ({ cursor } = map.process({ filter: deleting, dumper, ...parts, cursor }));
  while (cursor !== undefined);
}

/** An iterator shows an element again that did not fit, but its output has it once. */
function iterate(map, args, random, i) {
  const layout = LAYOUTS[args.name];
  const bufferSize = random.chance(20) ? random.between(8, 30) : random.between(30, 3000);
  const output = new Pass(args, `iterator ${i} by ${bufferSize} bytes`);
  const shown = new Map();
  const iterator = map.iterator({
    bufferSize,
    show(seq, entry) {
      if (!entry) return;
      const { key, value } = entry.copy();
      const n = layout.numberOf(key);
      // The fields of the entry read the same bytes, one by one.
      layout.sequenceOf(n, entry.value);
      shown.set(n, [key, value]);
      seq.write(`${n}\n`);
    },
  });
  for (let piece = iterator.read(); piece; piece = iterator.read()) {
    const lines = new TextDecoder().decode(piece).split("\n");
    if (lines.pop() !== "") throw new Error(`${output.what}: an element was split`);
    for (const line of lines) output.take(...shown.get(Number(line)));
  }
  output.end();
}

export function drain({ host, random }, args) {
  const { name, stable, drains } = args;
  const { keyOf, valueFor } = LAYOUTS[name];
  const map = open(host, args);
  const always = program(
    map,
    (_, { counters }) => [counters.seen.add(1), counters.seen.value.ge(0).then(ACT_DELETE)],
    {
      counters: { seen: u32 },
    },
  );
  for (let i = 0; i < drains; i++) {
    const room = roomOf(random);
    const taken = new Pass(args, `drain ${i} by ${room}`);
    if (i % 4 === 2) dumpAll(map, taken, random, () => ACT_DELETE);
    else if (i % 4 === 3) dumpAll(map, taken, random, always);
    else if (i % 2 === 0) {
      const batch = map.createBatch(room);
      for (let more = true; more; ) {
        batch.count = room;
        more = map.lookupAndDeleteBatch(batch);
        for (const [key, value] of batch.entries()) taken.take(key, value);
      }
      batch.close();
    } else for (const [key, value] of map.drain({ size: room })) taken.take(key, value);
    taken.end();
    for (let n = 0; n < stable; n++) map.set(keyOf(n), valueFor(n, 1));
  }
}
