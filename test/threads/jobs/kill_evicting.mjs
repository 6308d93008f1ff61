// Threads are killed at random in a full map that evicts. After each kill the survivors stand still. Then every invariant must hold, no key be
// there twice, every value be whole and of its key, and the count exact: as many inserts as there is room for are no evictions, and one more
// is one.
//
// With a `ttl` entries expire, too. Time passes only while all stand still, so that every value can say when it expires: nobody may ever see one
// that should be gone.
import { createHost } from "bpfmap";
import { equal, verified } from "../kit/check.mjs";
import { FREE, pause, resume, standStill, stop, stopped } from "../kit/control.mjs";
import { codecs, LAYOUTS } from "../kit/layouts.mjs";
import { sleep } from "../kit/team.mjs";

const SURVIVORS = 2;
/** Victims that are started together. */
const VICTIMS = 5;
const BATCH = 20;
/** Words of the control array: which victim may begin, and how many have come to wait for that. */
const TURN = FREE;
const SET_UP = FREE + 1;
/** What time it is on all hosts. */
const TIME = FREE + 2;
/** Keys of the threads are below this; those that fill the map up are above. */
const FILLERS = 2 ** 16;

/** What stands for a time that never comes, in a value that does not expire. */
const NEVER = 4095;
/** Above what a value counts, in these steps. */
const COUNT = 4096;
const CPUS = SURVIVORS + VICTIMS + 1;

/**
 * How the values of a type are made and read: per-CPU ones count, each slot in steps of its own key. Where they expire, they are also set, then
 * all slots say when.
 */
function valuesOf(type, layout) {
  if (type !== "lru_percpu_hash") return layout;
  const unit = (n) => n + 1;
  return {
    ...layout,
    step: (n) => unit(n) * COUNT,
    valueFor: (n, sequence) => new Array(CPUS).fill(unit(n) * sequence),
    sequenceOf(n, slots) {
      const odd = slots.find((slot) => slot % unit(n) !== 0);
      if (odd !== undefined) throw new Error(`${odd} was counted for key ${n}`);
      const sequences = new Set(slots.map((slot) => (slot / unit(n)) % COUNT));
      if (sequences.size !== 1) throw new Error(`torn value of key ${n}: ${slots}`);
      return sequences.values().next().value;
    },
  };
}

/** Members go by the time of the coordinator. */
export const attachOptions = (control) => ({ clock: () => Atomics.load(control, TIME) });

/** Reads a value, which must be whole, and not one that should be gone. */
function check(layout, n, value, control, ttl) {
  const sequence = layout.sequenceOf(n, value);
  if (ttl === undefined || sequence === 0) return; // 0: only counted
  const time = Atomics.load(control, TIME);
  if (sequence <= time)
    throw new Error(`at ${time}, a value of key ${n} was seen that expired at ${sequence}`);
}

export async function run(team, { type, layout: name, maxEntries, kills, ttl }) {
  const layout = valuesOf(type, LAYOUTS[name]);
  const { control } = team;
  Atomics.store(control, TIME, 1);
  const options = { shared: true, cpus: CPUS, seed: team.seed, maxMemory: 64 << 20 };
  const host = createHost({ ...options, ...attachOptions(control) });
  const timed = ttl === undefined ? {} : { ttl, ttlResolution: 1 };
  const map = host.createMap({ type, name: "cache", ...codecs(layout), maxEntries, ...timed });
  host.pin("/cache", map);
  const args = (turn) => ({ type, name, maxEntries, turn, ttl });
  const survivors = team.startAll(host, "survive", SURVIVORS, () => args(0));
  await Promise.all(survivors.map((member) => member.ready));
  const waiting = [];
  let filler = FILLERS;
  let most = 0;
  for (let kill = 1; kill <= kills; kill++) {
    if (waiting.length === 0) {
      for (let turn = kill; turn <= kills && turn < kill + VICTIMS; turn++) {
        waiting.push(team.start(host, "die", args(turn)));
      }
      // A thread that attaches allocates, so all must have done it before anything is checked.
      while (Atomics.load(control, SET_UP) < kill + waiting.length - 1) await sleep(1);
    }
    const victim = waiting.shift();
    team.note(`kill ${kill}`);
    Atomics.store(control, TURN, kill);
    Atomics.notify(control, TURN);
    await sleep(team.random.below(4));
    await victim.terminate();
    if (!victim.watched) host.reap(victim.cpu);
    await pause(control, SURVIVORS);
    await cleared(host);
    most = Math.max(most, map.size);
    const inspected = (when) => inspect(host, map, layout, when, control, ttl);
    inspected(`after kill ${kill}`);
    if (ttl !== undefined) {
      // Time passes while nobody does anything; half of the times, all that has expired is left for inserts to sweep.
      Atomics.add(control, TIME, 1);
      host.expiry.tick(Atomics.load(control, TIME));
      inspected(`after kill ${kill}, a tick later`);
      if (kill % 2 === 0) map.sweep(2 ** 20);
    }
    for (let room = maxEntries - map.size; room >= 0; room--) {
      do filler = FILLERS + ((filler + 1) % FILLERS);
      while (map.has(layout.keyOf(filler)));
      insert(map, layout, filler, control, ttl);
      if (ttl !== undefined && kill % 2 === 1) continue; // it may have swept
      equal(
        `after kill ${kill}: size with a filler`,
        room === 0 ? maxEntries : maxEntries - room + 1,
        map.size,
      );
    }
    inspected(`after kill ${kill}, filled`);
    await resume(control);
  }
  stop(control);
  const operations = (await team.results(survivors)).reduce((a, b) => a + b);
  inspect(host, map, layout, "at the end", control, ttl);
  const { expired } = map.stats();
  host.unpin("/cache");
  map.close();
  equal("bytes in use after close", 0, host.memoryUsage().bytes);
  host.close();
  return { kills, operations, most, expired };
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

function inspect(host, map, layout, when, control, ttl) {
  verified(host, when);
  const seen = new Set();
  for (const [key, value] of map) {
    const n = layout.numberOf(key);
    if (seen.has(n)) throw new Error(`${when}: key ${n} came twice`);
    seen.add(n);
    check(layout, n, value, control, ttl);
    check(layout, n, map.peek(key), control, ttl);
  }
  if (ttl === undefined) equal(`${when}: size`, seen.size, map.size);
  else if (seen.size > map.size)
    throw new Error(`${when}: ${seen.size} entries in a map of size ${map.size}`);
}

/** Sets a key, or counts it. With a ttl, the value says when it expires. */
function insert(map, layout, n, control, ttl, sequence = 1) {
  const counts = typeof layout.step === "function";
  const key = layout.keyOf(n);
  if (counts && (ttl === undefined || sequence % 2 === 0)) map.add(key, layout.step(n));
  else if (ttl === undefined) map.set(key, layout.valueFor(n, sequence));
  else if (sequence % 7 === 0) map.set(key, layout.valueFor(n, NEVER), { ttl: Number.POSITIVE_INFINITY });
  else {
    const own = 1 + ((sequence >> 1) % (2 * ttl));
    map.set(key, layout.valueFor(n, Atomics.load(control, TIME) + own), { ttl: own });
  }
}

class User {
  operations = 0;
  #sequence = 1;

  constructor({ host, random, control }, { type, name, maxEntries, ttl }) {
    this.layout = valuesOf(type, LAYOUTS[name]);
    this.map = host.open("/cache", { type, ...codecs(this.layout) });
    this.counts = typeof this.layout.step === "function";
    this.batch = this.counts ? undefined : this.map.createBatch(BATCH);
    Object.assign(this, { host, random, control, ttl, keys: 3 * maxEntries });
  }

  step() {
    const { layout, map, random, control, ttl } = this;
    const n = random.below(this.keys);
    const key = layout.keyOf(n);
    const roll = random.below(100);
    this.operations++;
    if (roll < 30) {
      const value = map.get(key);
      if (value !== undefined) check(layout, n, value, control, ttl);
    } else if (roll < 32) map.delete(key);
    else if (roll < 33) map.lookupAndDelete(key);
    else if (roll < 37) this.#batch();
    else if (roll < 39) this.host.section(() => map.get(key));
    else if (roll < 41 && ttl !== undefined) this.#lookAround();
    else insert(map, layout, n, control, ttl, 1 + (this.#sequence++ % 30));
  }

  /** Sweeps, or looks at some entries. */
  #lookAround() {
    const { layout, map, random, control, ttl } = this;
    if (random.below(4) === 0) map.sweep(4);
    let left = 20;
    for (const [key, value] of map) {
      check(layout, layout.numberOf(key), value, control, ttl);
      if (--left === 0) break;
    }
  }

  #batch() {
    const { batch, layout, map, random } = this;
    const numbers = Array.from({ length: BATCH }, () => random.below(this.keys));
    if (this.counts) {
      map.addMany(
        numbers.map((n) => layout.keyOf(n)),
        numbers.map((n) => layout.step(n)),
      );
      return;
    }
    const expiry = Atomics.load(this.control, TIME) + this.ttl;
    for (const [i, n] of numbers.entries()) {
      batch.set(i, layout.keyOf(n), layout.valueFor(n, this.ttl === undefined ? 1 + (i % 30) : expiry));
    }
    batch.count = BATCH;
    map.updateBatch(batch);
  }
}

export function survive(context, args) {
  const user = new User(context, args);
  while (!stopped(context.control)) {
    standStill(context.control);
    user.step();
  }
  return user.operations;
}

/** Until it is killed. */
export function die(context, args) {
  const { control } = context;
  const user = new User(context, args);
  Atomics.add(control, SET_UP, 1);
  while (Atomics.load(control, TURN) < args.turn) {
    if (stopped(control)) return;
    Atomics.wait(control, TURN, Atomics.load(control, TURN), 1000);
  }
  while (!stopped(control)) user.step();
}
