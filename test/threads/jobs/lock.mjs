// spinLock: what `locked` adds up is never lost, and what is written under the lock is never seen half by who reads under it.
import { BPF_EXIST, BPF_F_LOCK, createHost, spinLock, struct, u32, u53 } from "bpfmap";
import { equal, verified } from "../kit/check.mjs";
import { stop, stopped } from "../kit/control.mjs";

const value = struct({ a: u32, lock: spinLock, b: u53, c: u32, d: u32, e: u53 });
/** A value that is the same number everywhere. */
const whole = (n) => ({ a: n, b: n, c: n, d: n, e: n });

/** Keys that are counted in, those that are overwritten, and those that come and go so that an rhash is resized. */
const COUNTED = 3;
const OVERWRITTEN = 3;
const PASSING = 400;

function check(n, found) {
  const { a, b, c, d, e } = found;
  if (a !== b || a !== c || a !== d || a !== e) throw new Error(`key ${n} is torn: ${JSON.stringify(found)}`);
  return a;
}

export async function run(team, { type, threads, counts }) {
  const host = createHost({ shared: true, cpus: 2 * threads + 2, seed: team.seed, maxMemory: 64 << 20 });
  const maxEntries = COUNTED + OVERWRITTEN + PASSING;
  const map = host.createMap({ type, name: "lock", key: u32, value, maxEntries });
  for (let n = 0; n < COUNTED + OVERWRITTEN; n++) map.set(n, whole(0));
  host.pin("/lock", map);
  const counting = team.startAll(host, "count", threads, () => ({ type, counts }));
  const others = [
    ...team.startAll(host, "watch", threads - 1, () => ({ type })),
    ...(type === "array" ? [] : [team.start(host, "pass", { type })]),
  ];
  await team.results(counting);
  stop(team.control);
  const reads = await team.results(others);
  let sum = 0;
  for (let n = 0; n < COUNTED; n++) sum += check(n, map.get(n, BPF_F_LOCK));
  equal("increments", threads * counts, sum);
  verified(host, "at the end");
  host.close();
  return { reads: reads.reduce((a, b) => a + b) };
}

const open = (host, type) => host.open("/lock", { type, key: u32, value });

export function count({ host, random }, { type, counts }) {
  const map = open(host, type);
  const { offsets } = value;
  for (let i = 0; i < counts; i++) {
    const n = random.below(COUNTED);
    if (random.chance(70)) map.locked(n, ({ a }) => whole(a + 1));
    else {
      // In place, field by field.
      map.locked(n, ({ a }, address) => {
        const sum = a + 1;
        for (const field of ["a", "b", "c", "d", "e"]) host.u32[(address + offsets[field]) >>> 2] = sum;
      });
    }
    const overwritten = COUNTED + random.below(OVERWRITTEN);
    map.update(overwritten, whole(random.next()), random.chance(50) ? BPF_F_LOCK : BPF_F_LOCK | BPF_EXIST);
  }
}

/** Reads under the lock, one by one. */
export function watch({ host, random, control }, { type }) {
  const map = open(host, type);
  const last = new Array(COUNTED).fill(0);
  let reads = 0;
  for (; !stopped(control); reads++) {
    const n = random.below(COUNTED + OVERWRITTEN);
    const found = check(n, map.get(n, BPF_F_LOCK));
    if (n >= COUNTED) continue;
    if (found < last[n]) throw new Error(`key ${n} went back from ${last[n]} to ${found}`);
    last[n] = found;
  }
  return reads;
}

/** Grows and shrinks the map. */
export function pass({ host, random, control }, { type }) {
  const map = open(host, type);
  let writes = 0;
  for (; !stopped(control); writes++) {
    const n = COUNTED + OVERWRITTEN + random.below(PASSING);
    if (random.chance(writes % 1600 < 800 ? 85 : 15)) map.set(n, whole(n));
    else map.delete(n);
  }
  return writes;
}
