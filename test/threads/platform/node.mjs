// The process that test/threads/workers.ts starts for a job: its main thread coordinates, worker_threads are the members.
import { Worker } from "node:worker_threads";
import { describeError } from "../kit/member.mjs";
import { stopwatch } from "../kit/stopwatch.mjs";
import { runTeam, Team } from "../kit/team.mjs";

function createThread() {
  const worker = new Worker(new URL("node_worker.mjs", import.meta.url));
  let stop;
  let reaping;
  return {
    watched: true,
    watch(host) {
      worker.once("exit", () => {
        stop = stopwatch();
      });
      host.watch(worker);
      worker.once("exit", () => {
        reaping = stop();
      });
    },
    get reaping() {
      return reaping;
    },
    post: (message) => worker.postMessage(message),
    listen({ message, error, exit }) {
      worker.on("message", message);
      worker.on("error", (thrown) => error(describeError(thrown)));
      worker.on("exit", exit);
    },
    // Resolves after the listeners of "exit" have run.
    terminate: () => worker.terminate(),
  };
}

/** Sends the last answer and ends, whatever the threads are doing. */
const finish = (message) => process.send(message, () => process.exit());

process.once("message", async ({ job, seed, options, limit }) => {
  try {
    const module = await import(`../jobs/${job}.mjs`);
    const emit = (data) => process.send({ data });
    const note = (text) => process.send({ note: text });
    const team = new Team({ job, seed, createThread, emit, note, limit });
    finish({ result: await runTeam(module, team, options) });
  } catch (error) {
    finish({ error: describeError(error) });
  }
});
