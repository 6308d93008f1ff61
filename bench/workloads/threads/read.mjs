// Threads that read one map which nobody writes.
import { GROUP } from "../../threads/contenders/sizes.mjs";
import { uniformStream } from "../../threads/streams.mjs";
import { readRow, threadWorkload } from "../../threads/workload.mjs";

export const { name, title, defaultSizes, options, run } = threadWorkload({
  name: "threads-read",
  title: "get in one map from several threads",
  kind: "values",
  streams: (keys, thread, context) => ({ uniform: uniformStream(keys, thread, context) }),
  rows: [
    { operation: "get", method: "get", stream: "uniform", goal: true },
    { operation: `get, ${GROUP} at a time`, method: "getGroup", stream: "uniform" },
  ].map(readRow),
  goals: { scaling: 1.8, sharedmap: 20 },
  notes: ["keys are drawn at random, each as often as any other, by each thread for itself"],
});
