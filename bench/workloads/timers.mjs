// Timers of entries: starting, starting anew and cancelling them, what they take, and how late they are in a thread that is busy. Beside a
// Map with a setTimeout for each key.
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createHost, struct, timer, u32 } from "../../dist/index.js";
import { Fingerprint } from "../data/fingerprint.mjs";
import { draws, Random, shuffled } from "../data/random.mjs";
import { newHistogram, percentilesOf } from "../latency/histogram.mjs";
import { summarise } from "../run/statistics.mjs";

export const name = "timers";
export const title = "a timer for each entry: started, cancelled, and on time in a busy thread";
export const defaultSizes = [10_000, 1_000_000];
export const options = {};

/** ms that nothing which is started, started anew or cancelled is due in. */
const LONG_MS = 1e9;
/** Timers that come due in a ms, and how many do; the others wait. */
const RATE = 20;
const MOST_FIRED = 40_000;
/** ms before the first is due, for each timer that is started until then. */
const AHEAD_MS = 0.01;
/** What must hold: ms. */
const MOST_LATE_MS = 10;
/** Calls in a task of the load. */
const TASK_CALLS = 2000;

const now = () => performance.now();

/** A timer for each entry, in its value. */
class BpfMapTimers {
  constructor(size, keys, { seed }) {
    this.host = createHost({ seed });
    const value = struct({ expiry: timer, n: u32 });
    this.map = this.host.createMap({ type: "hash", key: u32, value, maxEntries: size });
    for (const key of keys) this.map.set(key, { n: key });
  }

  start(key, ms, callback) {
    this.map.timer(key).start(ms, callback);
  }

  cancel(key) {
    this.map.timer(key).cancel();
  }

  get(key) {
    return this.map.get(key).n;
  }

  close() {
    this.host.close();
  }
}

/** A setTimeout for each entry. */
class MapTimers {
  constructor(_size, keys) {
    this.map = new Map();
    for (const key of keys) this.map.set(key, { expiry: undefined, n: key });
  }

  start(key, ms, callback) {
    const entry = this.map.get(key);
    clearTimeout(entry.expiry);
    entry.expiry = setTimeout(callback, Math.min(Math.ceil(ms), 2 ** 31 - 1), key);
  }

  cancel(key) {
    clearTimeout(this.map.get(key).expiry);
  }

  get(key) {
    return this.map.get(key).n;
  }

  close() {}
}

const SUBJECTS = { bpfmap: BpfMapTimers, "js-map": MapTimers };

export async function run(context) {
  const { seed, rounds, progress } = context;
  const names = Object.keys(SUBJECTS).filter((name) => context.contenders?.includes(name) ?? true);
  const fingerprint = new Fingerprint();
  const measurements = [];
  const notes = [];
  for (const size of context.sizes) {
    // The numbers of the timers, so that what fires is found without a search.
    const keys = shuffled(
      Uint32Array.from({ length: size }, (_, i) => i),
      new Random(seed, 1),
    );
    const count = Math.min(size, MOST_FIRED);
    const delays = draws(count, (count * 1000) / RATE, new Random(seed, 2));
    fingerprint.add(size, keys, delays);
    const found = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < names.length && !context.stopped; i++) {
        const contender = names[(round + i) % names.length];
        progress(`${size} timers, round ${round + 1} of ${rounds}: ${contender}`);
        found[contender].push(await measure(SUBJECTS[contender], size, keys, delays, context));
      }
    }
    if (context.stopped) break;
    for (const contender of names) {
      for (const operation of Object.keys(found[contender][0])) {
        const [what, unit] = operation.split(" | ");
        const numbers = found[contender].map((round) => round[operation]);
        measurements.push({ size, operation: what, contender, unit, rounds: numbers });
        if (what === "late, p99" && contender === "bpfmap") notes.push(lateNote(size, numbers));
      }
    }
  }
  return {
    parameters: { rate: RATE, mostFired: MOST_FIRED, taskCalls: TASK_CALLS },
    fingerprint: `${fingerprint}`,
    measurements,
    notes: [
      `late: ${RATE} timers come due in a ms, up to ${MOST_FIRED.toLocaleString("en")} of all; meanwhile the thread is in tasks of ` +
        `${TASK_CALLS} calls of get, one after the other`,
      "bytes of a timer: what the heap and the typed arrays have grown by, with one callback for all",
      ...notes,
    ],
  };
}

function lateNote(size, numbers) {
  const { median } = summarise(numbers);
  const verdict = median <= MOST_LATE_MS ? "" : ", exceeded";
  return `${size.toLocaleString("en")} timers: p99 is ${median.toFixed(2)} ms late; must be <= ${MOST_LATE_MS} ms${verdict}`;
}

/** One round of one contender. Names are "operation | unit". */
async function measure(Subject, size, keys, delays, context) {
  const subject = new Subject(size, keys, context);
  try {
    const never = () => {};
    const perTimer = (call) => {
      const start = now();
      for (const key of keys) call(key);
      return ((now() - start) * 1e6) / size;
    };
    const empty = bytesInUse();
    const start = perTimer((key) => subject.start(key, LONG_MS + (key & 1023), never));
    const bytes = (bytesInUse() - empty) / size;
    const again = perTimer((key) => subject.start(key, LONG_MS - (key & 1023), never));
    const cancel = perTimer((key) => subject.cancel(key));
    const late = await lateness(subject, size, keys, delays);
    return {
      "start | ns": start,
      "start anew | ns": again,
      "cancel | ns": cancel,
      "a timer | bytes": Math.max(bytes, 1),
      ...Object.fromEntries(
        ["p50", "p99", "p99.9", "worst"].map((row) => [`late, ${row} | ms`, Math.max(late[row], 1) / 1e6]),
      ),
    };
  } finally {
    subject.close();
  }
}

/** How late timers are, in ns, while tasks follow each other without a pause. */
async function lateness(subject, size, keys, delays) {
  const histogram = newHistogram();
  const begin = now() + 20 + size * AHEAD_MS;
  const due = new Float64Array(size);
  let left = delays.length;
  const fired = (key) => {
    // setTimeout counts whole ms from a reading that may be older: before its time is on time.
    histogram.recordValue(Math.max(0, Math.round((now() - due[key]) * 1e6)));
    left--;
  };
  for (let i = 0; i < size; i++) {
    const key = keys[i];
    due[key] = begin + (i < delays.length ? delays[i] / 1000 : LONG_MS);
    subject.start(key, due[key] - now(), fired);
  }
  let at = 0;
  let total = 0;
  while (left > 0) {
    for (let i = 0; i < TASK_CALLS; i++) {
      total += subject.get(keys[at]);
      at = at + 7919 < size ? at + 7919 : (at + 7919) % size;
    }
    await new Promise((done) => setImmediate(done));
  }
  if (Number.isNaN(total)) throw new Error("a value was lost");
  for (const key of keys) subject.cancel(key);
  return percentilesOf(histogram);
}

let collect;

/** Bytes of the heap that are in use, with those of typed arrays. */
function bytesInUse() {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc");
  }
  collect();
  return getHeapStatistics().used_heap_size + process.memoryUsage().arrayBuffers;
}
