// One of several workloads. What V8 has learned of a loop or of the library in one workload would be in the times of the next.

import { answer } from "./answer.mjs";
import { runWorkload } from "./run_workload.mjs";

// From the terminal and from the parent, which gets it where there is no terminal.
let stopped = false;
process.on("SIGINT", () => {
  stopped = true;
});
process.on("disconnect", () => process.exit());

answer(({ name, task }, progress) => runWorkload(name, task, progress, () => stopped));
