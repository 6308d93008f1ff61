// A thread of a contender: does as it is told, one turn after the other.
import { parentPort, workerData } from "node:worker_threads";
import { THREAD_CONTENDERS } from "./contenders/index.mjs";
import { CHUNK } from "./contenders/sizes.mjs";
import { runInPairs } from "./pairs.mjs";

const { contender, thread, ticket, streams: given, start, pairs } = workerData;

/** Private copies: what is shared could be changed at any time, and the engine would have to look every time. */
const streams = new Map();
for (const [name, arrays] of Object.entries(given)) {
  streams.set(
    name,
    Object.fromEntries(Object.entries(arrays).map(([field, array]) => [field, array.slice()])),
  );
}

const { attach } = await THREAD_CONTENDERS[contender]();
const subject = await attach(ticket);
for (const stream of streams.values()) subject.prepare?.(stream);

/** What is made of other methods: `group` keys at a time. */
const COMPOSED = {
  async overwrite(stream, from, to, group) {
    let done = 0;
    for (let at = from; at < to; at += group) done += await subject.insert(stream, at, at + group);
    return done;
  },

  async addDelete(stream, from, to, group) {
    let removed = 0;
    for (let at = from; at < to; at += group) {
      await subject.insert(stream, at, at + group);
      removed += await subject.remove(stream, at, at + group);
    }
    return removed;
  },
};

/** Until the time is over, from the beginning of the stream. */
async function run(method, stream, group, end) {
  const { length } = stream.keys;
  const call = COMPOSED[method] ?? subject[method].bind(subject);
  let at = 0;
  let operations = 0;
  let result = 0;
  do {
    const part = call(stream, at, at + CHUNK, group);
    result += typeof part === "number" ? part : await part;
    operations += CHUNK;
    at += CHUNK;
    if (at === length) at = 0;
  } while (performance.now() < end);
  return { operations, result };
}

/** All threads of a turn begin when the main thread puts its number into the start word. */
async function turn({ number, method, stream, seconds, group }) {
  parentPort.postMessage("waiting");
  Atomics.wait(start, 0, number - 1);
  const begin = performance.now();
  const end = begin + seconds * 1000;
  const work = streams.get(stream);
  const done =
    method === "alternate"
      ? await runInPairs(subject, work, group, { pairs, thread }, end)
      : await run(method, work, group, end);
  return { ...done, ms: performance.now() - begin };
}

/** Whether the contender can do it. */
function can(method) {
  if (method === "alternate" || method in COMPOSED) return subject.insert !== undefined;
  return subject[method] !== undefined;
}

const REQUESTS = {
  turn,
  can: ({ methods }) => methods.filter(can),
  counts: () => subject.counts?.(),
  async close() {
    await subject.close?.();
    parentPort.close();
  },
};

parentPort.on("message", async ({ request, ...task }) => {
  parentPort.postMessage({ answer: await REQUESTS[request](task) });
});
