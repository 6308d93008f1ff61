// Entries that expire while every thread moves the clock on: nobody sees one that should be gone, nobody misses one that should be there, and what
// is gone for one thread is gone for all from then on.
//
// Each key is written once, by one thread, which then says when it expires: not before `from`, and from `until` on it is gone. Both follow from the
// times that it ticked to before and after its `set`; other threads may have moved the clock on in between.
import { createHost } from "bpfmap";
import { equal, verified } from "../kit/check.mjs";
import { FREE } from "../kit/control.mjs";
import { codecs, LAYOUTS } from "../kit/layouts.mjs";

const ORIGIN = 1000;
const MOST_TTL = 40;
/** Word of the control array: to when a thread has ticked, at least. The clock itself may be further. */
const TICKED = FREE;
/** Words of a key: when it is there at least, from when on it is gone, both 0 before it is written; whether a thread has found it gone. */
const FROM = 0;
const UNTIL = 1;
const GONE = 2;
const WORDS = 3;

export const attachOptions = (control) => ({ clock: () => Atomics.load(control, TICKED) });

export async function run(team, { type, layout: name, threads, counts }) {
  const keys = threads * counts;
  const layout = LAYOUTS[name];
  Atomics.store(team.control, TICKED, ORIGIN);
  const host = createHost({
    shared: true,
    cpus: threads + 1,
    seed: team.seed,
    maxMemory: 64 << 20,
    ...attachOptions(team.control),
  });
  const spec = { type, ...codecs(layout), maxEntries: 8000, ttl: MOST_TTL, ttlResolution: 1 };
  host.pin("/expiring", host.createMap(spec));
  const map = host.open("/expiring", spec);
  const log = new Int32Array(new SharedArrayBuffer(keys * WORDS * 4));
  const args = (index) => ({ type, name, keys, threads, counts, index, log });
  const seen = await team.results(team.startAll(host, "use", threads, args));
  verified(host, "at the end");
  host.tick(Atomics.load(team.control, TICKED) + 2 * MOST_TTL);
  equal("entries when all have expired", 0, [...map].length);
  map.sweep(2 ** 20);
  equal("size when all have expired", 0, map.size);
  verified(host, "when all have expired");
  host.close();
  const sum = (what) => seen.reduce((total, one) => total + one[what], 0);
  return { there: sum("there"), gone: sum("gone"), expired: keys };
}

/** Notes in the control array that the clock has come to a time. */
function noteTicked(control, time) {
  let seen = Atomics.load(control, TICKED);
  while (seen < time) seen = Math.max(Atomics.compareExchange(control, TICKED, seen, time), seen);
}

export function use(context, args) {
  const { host, random, control } = context;
  const { type, name, keys, threads, counts, index, log } = args;
  const layout = LAYOUTS[name];
  const map = host.open("/expiring", { type, ...codecs(layout) });
  const seen = { there: 0, gone: 0 };
  /** The clock of the host as it is now, whoever has moved it on: ms since the origin. */
  const clock = () => ORIGIN + host.expiry.word;

  const write = (n) => {
    const ttl = 1 + random.below(MOST_TTL);
    const before = clock();
    map.set(layout.keyOf(n), layout.valueFor(n, 1), { ttl });
    Atomics.store(log, n * WORDS + FROM, before + ttl);
    Atomics.store(log, n * WORDS + UNTIL, clock() + ttl);
  };

  const look = (n, find) => {
    const until = Atomics.load(log, n * WORDS + UNTIL);
    if (until === 0) return;
    const wasGone = Atomics.load(log, n * WORDS + GONE) !== 0;
    const before = clock();
    const value = find(layout.keyOf(n));
    if (value === undefined) {
      const from = Atomics.load(log, n * WORDS + FROM);
      if (clock() < from) throw new Error(`key ${n} is gone at ${clock()}, before ${from}`);
      Atomics.store(log, n * WORDS + GONE, 1);
      seen.gone++;
      return;
    }
    layout.sequenceOf(n, value);
    if (wasGone) throw new Error(`key ${n} was gone for another thread, and came again`);
    if (before >= until)
      throw new Error(`key ${n} is there at ${before}, and should be gone from ${until} on`);
    seen.there++;
  };

  const batch = map.createBatch(30);
  for (let i = 0; i < counts; i++) {
    write(i * threads + index);
    const newest = i * threads;
    for (let looks = 0; looks < 6; looks++) {
      const n = Math.max(0, newest - random.below(looks < 5 ? 400 : keys));
      look(n, looks % 2 === 0 ? (key) => map.get(key) : (key) => map.peek(key));
    }
    if (i % 40 === 0) {
      batch.rewind();
      batch.count = batch.capacity;
      const before = clock();
      map.lookupBatch(batch);
      for (const [key, value] of batch.entries()) {
        const n = layout.numberOf(key);
        layout.sequenceOf(n, value);
        const until = Atomics.load(log, n * WORDS + UNTIL);
        if (until !== 0 && before >= until)
          throw new Error(`a batch at ${before} has key ${n}, gone from ${until} on`);
      }
    }
    if (i % 3 === 0) {
      const time = Atomics.load(control, TICKED) + 1;
      host.expiry.tick(time);
      noteTicked(control, time);
    }
    if (random.below(300) === 0) host.tick();
  }
  batch.close();
  return seen;
}
