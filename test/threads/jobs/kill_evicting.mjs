// Threads are killed at random in a full map that evicts. After each kill the survivors stand still. Then every invariant must hold, no key be
// there twice, every value be whole and of its key, and the count exact: as many inserts as there is room for are no evictions, and one more
// is one.
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
/** Keys of the threads are below this; those that fill the map up are above. */
const FILLERS = 2 ** 16;

/** How the values of a type are made and read: per-CPU ones only count, each slot in steps of its own key. */
function valuesOf(type, layout) {
  if (type !== "lru_percpu_hash") return layout;
  const step = (n) => n + 1;
  return {
    ...layout,
    step,
    sequenceOf(n, slots) {
      const odd = slots.find((slot) => slot % step(n) !== 0);
      if (odd !== undefined) throw new Error(`${odd} was counted for key ${n}`);
      return 0;
    },
  };
}

export async function run(team, { type, layout: name, maxEntries, kills }) {
  const layout = valuesOf(type, LAYOUTS[name]);
  const host = createHost({
    shared: true,
    cpus: SURVIVORS + VICTIMS + 1,
    seed: team.seed,
    maxMemory: 64 << 20,
  });
  const map = host.createMap({ type, name: "cache", ...codecs(layout), maxEntries });
  host.pin("/cache", map);
  const args = (turn) => ({ type, name, maxEntries, turn });
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
      while (Atomics.load(team.control, SET_UP) < kill + waiting.length - 1) await sleep(1);
    }
    const victim = waiting.shift();
    team.note(`kill ${kill}`);
    Atomics.store(team.control, TURN, kill);
    Atomics.notify(team.control, TURN);
    await sleep(team.random.below(4));
    await victim.terminate();
    if (!victim.watched) host.reap(victim.cpu);
    await pause(team.control, SURVIVORS);
    await cleared(host);
    most = Math.max(most, map.size);
    inspect(host, map, layout, `after kill ${kill}`);
    for (let room = maxEntries - map.size; room >= 0; room--) {
      do filler = FILLERS + ((filler + 1) % FILLERS);
      while (map.has(layout.keyOf(filler)));
      insert(map, layout, filler);
      equal(
        `after kill ${kill}: size with a filler`,
        room === 0 ? maxEntries : maxEntries - room + 1,
        map.size,
      );
    }
    inspect(host, map, layout, `after kill ${kill}, filled`);
    await resume(team.control);
  }
  stop(team.control);
  const operations = (await team.results(survivors)).reduce((a, b) => a + b);
  inspect(host, map, layout, "at the end");
  host.unpin("/cache");
  map.close();
  equal("bytes in use after close", 0, host.memoryUsage().bytes);
  host.close();
  return { kills, operations, most };
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

function inspect(host, map, layout, when) {
  verified(host, when);
  const seen = new Set();
  for (const [key, value] of map) {
    const n = layout.numberOf(key);
    if (seen.has(n)) throw new Error(`${when}: key ${n} came twice`);
    seen.add(n);
    layout.sequenceOf(n, value);
    layout.sequenceOf(n, map.peek(key));
  }
  equal(`${when}: size`, seen.size, map.size);
}

function insert(map, layout, n) {
  if (typeof layout.step === "function") map.add(layout.keyOf(n), layout.step(n));
  else map.set(layout.keyOf(n), layout.valueFor(n, 1));
}

class User {
  operations = 0;
  #sequence = 1;

  constructor({ host, random }, { type, name, maxEntries }) {
    this.layout = valuesOf(type, LAYOUTS[name]);
    this.map = host.open("/cache", { type, ...codecs(this.layout) });
    this.counts = typeof this.layout.step === "function";
    this.batch = this.counts ? undefined : this.map.createBatch(BATCH);
    Object.assign(this, { host, random, keys: 3 * maxEntries });
  }

  step() {
    const { layout, map, random } = this;
    const n = random.below(this.keys);
    const key = layout.keyOf(n);
    const roll = random.below(100);
    this.operations++;
    if (roll < 30) {
      const value = map.get(key);
      if (value !== undefined) layout.sequenceOf(n, value);
    } else if (roll < 32) map.delete(key);
    else if (roll < 33) map.lookupAndDelete(key);
    else if (roll < 37) this.#batch();
    else if (roll < 39) this.host.section(() => map.get(key));
    else if (this.counts) map.add(key, layout.step(n));
    else map.set(key, layout.valueFor(n, 1 + (this.#sequence++ % 30)));
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
    for (const [i, n] of numbers.entries()) batch.set(i, layout.keyOf(n), layout.valueFor(n, 1 + (i % 30)));
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
