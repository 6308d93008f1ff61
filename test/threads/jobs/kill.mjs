// Threads are killed in the middle of whatever they do, and nothing but the operation in flight may be lost. Every key has one
// owner; owners note in memory of their own, which outlives them, what they are about to write and, after it, that it is written.
// After each kill the survivors stand still, and then every invariant must hold, every key must have the value that was noted, and
// the keys of the operation in flight the one from before it or the one from after it.
import { BPF_EXIST, BPF_F_LOCK, BPF_NOEXIST, createHost, spinLock, struct, u32 } from "bpfmap";
import { equal, verified } from "../kit/check.mjs";
import { FREE, pause, resume, standStill, stop, stopped } from "../kit/control.mjs";
import { codecs, LAYOUTS } from "../kit/layouts.mjs";
import { sleep } from "../kit/team.mjs";

const SURVIVORS = 2;
const OWNERS = SURVIVORS + 1;
/** Victims that are started together. */
const VICTIMS = 5;
/** Entries of the largest batch. */
const BATCH = 48;
/** Words of the control array: which victim may begin, and how many have come to wait for that. */
const TURN = FREE;
const SET_UP = FREE + 1;
/** Operations after which a thread that was growing the map shrinks it, and the other way round. */
const WAVE = 400;
/** The turn of those that are killed while they attach. */
const NEVER = 2 ** 31 - 1;
const TOKENS_MAX = 3000;
const ACCOUNTS = 4;

const account = struct({ lock: spinLock, count: u32, copy: u32 });
const token = { key: u32, value: u32 };

/** What one owner has done and is about to do, in shared memory. */
class Notes {
  /** `intents[0]`: how many pairs of key and sequence (0: absent) follow. */
  constructor(shared = {}) {
    this.intents = shared.intents ?? new Float64Array(new SharedArrayBuffer(8 * (1 + 2 * BATCH)));
    /** Tokens put and taken, and how many may be taken or put by the operation in flight; account counts, likewise. */
    this.counts = shared.counts ?? new Int32Array(new SharedArrayBuffer(4 * 8));
  }
}
const PUT = 0;
const TAKEN = 1;
const PUTTING = 2;
const TAKING = 3;
const COUNTED = 4;
const COUNTING = 5;

export async function run(team, { type, layout: name, keys, kills, attaching = 0 }) {
  const layout = LAYOUTS[name];
  const host = createHost({
    shared: true,
    cpus: SURVIVORS + VICTIMS + 2,
    seed: team.seed,
    maxMemory: 64 << 20,
  });
  const map = host.createMap({ type, name: "main", ...codecs(layout), maxEntries: keys });
  const tokens = host.createMap({ type: "rhash", name: "tokens", ...token, maxEntries: 2 * TOKENS_MAX });
  const accounts = host.createMap({
    type: "hash",
    name: "accounts",
    key: u32,
    value: account,
    maxEntries: ACCOUNTS,
  });
  for (let n = 0; n < ACCOUNTS; n++) accounts.set(n, { count: 0, copy: 0 });
  for (const each of [map, tokens, accounts]) host.pin(`/${each.name}`, each);
  const shared = {
    model: new Float64Array(new SharedArrayBuffer(8 * keys)),
    last: new Float64Array(new SharedArrayBuffer(8 * keys)),
    notes: Array.from({ length: OWNERS }, () => new Notes()),
  };
  const argsOf = (owner, turn = 0) => ({ type, name, keys, owner, turn, ...shared });
  const survivors = team.startAll(host, "survive", SURVIVORS, argsOf);
  await Promise.all(survivors.map((member) => member.ready));
  const inspection = new Inspection(
    { host, map, tokens, accounts, layout, isArray: type === "array" },
    shared,
  );

  const waiting = [];
  /** Starts victims that wait for their turns, the first of them `turn`. */
  const startVictims = async (turn) => {
    for (let next = turn; next <= kills && next < turn + VICTIMS; next++) {
      waiting.push(team.start(host, "die", argsOf(SURVIVORS, next)));
    }
    // A thread that attaches allocates, so all must have done it before anything is checked.
    while (Atomics.load(team.control, SET_UP) < turn + waiting.length - 1) await sleep(1);
  };
  await startVictims(1);
  for (let kill = 1; kill <= kills; kill++) {
    const victim = waiting.shift();
    team.note(`kill ${kill}`);
    Atomics.store(team.control, TURN, kill);
    Atomics.notify(team.control, TURN);
    if (victim.watched && team.random.chance(attaching)) {
      // One that is killed while it starts or attaches.
      const doomed = team.start(host, "die", argsOf(SURVIVORS, NEVER));
      await sleep(team.random.below(150));
      await doomed.terminate();
    } else await delay(team.random.below(3000) / 1000);
    await victim.terminate();
    if (!victim.watched) host.reap(victim.cpu);
    await pause(team.control, SURVIVORS);
    // What could not be cleared up at once, since the survivors had the locks for it, is by a timer.
    await cleared(host);
    inspection.run(`after kill ${kill}`);
    // While the survivors stand still: they would take the time that the new ones need to start.
    if (waiting.length === 0 && kill < kills) await startVictims(kill + 1);
    await resume(team.control);
  }
  stop(team.control);
  const operations = (await team.results(survivors)).reduce((a, b) => a + b);
  inspection.run("at the end");
  for (const each of [map, tokens, accounts]) {
    host.unpin(`/${each.name}`);
    each.close();
  }
  equal("bytes in use after close", 0, host.memoryUsage().bytes);
  host.close();
  return { kills, operations, ...inspection.counts };
}

/** Waits until no slot is left behind. */
async function cleared(host) {
  const end = performance.now() + 5000;
  const dead = () => host.slots().filter(({ state }) => state !== "live" && state !== "free");
  while (dead().length > 0) {
    if (performance.now() > end) throw new Error(`slots are left behind: ${JSON.stringify(dead())}`);
    await sleep(1);
  }
}

/** Fractions of a millisecond, too, which timers do not have. */
async function delay(ms) {
  const end = performance.now() + ms;
  if (ms > 1.5) await sleep(ms - 1.5);
  while (performance.now() < end);
}

/** Looks at everything while nobody writes. */
class Inspection {
  /** Operations that were cut off, and of those how many had happened. */
  counts = { cut: 0, happened: 0 };
  /** Tokens and counts that operations in flight have taken, put or counted without a note. */
  #tokens = 0;
  #counts = 0;

  constructor(maps, shared) {
    Object.assign(this, maps, shared);
    this.found = new Float64Array(shared.model.length);
  }

  run(when) {
    verified(this.host, when);
    equal(`${when}: maps in the memory`, 3, this.host.memoryUsage().maps.length);
    this.#read(when);
    this.#compare(when);
    this.#checkTokens(when);
    this.#checkAccounts(when);
    const { intents, counts } = this.notes[SURVIVORS];
    intents[0] = 0;
    for (const word of [PUTTING, TAKING, COUNTING]) counts[word] = 0;
  }

  #read(when) {
    const { layout, map, found, isArray } = this;
    found.fill(0);
    let entries = 0;
    for (const [key, value] of map) {
      const n = layout.numberOf(key);
      if (found[n] !== 0) throw new Error(`${when}: key ${n} came twice`);
      const zeros = isArray && value === 0;
      found[n] = zeros ? 0 : layout.sequenceOf(n, value);
      entries++;
    }
    equal(`${when}: size`, entries, map.size);
  }

  #compare(when) {
    const { found, model, last } = this;
    const { intents } = this.notes[SURVIVORS];
    const allowed = new Map();
    for (let i = 0; i < intents[0]; i++) {
      const n = intents[1 + 2 * i];
      allowed.set(n, [...(allowed.get(n) ?? []), intents[2 + 2 * i]]);
    }
    let happened = false;
    for (let n = 0; n < model.length; n++) {
      if (found[n] === model[n]) continue;
      if (!allowed.get(n)?.includes(found[n])) {
        const flight = allowed.has(n) ? ` or, in flight, ${allowed.get(n)}` : "";
        throw new Error(
          `${when}: key ${n} of owner ${n % OWNERS} is ${found[n]}, expected ${model[n]}${flight}`,
        );
      }
      happened = true;
      model[n] = found[n];
      last[n] = Math.max(last[n], found[n]);
    }
    if (intents[0] > 0) this.counts.cut++;
    if (happened) this.counts.happened++;
  }

  #checkTokens(when) {
    let sum = 0;
    for (const { counts } of this.notes) sum += counts[PUT] - counts[TAKEN];
    const difference = this.tokens.size - sum - this.#tokens;
    const { counts } = this.notes[SURVIVORS];
    if (difference < -counts[TAKING] || difference > counts[PUTTING]) {
      const range = `-${counts[TAKING]} to ${counts[PUTTING]}`;
      throw new Error(`${when}: ${difference} tokens too many; in flight were ${range}`);
    }
    this.#tokens += difference;
    let entries = 0;
    for (const [key, value] of this.tokens) {
      equal(`${when}: token`, key, value);
      entries++;
    }
    equal(`${when}: tokens`, this.tokens.size, entries);
  }

  #checkAccounts(when) {
    let sum = 0;
    for (let n = 0; n < ACCOUNTS; n++) {
      const { count, copy } = this.accounts.get(n, BPF_F_LOCK);
      equal(`${when}: copy of account ${n}`, count, copy);
      sum += count;
    }
    for (const { counts } of this.notes) sum -= counts[COUNTED];
    const difference = sum - this.#counts;
    if (difference < 0 || difference > this.notes[SURVIVORS].counts[COUNTING]) {
      throw new Error(`${when}: ${difference} counts too many`);
    }
    this.#counts += difference;
  }
}

/** What an owner does. */
const WEIGHTS = {
  get: 10,
  many: 3,
  write: 40,
  remove: 25,
  writeBatch: 6,
  removeBatch: 4,
  hammer: 4,
  iterate: 2,
  section: 6,
  synchronize: 1,
  put: 10,
  takeBatch: 3,
  drain: 2,
  count: 6,
  privateMap: 2,
};

class Owner {
  operations = 0;

  constructor({ host, random }, { type, name, keys, owner, model, last, notes }) {
    const layout = LAYOUTS[name];
    this.map = host.open("/main", { type, ...codecs(layout) });
    this.tokens = host.open("/tokens", { type: "rhash", ...token });
    this.accounts = host.open("/accounts", { type: "hash", key: u32, value: account });
    Object.assign(this, { host, random, layout, keys, owner, model, last });
    this.intents = notes[owner].intents;
    this.counts = notes[owner].counts;
    this.isArray = type === "array";
    /** Whether it begins with growing or shrinking the map. */
    this.phase = random.below(2 * WAVE);
    this.batch = this.map.createBatch(BATCH);
    const omitted = this.isArray ? ["remove", "removeBatch"] : [];
    this.table = Object.entries(WEIGHTS).filter(([operation]) => !omitted.includes(operation));
    this.total = this.table.reduce((sum, [, weight]) => sum + weight, 0);
  }

  step() {
    let roll = this.random.below(this.total);
    for (const [operation, weight] of this.table) {
      roll -= weight;
      if (roll < 0) {
        this[operation]();
        break;
      }
    }
    this.operations++;
  }

  ownKey() {
    const n = this.owner + OWNERS * this.random.below(Math.ceil(this.keys / OWNERS));
    return n < this.keys ? n : this.owner;
  }

  /** Notes the pairs of key and sequence that `call` writes, runs it, and notes that it is done. */
  writing(pairs, call) {
    const { intents, model } = this;
    pairs.forEach(([n, sequence], i) => {
      intents[1 + 2 * i] = n;
      intents[2 + 2 * i] = sequence;
    });
    intents[0] = pairs.length;
    call();
    for (const [n, sequence] of pairs) model[n] = sequence;
    intents[0] = 0;
  }

  sequence(n) {
    if (this.last[n] + 1 >= this.layout.limit) throw new Error("the sequence numbers are used up");
    return ++this.last[n];
  }

  check(n, value) {
    const zeros = value === undefined || (this.isArray && value === 0);
    equal(`own key ${n}`, this.model[n], zeros ? 0 : this.layout.sequenceOf(n, value));
  }

  get() {
    const n = this.ownKey();
    this.check(n, this.map.get(this.layout.keyOf(n)));
  }

  many() {
    const numbers = Array.from({ length: 20 }, () => this.ownKey());
    const { layout, map } = this;
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

  write(n = this.ownKey()) {
    const growing = Math.floor((this.operations + this.phase) / WAVE) % 2 === 0;
    if (!growing && !this.isArray && this.random.chance(70)) return this.remove(n);
    const { map, layout, model, random } = this;
    const key = layout.keyOf(n);
    const sequence = this.sequence(n);
    const value = layout.valueFor(n, sequence);
    const present = this.isArray || model[n] !== 0;
    const roll = random.below(4);
    this.writing([[n, sequence]], () => {
      if (roll === 0) map.update(key, value, present ? BPF_EXIST : BPF_NOEXIST);
      else if (roll === 1 && layout.step !== undefined) {
        const delta = model[n] === 0 ? value : (sequence - model[n]) * layout.step;
        if (random.chance(50)) equal(`add to own key ${n}`, value, map.add(key, delta));
        else map.addMany([key], [delta]);
      } else map.set(key, value);
    });
  }

  remove(n = this.ownKey()) {
    const { map, layout, model } = this;
    const key = layout.keyOf(n);
    const take = this.random.chance(50);
    this.writing([[n, 0]], () => {
      if (take) this.check(n, map.lookupAndDelete(key));
      else equal(`delete of own key ${n}`, model[n] !== 0, map.delete(key));
    });
  }

  writeBatch() {
    const { batch, layout, map } = this;
    const pairs = Array.from({ length: this.random.between(1, BATCH) }, (_, i) => {
      const n = this.ownKey();
      const sequence = this.sequence(n);
      batch.set(i, layout.keyOf(n), layout.valueFor(n, sequence));
      return [n, sequence];
    });
    batch.count = pairs.length;
    this.writing(pairs, () => map.updateBatch(batch));
  }

  removeBatch() {
    const { batch, layout, map, model } = this;
    const chosen = new Set();
    for (let i = 0; i < BATCH; i++) {
      const n = this.ownKey();
      if (model[n] !== 0) chosen.add(n);
    }
    const numbers = [...chosen];
    if (numbers.length === 0) return;
    for (const [i, n] of numbers.entries()) batch.set(i, layout.keyOf(n), layout.valueFor(n, 1));
    batch.count = numbers.length;
    this.writing(
      numbers.map((n) => [n, 0]),
      () => map.deleteBatch(batch),
    );
  }

  /** Puts and deletes one batch over and over: nearly all of the time is spent in the core. */
  hammer() {
    const { batch, layout, map } = this;
    const numbers = [...new Set(Array.from({ length: BATCH }, () => this.ownKey()))];
    const pairs = numbers.map((n, i) => {
      const sequence = this.sequence(n);
      batch.set(i, layout.keyOf(n), layout.valueFor(n, sequence));
      return [n, sequence];
    });
    batch.count = pairs.length;
    const gone = numbers.map((n) => [n, 0]);
    for (let i = this.random.between(1, 30); i > 0; i--) {
      this.writing(pairs, () => map.updateBatch(batch));
      if (!this.isArray) this.writing(gone, () => map.deleteBatch(batch));
    }
  }

  iterate() {
    const { layout, map } = this;
    let most = this.random.between(1, 60);
    for (const [key, value] of map) {
      const n = layout.numberOf(key);
      if (n % OWNERS === this.owner) this.check(n, value);
      if (--most === 0) break;
    }
  }

  section() {
    this.host.section(() => {
      const n = this.ownKey();
      const address = this.map.lookup(this.layout.keyOf(n));
      const read = () => {
        this.check(n, address === 0 ? undefined : this.layout.value.decode(this.host.view, address));
      };
      read();
      for (let i = this.random.below(6); i > 0; i--) {
        const other = this.ownKey();
        if (other !== n) this.write(other);
      }
      // It has not moved, whatever was written around it.
      read();
    });
  }

  synchronize() {
    this.host.synchronize();
  }

  put() {
    const { counts, tokens } = this;
    if (tokens.size > TOKENS_MAX) return;
    // No number is used twice: the count of this owner goes up with every attempt.
    const number = this.owner * 2 ** 24 + counts[PUT] * 64 + this.random.below(64);
    if (tokens.has(number)) return;
    counts[PUTTING] = 1;
    tokens.set(number, number);
    counts[PUT]++;
    counts[PUTTING] = 0;
  }

  takeBatch() {
    const { counts, tokens } = this;
    const batch = tokens.createBatch(16);
    counts[TAKING] = batch.capacity;
    tokens.lookupAndDeleteBatch(batch);
    counts[TAKEN] += batch.count;
    counts[TAKING] = 0;
    batch.close();
  }

  /** Left early: what was not yielded goes back. */
  drain() {
    const { counts, tokens } = this;
    const size = 8;
    let most = this.random.between(1, 12);
    counts[TAKING] = size;
    for (const [key, value] of tokens.drain({ size })) {
      counts[TAKEN]++;
      equal("token", key, value);
      if (--most === 0) break;
    }
    counts[TAKING] = 0;
  }

  count() {
    const { accounts, counts } = this;
    counts[COUNTING] = 1;
    accounts.locked(this.random.below(ACCOUNTS), ({ count, copy }) => {
      equal("copy of an account", count, copy);
      return { count: count + 1, copy: count + 1 };
    });
    counts[COUNTED]++;
    counts[COUNTING] = 0;
  }

  /** A map of its own, which goes with the thread that made it. */
  privateMap() {
    const map = this.host.createMap({
      type: "rhash",
      name: "private",
      key: u32,
      value: u32,
      maxEntries: 100,
    });
    for (let n = 0; n < 30; n++) map.set(n, n);
    map.close();
  }
}

export function survive(context, args) {
  const owner = new Owner(context, args);
  while (!stopped(context.control)) {
    standStill(context.control);
    owner.step();
  }
  return owner.operations;
}

/** Until it is killed. Every other one opens the maps only when it has its turn, so that it may be killed in that. */
export function die(context, args) {
  const { control } = context;
  let owner = args.turn % 2 === 0 ? new Owner(context, args) : undefined;
  if (args.turn !== NEVER) Atomics.add(control, SET_UP, 1);
  while (Atomics.load(control, TURN) < args.turn) {
    if (stopped(control)) return;
    Atomics.wait(control, TURN, Atomics.load(control, TURN), 1000);
  }
  owner ??= new Owner(context, args);
  while (!stopped(control)) owner.step();
}
