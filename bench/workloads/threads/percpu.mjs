// Threads that count: how often each saw a key. bpfmap counts in a percpu_hash, where a thread has a slot of its own in each value.
import { GROUP } from "../../threads/contenders/sizes.mjs";
import { countKeys, THETA, zipfStream } from "../../threads/streams.mjs";
import { WrongResult } from "../../threads/turns.mjs";
import { threadWorkload } from "../../threads/workload.mjs";

/** All counts, of all threads in all turns, must be there: none lost, none twice. */
async function check(crew, log, keys) {
  const expected = new Float64Array(keys.length);
  for (const { stream, operations } of log) countKeys(stream, operations, expected);
  const counts = await crew.counts(keys);
  const wrong = expected.findIndex((count, i) => counts[i] !== count);
  if (wrong === -1) return;
  throw new WrongResult(`key ${keys[wrong]} was counted ${expected[wrong]} times and has ${counts[wrong]}`);
}

export const { name, title, defaultSizes, options, run } = threadWorkload({
  name: "threads-percpu",
  title: "counting in one map from several threads, zipfian keys, each thread in its own slot",
  kind: "counters",
  streams: (keys, thread, context) => ({
    zipf: zipfStream(keys, thread, context),
  }),
  rows: [
    { operation: "add(key, 1)", method: "add", stream: "zipf", goal: true },
    { operation: "local.get and local.set", method: "addLocal", stream: "zipf" },
    { operation: `add 1, ${GROUP} at a time`, method: "addGroup", stream: "zipf" },
  ],
  goals: { scaling: 1.8, sharedmap: 20 },
  check,
  notes: [
    `zipfian with theta ${THETA}: the same keys are frequent in all threads; maps begin empty, and most keys come while warming up`,
    "the counts of all keys are compared with the streams at the end; a contender that lost or doubled one is left out",
    "bpfmap: percpu_hash with a slot for each thread and one for the main thread; bpfmap-unshared and js-map: a map in each " +
      "thread, added up at the end, which is not timed; sharedmap: get and set while all other writers are locked out",
  ],
});
