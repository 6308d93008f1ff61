// Threads that read and write one map. Values stay what they are, so that what is read is known, and no key is added: the map does
// not resize.
import { GROUP } from "../../threads/contenders/sizes.mjs";
import { THETA, uniformStream, WRITES, withWrites, zipfStream } from "../../threads/streams.mjs";
import { readRow, threadWorkload } from "../../threads/workload.mjs";

export const { name, title, defaultSizes, options, run } = threadWorkload({
  name: "threads-mixed",
  title: "90 % get, 10 % set of existing keys in one map from several threads",
  kind: "values",
  streams: (keys, thread, context) => ({
    uniform: withWrites(uniformStream(keys, thread, context), thread, context.seed),
    zipf: withWrites(zipfStream(keys, thread, context), thread, context.seed),
  }),
  rows: [
    { operation: "90 % get, 10 % set", method: "mixed", stream: "uniform", goal: true },
    { operation: "90 % get, 10 % set, zipfian", method: "mixed", stream: "zipf" },
    { operation: `90 % get, 10 % set, ${GROUP} at a time`, method: "mixedGroup", stream: "uniform" },
  ].map(readRow),
  goals: { scaling: 1.5, sharedmap: 20 },
  notes: [
    `every key as often as any other, or zipfian with theta ${THETA}: the same keys are frequent in all threads; writes: ${WRITES}`,
  ],
});
