// Growth under contention: threads fill a map that starts far too small, each with a low-water hook that makes it larger. Every
// crossing of the mark is told to exactly one of them, nothing is lost, and what was written before stays readable all the time.
import { createHost } from "bpfmap";
import { check, equal, verified } from "../kit/check.mjs";
import { barrier, FREE } from "../kit/control.mjs";
import { codecs, LAYOUTS } from "../kit/layouts.mjs";

/** Slots of the mark, and how many more each hook makes: more than the mark, so that one growth leads back above it. */
const KEPT = 16;
const STEP = 100;
const FIRST = 40;

export async function run(team, { type, layout: name, entries, threads, hookless }) {
  const layout = LAYOUTS[name];
  const host = createHost({ shared: true, cpus: threads + 1, seed: team.seed, maxMemory: 256 << 20 });
  // Sets the mark. This thread inserts nothing.
  const lowWater = { free: KEPT, grow: () => {} };
  const map = host.createMap({ type, name: "grow", ...codecs(layout), maxEntries: FIRST, lowWater });
  host.pin("/grow", map);
  const address = type === "array" ? map.lookup(FIRST - 1) : 0;
  const members = team.startAll(host, "fill", threads, (i) => ({
    type,
    name,
    entries,
    threads,
    hooked: i >= hookless,
  }));
  const calls = (await team.results(members)).reduce((a, b) => a + b);
  equal("hook calls", Math.ceil((entries - (FIRST - KEPT)) / STEP), calls);
  equal("maxEntries", FIRST + calls * STEP, map.info.maxEntries);
  if (type !== "array") equal("size", entries, map.size);
  else equal("address", address, map.lookup(FIRST - 1));
  for (let n = 0; n < entries; n++) {
    const value = map.get(layout.keyOf(n));
    check(`entry ${n}`, value !== undefined && layout.sequenceOf(n, value) === 1);
  }
  verified(host, "when full");
  host.close();
  return { calls };
}

/** Writes entries, each of which one thread takes, and looks at some that it has written before. How often its hook was called. */
export function fill({ host, random, control }, { type, name, entries, threads, hooked }) {
  const layout = LAYOUTS[name];
  let calls = 0;
  const lowWater = {
    free: KEPT,
    grow(map) {
      calls++;
      map.grow(map.info.maxEntries + STEP);
    },
  };
  const map = host.open("/grow", { type, ...codecs(layout), lowWater: hooked ? lowWater : undefined });
  const own = [];
  barrier(control, threads);
  while (true) {
    const n = Atomics.add(control, FREE, 1);
    if (n >= entries) return calls;
    while (!insert(map, layout.keyOf(n), layout.valueFor(n, 1)));
    own.push(n);
    const seen = own[random.below(own.length)];
    const value = map.get(layout.keyOf(seen));
    if (value === undefined) throw new Error(`entry ${seen} is gone`);
    layout.sequenceOf(seen, value);
  }
}

/** False while the map is full: the hook of another thread is making room. */
function insert(map, key, value) {
  try {
    map.set(key, value);
    return true;
  } catch (error) {
    if (error.code !== "E2BIG") throw error;
    return false;
  }
}
