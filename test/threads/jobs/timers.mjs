// Timers of entries: each that a thread starts is fired by it or cancelled by somebody, never both and never neither, while
// others cancel, and while the entries move from bucket to bucket.
import { createHost, struct, timer, u32, u53 } from "bpfmap";
import { equal, verified } from "../kit/check.mjs";
import { FREE, stop, stopped } from "../kit/control.mjs";
import { sleep } from "../kit/team.mjs";

const VALUES = {
  tags: struct({ idle: timer, n: u32 }),
  refs: struct({ n: u53, more: u53, idle: timer, last: u53 }),
};
const newValue = (layout, n) => (layout === "tags" ? { n } : { n, more: n, last: n });
const specOf = ({ type, layout }) => ({ type, key: u32, value: VALUES[layout] });

/** Keys of each thread that starts timers. For each, a word counts how often others have cancelled its timer. */
const OWN = 20;
/** Keys that come and go, so that an rhash is resized. */
const PASSING = 400;
/** ms that a timer may be late. */
const MOST_LATE = 20_000;

export async function run(team, { type, layout, threads, counts }) {
  const host = createHost({ shared: true, cpus: 2 * threads + 2, seed: team.seed, maxMemory: 64 << 20 });
  const keys = OWN * threads;
  const map = host.createMap({ ...specOf({ type, layout }), name: "timers", maxEntries: keys + PASSING });
  for (let n = 0; n < keys; n++) map.set(n, newValue(layout, n));
  host.pin("/timers", map);
  const starting = team.startAll(host, "start", threads, (i) => ({ type, layout, first: i * OWN, counts }));
  const others = [
    ...team.startAll(host, "cancel", 2, () => ({ type, layout, keys })),
    ...(type === "array" ? [] : [team.start(host, "pass", { type, layout, keys })]),
  ];
  const started = await team.results(starting);
  stop(team.control);
  await team.results(others);
  for (let n = 0; n < keys; n++) equal(`timers left of key ${n}`, false, map.timer(n).cancel());
  verified(host, "at the end");
  host.close();
  return { started: started.reduce((a, b) => a + b) };
}

/** Starts timers of its own keys whenever they have none, and waits until each has come to its end. */
export async function start({ host, random, control }, { type, layout, first, counts }) {
  const map = host.open("/timers", specOf({ type, layout }));
  const fired = new Array(OWN).fill(0);
  const starts = new Array(OWN).fill(0);
  const note = (key) => fired[key - first]++;
  const waiting = (i) => {
    const ended = fired[i] + Atomics.load(control, FREE + first + i);
    if (ended > starts[i]) throw new Error(`key ${first + i}: ${starts[i]} timers ended ${ended} times`);
    return ended < starts[i];
  };
  for (let count = 0; count < counts; count++) {
    for (let i = 0; i < OWN; i++) {
      if (waiting(i)) continue;
      starts[i]++;
      map.timer(first + i).start(random.below(3), note);
    }
    await sleep(0);
  }
  const end = performance.now() + MOST_LATE;
  for (let i = 0; i < OWN; i++) {
    while (waiting(i)) {
      if (performance.now() > end) throw new Error(`key ${first + i}: a timer is lost`);
      await sleep(1);
    }
  }
  return starts.reduce((a, b) => a + b);
}

/** Cancels timers of all. */
export async function cancel({ host, random, control }, { type, layout, keys }) {
  const map = host.open("/timers", specOf({ type, layout }));
  while (!stopped(control)) {
    for (let i = 0; i < 200; i++) {
      const n = random.below(keys);
      if (map.timer(n).cancel()) Atomics.add(control, FREE + n, 1);
    }
    await sleep(0);
  }
}

/** Grows and shrinks the map. */
export function pass({ host, random, control }, { type, layout, keys }) {
  const map = host.open("/timers", specOf({ type, layout }));
  for (let writes = 0; !stopped(control); writes++) {
    const n = keys + random.below(PASSING);
    if (random.chance(writes % 1600 < 800 ? 85 : 15)) map.set(n, newValue(layout, n));
    else map.delete(n);
  }
}
