// Pools of busy workers are terminated at once, over and over, while they make and close maps, pin them, count and split: so several are
// dead at once, each in the middle of something, and some of them held what others were waiting for. The main thread goes on with calls of
// its own, and nothing may hold it up. After each pool all slots must be free, every invariant must hold, and every count that was
// acknowledged must be there, with the one in flight or without.
import { createHost, u32, u53 } from "bpfmap";
import { equal, verified } from "../kit/check.mjs";
import { FREE } from "../kit/control.mjs";
import { stopwatch, Times } from "../kit/stopwatch.mjs";
import { sleep } from "../kit/team.mjs";

const sums = { type: "rhash", key: u32, value: u53 };
const own = { type: "rhash", name: "own", key: u32, value: u32, maxEntries: 200 };
const MAIN_KEY = 1000;
const PASSING_KEYS = 500;
/** Calls of the main thread behind a pool's `terminate()`. */
const CALLS = 4;
/** Per 100 pools, how many are terminated while their threads start. */
const STARTING = 10;
/** ms in which the slots of a pool must be free behind the last `exit`. */
const CLEAR_MS = 5000;
/** Words of the control array from here on, one for each member: whether a count is in flight. */
const FLIGHT = FREE;

export async function run(team, { members, pools }) {
  // One slot for each thread: the next pool needs all of them.
  const host = createHost({ shared: true, cpus: members + 1, seed: team.seed, maxMemory: 64 << 20 });
  const map = host.createMap({ ...sums, name: "sums", maxEntries: MAIN_KEY + PASSING_KEYS + 1 });
  host.pin("/sums", map);
  const acknowledged = new Float64Array(new SharedArrayBuffer(8 * members));
  const calls = new Times();
  const listeners = new Times();
  const ends = new Times();
  const clears = new Times();
  let mainCounts = 0;
  let cut = 0;
  for (let pool = 1; pool <= pools; pool++) {
    team.note(`pool ${pool}`);
    const started = team.startAll(host, "work", members, (place) => ({ place, acknowledged }));
    if (team.random.chance(STARTING)) await sleep(team.random.below(150));
    else await Promise.all(started.map(({ ready }) => ready));
    await sleep(team.random.below(6));
    const terminating = stopwatch();
    const terminated = started.map((member) => member.terminate());
    for (let i = team.random.below(CALLS + 1); i > 0; i--) {
      calls.run(() => map.add(MAIN_KEY, 1));
      mainCounts++;
      calls.run(() => host.createMap(own).set(1, 1).close());
    }
    await Promise.all(terminated);
    ends.add(terminating());
    for (const { reaping } of started) if (reaping !== undefined) listeners.add(reaping);
    const clearing = stopwatch();
    while (host.slots().some(({ self, state }) => !self && state !== "free")) {
      if (clearing().ms > CLEAR_MS) throw new Error(`pool ${pool}: ${JSON.stringify(host.slots())}`);
      await sleep(1);
    }
    clears.add(clearing());
    check(pool);
  }

  function check(pool) {
    const when = `after pool ${pool}`;
    verified(host, when);
    for (let place = 0; place < members; place++) dropPin(host, pathOf(place));
    equal(`${when}: maps in the memory`, 1, host.memoryUsage().maps.length);
    equal(`${when}: counts of the main thread`, mainCounts, map.get(MAIN_KEY) ?? 0);
    for (let place = 0; place < members; place++) {
      const found = map.get(place) ?? 0;
      const more = found - acknowledged[place];
      if (more !== 0 && !(more === 1 && team.control[FLIGHT + place] === 1)) {
        throw new Error(`${when}: ${found} counts of member ${place}, acknowledged ${acknowledged[place]}`);
      }
      cut += team.control[FLIGHT + place];
      acknowledged[place] = found;
      team.control[FLIGHT + place] = 0;
    }
  }

  host.unpin("/sums");
  map.close();
  equal("bytes in use after close", 0, host.memoryUsage().bytes);
  host.close();
  const counts = acknowledged.reduce((a, b) => a + b);
  return {
    pools,
    members,
    counts,
    cut,
    calls: calls.summary,
    listeners: listeners.summary,
    terminate: ends.summary,
    clear: clears.summary,
  };
}

/** Takes a path back that a dead thread may have left: a pin keeps its map. */
function dropPin(host, path) {
  try {
    host.unpin(path);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
}

const pathOf = (place) => `/own/${place}`;

/** Until it is terminated. */
export function work({ host, random, control }, { place, acknowledged }) {
  const map = host.open("/sums", sums);
  for (;;) {
    control[FLIGHT + place] = 1;
    map.add(place, 1);
    acknowledged[place]++;
    control[FLIGHT + place] = 0;
    const passing = MAIN_KEY + 1 + random.below(PASSING_KEYS);
    if (random.chance(50)) map.set(passing, passing);
    else map.delete(passing);
    const made = host.createMap(own);
    for (let key = random.below(40); key > 0; key--) made.set(key, key);
    const path = pathOf(place);
    if (random.chance(20)) {
      host.pin(path, made);
      host.section(() => made.lookup(1));
      host.unpin(path);
    }
    made.close();
  }
}
