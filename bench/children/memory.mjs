// One contender of the workload memory at one size, once. Keys are made as they are needed, so that no array of them counts.
import { setTimeout as sleep } from "node:timers/promises";
import { benchHost } from "../contenders/bench_host.mjs";
import { CONTENDERS } from "../contenders/index.mjs";
import { keysFrom, mix } from "../data/random.mjs";
import { randomOrder } from "../latency/random_order.mjs";
import { linearMemoryBytes, peakBytes, resetPeak, residentBytes } from "../memory/resident.mjs";
import { answer } from "./answer.mjs";

const CHUNK = 1 << 15;
/** Enough for V8 to have compiled and optimised everything, and few entries, whose memory the map itself uses again. */
const WARM_UP = { size: 1000, rounds: 500 };
/**
 * V8 gives memory of its own back (code, pools of the compiler) for a second and more after the last of it was used: all that must
 * be gone before growth is measured. Found by trying: with less, some runs end a megabyte or two too low.
 */
const SETTLE_BEFORE = { patient: 20, otherwise: 2 };
const SETTLE_AFTER = 4;
const SETTLE_MS = 100;

function fill(subject, size) {
  for (let from = 0; from < size; from += CHUNK) {
    const keys = keysFrom(from, Math.min(CHUNK, size - from));
    subject.prepare?.(keys);
    subject.insert(keys);
  }
}

function empty(subject, size, seed) {
  const at = randomOrder(size, seed);
  let removed = 0;
  for (let from = 0; from < size; from += CHUNK) {
    const keys = new Uint32Array(Math.min(CHUNK, size - from));
    for (let i = 0; i < keys.length; i++) keys[i] = mix(at(from + i));
    subject.prepare?.(keys);
    removed += subject.remove(keys);
  }
  if (removed !== size) throw new Error(`had ${removed} of ${size} keys`);
}

/** Bytes of live objects of JavaScript, and of what they own outside of its heap. */
function heapBytes() {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function settle(times) {
  for (let i = 0; i < times; i++) {
    globalThis.gc();
    await sleep(SETTLE_MS);
  }
}

async function read(contender, subject, seed) {
  await settle(SETTLE_AFTER);
  const reading = { rss: residentBytes(), peak: peakBytes(), own: subject.bytes?.(), heap: heapBytes() };
  if (contender !== "bpfmap") return reading;
  const host = benchHost(seed);
  // Reading all mappings takes memory itself: last.
  return { ...reading, host: host.memoryUsage().bytes, linear: linearMemoryBytes(host.u8.length) };
}

answer(async ({ contender, size, seed, patient }) => {
  const { load, mostEntries = Infinity } = await CONTENDERS[contender]();
  if (size > mostEntries) throw new Error(`takes at most ${mostEntries} entries`);
  const open = await load({ seed });
  const options = { size, seed, maxEntries: 2 ** 31 - 1, keySize: 4 };
  const small = open({ ...options, size: WARM_UP.size });
  for (let i = 0; i < WARM_UP.rounds; i++) {
    fill(small, WARM_UP.size);
    empty(small, WARM_UP.size, seed);
  }
  small.close();
  residentBytes();
  await settle(SETTLE_BEFORE[patient ? "patient" : "otherwise"]);
  resetPeak();
  const before = { rss: residentBytes(), heap: heapBytes() };
  const subject = open(options);
  fill(subject, size);
  const full = await read(contender, subject, seed);
  empty(subject, size, seed);
  const emptied = await read(contender, subject, seed);
  subject.close();
  return { before, full, emptied };
});
