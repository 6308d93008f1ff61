// Mixed operations of several threads on one map that grows and shrinks all the time. Every key has one owner, who writes rising
// sequence numbers, and everybody reads: no number may be older than one the thread has seen before, no value may be torn or
// belong to another key, and an owner's own keys must be exactly as it left them. With `others` = "delete", everybody also takes
// entries out of everybody's keys: then every insert that succeeded must be matched by one removal, or by an entry at the end.
import { BPF_EXIST, BPF_NOEXIST, createHost } from "bpfmap";
import { equal, holds, verified } from "../kit/check.mjs";
import { codecs, LAYOUTS } from "../kit/layouts.mjs";

/** Operations between two looks at the time. */
const STRIDE = 32;
/** Operations after which a thread that was growing the map shrinks it, and the other way round. */
const WAVE = 500;

const isZero = (value) =>
  typeof value === "number" ? value === 0 : Object.values(value).every((part) => part === 0);

/** The layout of an array: every key is there from the start, with zeros. */
const zeroed = (layout) => ({
  ...layout,
  sequenceOf: (n, value) => (isZero(value) ? 0 : layout.sequenceOf(n, value)),
});

export async function run(team, { type, layout: name, keys, threads, ms, others = "read" }) {
  const isArray = type === "array";
  const layout = isArray ? zeroed(LAYOUTS[name]) : LAYOUTS[name];
  const host = createHost({ shared: true, cpus: threads + 1, seed: team.seed, maxMemory: 512 << 20 });
  const map = host.createMap({ type, name: "stress", ...codecs(layout), maxEntries: keys });
  host.pin("/stress", map);
  const members = team.startAll(host, "mixed", threads, () => ({ type, name, keys, threads, ms, others }));
  const results = await team.results(members);

  verified(host, "at the end");
  if (others === "read") {
    const model = new Float64Array(keys);
    for (let n = 0; n < keys; n++) model[n] = results[n % threads].model[n];
    if (isArray) holdsAll(map, layout, model);
    else holds(map, layout, model, "at the end");
  } else {
    const balance = new Int32Array(keys);
    for (const { inserted, removed } of results) {
      for (let n = 0; n < keys; n++) balance[n] += inserted[n] - removed[n];
    }
    const model = new Float64Array(keys);
    for (let n = 0; n < keys; n++) {
      const value = map.get(layout.keyOf(n));
      if (value !== undefined) model[n] = layout.sequenceOf(n, value);
      const present = value === undefined ? 0 : 1;
      if (others === "delete") equal(`inserts without removal of key ${n}`, present, balance[n]);
      if (present) equal(`sequence of key ${n}`, results[n % threads].model[n], model[n]);
    }
    holds(map, layout, model, "at the end");
  }
  const operations = results.reduce((sum, result) => sum + result.operations, 0);
  map.clear();
  verified(host, "after clear");
  host.unpin("/stress");
  map.close();
  equal("bytes in use after close", 0, host.memoryUsage().bytes);
  host.close();
  return { operations };
}

function holdsAll(map, layout, model) {
  let n = 0;
  for (const [key, value] of map) {
    equal("index", n, key);
    equal(`sequence of index ${n}`, model[n], layout.sequenceOf(n, value));
    n++;
  }
  equal("elements", model.length, n);
}

/** One thread: its view of the map, and the operations. */
class Mixed {
  operations = 0;

  constructor({ host, index, random }, { type, name, keys, threads, others }) {
    this.layout = type === "array" ? zeroed(LAYOUTS[name]) : LAYOUTS[name];
    this.map = host.open("/stress", { type, ...codecs(this.layout) });
    Object.assign(this, { host, index, random, keys, threads, others, isArray: type === "array" });
    /** Of own keys: the last number written, and the number that is in the map, 0 when the key is not. */
    this.last = new Float64Array(keys);
    this.model = new Float64Array(keys);
    /** Of all keys: the newest number seen. */
    this.seen = new Float64Array(keys);
    this.inserted = new Int32Array(keys);
    this.removed = new Int32Array(keys);
    this.batch = this.map.createBatch(Math.min(256, keys));
    this.exact = others === "read";
    const scans = Math.max(0.01, Math.min(3, 100 / keys));
    const table = {
      get: 30,
      has: 3,
      many: 6,
      write: 40,
      writeBatch: 4,
      scan: scans,
      iterate: scans,
      section: 5,
      nextKey: this.isArray ? 0 : 3,
      removeBatch: this.isArray || !this.exact ? 0 : 2,
      takeBatch: this.exact ? 0 : 1,
      drain: this.exact ? 0 : scans / 10,
      clear: others === "clear" ? scans / 10 : 0,
    };
    this.table = Object.entries(table);
    this.total = this.table.reduce((sum, [, weight]) => sum + weight, 0);
  }

  step() {
    let roll = (this.random.next() / 2 ** 32) * this.total;
    for (const [operation, weight] of this.table) {
      roll -= weight;
      if (roll < 0) {
        this[operation]();
        break;
      }
    }
    this.operations++;
  }

  anyKey() {
    return this.random.below(this.keys);
  }

  ownKey() {
    const n = this.index + this.threads * this.random.below(Math.ceil(this.keys / this.threads));
    return n < this.keys ? n : this.index;
  }

  owns(n) {
    return n % this.threads === this.index;
  }

  /** What a read of key number `n` gave; undefined when it was absent. */
  check(n, value) {
    if (value === undefined) {
      if (this.exact && this.owns(n)) equal(`own key ${n}`, this.model[n], 0);
      return;
    }
    const sequence = this.layout.sequenceOf(n, value);
    if (this.owns(n)) equal(`own key ${n}`, this.exact ? this.model[n] : this.last[n], sequence);
    if (sequence < this.seen[n] && !this.isArray) {
      throw new Error(`key ${n} went back from ${this.seen[n]} to ${sequence}`);
    }
    this.seen[n] = sequence;
  }

  /** The value for the next write of own key `n`; undefined when its numbers are used up. */
  next(n) {
    if (this.last[n] + 1 >= this.layout.limit) return undefined;
    return this.layout.valueFor(n, ++this.last[n]);
  }

  get() {
    const n = this.random.chance(70) ? this.anyKey() : this.ownKey();
    this.check(n, this.map.get(this.layout.keyOf(n)));
  }

  has() {
    const n = this.ownKey();
    const found = this.map.has(this.layout.keyOf(n));
    if (this.exact) equal(`has of own key ${n}`, this.isArray || this.model[n] !== 0, found);
  }

  many() {
    const { layout, map } = this;
    const numbers = [...new Set(Array.from({ length: this.random.between(1, 24) }, () => this.anyKey()))];
    const { size } = layout.value;
    const values = new Uint8Array(numbers.length * size);
    map.lookupMany(
      numbers.map((n) => layout.keyOf(n)),
      values,
    );
    const view = new DataView(values.buffer);
    for (const [i, n] of numbers.entries()) {
      this.check(n, map.found(i) ? layout.value.decode(view, i * size) : undefined);
    }
  }

  write() {
    const growing = Math.floor(this.operations / WAVE) % 2 === 0;
    if (!this.isArray && !this.random.chance(growing ? 80 : 20)) return this.remove();
    const n = this.ownKey();
    if (this.exact) this.writeExactly(n);
    else this.writeMaybe(n);
  }

  writeExactly(n) {
    const { map, layout, random } = this;
    const before = this.model[n];
    const present = this.isArray || before !== 0;
    const value = this.next(n);
    if (value === undefined) return;
    const key = layout.keyOf(n);
    const roll = random.below(4);
    let done = true;
    if (roll === 0) done = this.update(key, value, BPF_NOEXIST, present);
    else if (roll === 1) done = this.update(key, value, BPF_EXIST, !present);
    else if (roll === 2 && layout.step !== undefined) {
      const delta = before === 0 ? value : (this.last[n] - before) * layout.step;
      if (random.chance(50)) equal(`add to own key ${n}`, value, map.add(key, delta));
      else map.addMany([key], [delta]);
    } else map.set(key, value);
    if (done) this.model[n] = this.last[n];
  }

  /** Whether an update was done; throws unless it is refused as `refused` says. */
  update(key, value, flags, refused) {
    try {
      this.map.update(key, value, flags);
    } catch (error) {
      if (error.code !== (flags === BPF_NOEXIST ? "EEXIST" : "ENOENT")) throw error;
      if (refused === false) throw new Error(`refused with flags ${flags}`, { cause: error });
      return false;
    }
    if (refused === true) throw new Error(`done with flags ${flags} although it must be refused`);
    return true;
  }

  writeMaybe(n) {
    const before = this.last[n];
    const value = this.next(n);
    if (value === undefined) return;
    const key = this.layout.keyOf(n);
    const insert = this.random.chance(60);
    if (!this.update(key, value, insert ? BPF_NOEXIST : BPF_EXIST)) this.last[n] = before;
    else if (insert) this.inserted[n]++;
    this.model[n] = this.last[n];
  }

  remove() {
    const n = this.exact ? this.ownKey() : this.anyKey();
    const key = this.layout.keyOf(n);
    if (this.random.chance(50)) {
      const done = this.map.delete(key);
      if (this.exact) equal(`delete of own key ${n}`, this.model[n] !== 0, done);
      if (done) this.removed[n]++;
    } else {
      const value = this.map.lookupAndDelete(key);
      this.check(n, value);
      if (value !== undefined) this.removed[n]++;
    }
    if (this.exact) this.model[n] = 0;
  }

  /** Own keys, some of them twice. */
  writeBatch() {
    if (!this.exact) return;
    const { batch, layout } = this;
    const last = new Map();
    let count = 0;
    for (const wanted = this.random.between(1, batch.capacity); count < wanted; count++) {
      const n = this.ownKey();
      const value = this.next(n);
      if (value === undefined) break;
      batch.set(count, layout.keyOf(n), value);
      last.set(n, this.last[n]);
    }
    if (count === 0) return;
    batch.count = count;
    this.map.updateBatch(batch);
    for (const [n, sequence] of last) this.model[n] = sequence;
  }

  removeBatch() {
    const { batch, layout } = this;
    const chosen = new Set();
    for (let i = this.random.between(1, batch.capacity); i > 0; i--) {
      const n = this.ownKey();
      if (this.model[n] !== 0) chosen.add(n);
    }
    if (chosen.size === 0) return;
    let count = 0;
    for (const n of chosen) batch.set(count++, layout.keyOf(n), layout.valueFor(n, 1));
    batch.count = count;
    this.map.deleteBatch(batch);
    for (const n of chosen) this.model[n] = 0;
  }

  /** Own keys do not change meanwhile: they must come exactly once. */
  pass(entries) {
    const { layout } = this;
    const came = new Set();
    for (const [key, value] of entries) {
      const n = layout.numberOf(key);
      if (came.has(n)) throw new Error(`key ${n} came twice in one scan`);
      came.add(n);
      this.check(n, value);
    }
    if (!this.exact) return;
    for (let n = this.index; n < this.keys; n += this.threads) {
      equal(`own key ${n} in a scan`, this.isArray || this.model[n] !== 0, came.has(n));
    }
  }

  scan() {
    const size = this.random.chance(20) ? 1 : this.random.between(1, 64);
    this.pass(this.batchEntries(this.keys > 1000 ? 512 : size));
  }

  *batchEntries(size) {
    for (const batch of this.map.batches({ size })) yield* batch.entries();
  }

  iterate() {
    this.pass(this.map.entries());
  }

  /** The live value of an own key stays where it is until the section ends. */
  section() {
    const { host, layout, map } = this;
    host.section(() => {
      const n = this.ownKey();
      const address = map.lookup(layout.keyOf(n));
      const read = () => this.check(n, address === 0 ? undefined : layout.value.decode(host.view, address));
      // Others may delete it, and then its memory stays, but what it holds is nobody's any more.
      if (!this.exact) return;
      read();
      for (let i = this.random.below(4); i > 0; i--) {
        const other = this.ownKey();
        if (other !== n) this.writeExactly(other);
      }
      read();
    });
  }

  nextKey() {
    let key = this.random.chance(50) ? undefined : this.layout.keyOf(this.anyKey());
    for (let i = 0; i < 3; i++) {
      key = this.map.nextKey(key);
      if (key === undefined) return;
      const n = this.layout.numberOf(key);
      if (!(n >= 0 && n < this.keys)) throw new Error(`nextKey gave ${JSON.stringify(key)}`);
    }
  }

  takeBatch() {
    const { batch, map, layout } = this;
    batch.rewind();
    for (let i = this.random.between(1, 3), more = true; i > 0 && more; i--) {
      batch.count = this.random.between(1, batch.capacity);
      more = map.lookupAndDeleteBatch(batch);
      for (const [key, value] of batch.entries()) this.took(layout.numberOf(key), value);
    }
  }

  drain() {
    let most = 4 * this.keys;
    for (const [key, value] of this.map.drain({ size: 1 + this.random.below(64) })) {
      this.took(this.layout.numberOf(key), value, true);
      if (--most === 0) throw new Error("the drain does not end");
    }
  }

  /** @param late another call may have seen a newer value since this one was taken out */
  took(n, value, late = false) {
    this.removed[n]++;
    if (late) this.layout.sequenceOf(n, value);
    else this.check(n, value);
  }

  clear() {
    this.map.clear();
  }
}

export function mixed(context, args) {
  const thread = new Mixed(context, args);
  const end = performance.now() + args.ms;
  while (performance.now() < end) for (let i = 0; i < STRIDE; i++) thread.step();
  const { operations, model, inserted, removed } = thread;
  thread.map.close();
  return { operations, model, inserted, removed };
}
