// One of several workloads. What V8 has learned of a loop or of the library in one workload would be in the times of the next.
import { runWorkload } from "../run/workload.mjs";
import { answer } from "./answer.mjs";

let stopped = false;
process.once("SIGINT", () => {
  stopped = true;
});

answer(({ name, task }, progress) => runWorkload(name, task, progress, () => stopped));
