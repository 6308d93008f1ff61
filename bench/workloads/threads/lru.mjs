// Threads that hit in one full cache: what was used is marked without a lock, and only where it is not marked yet.
import { GROUP } from "../../threads/contenders/sizes.mjs";
import { THETA, uniformStream, zipfStream } from "../../threads/streams.mjs";
import { readRow, threadWorkload } from "../../threads/workload.mjs";

export const { name, title, defaultSizes, options, run } = threadWorkload({
  name: "threads-lru",
  title: "get in one full lru_hash from several threads, hits only",
  kind: "values",
  type: "lru_hash",
  streams: (keys, thread, context) => ({
    uniform: uniformStream(keys, thread, context),
    zipf: zipfStream(keys, thread, context),
  }),
  rows: [
    { operation: "get", method: "get", stream: "uniform", goal: true },
    { operation: "get, zipfian", method: "get", stream: "zipf" },
    { operation: `get, ${GROUP} at a time`, method: "getGroup", stream: "uniform" },
  ].map(readRow),
  goals: { scaling: 1.8, sharedmap: 20 },
  notes: [
    `zipfian with theta ${THETA}: the same keys are frequent in all threads`,
    "bpfmap, bpfmap-unshared: an lru_hash with room for as many entries as it has; the others evict nothing",
  ],
});
