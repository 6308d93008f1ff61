// The process that test/threads/workers.ts starts for jobs, one after the other: its main thread coordinates, worker_threads are the
// members. Threads whose role is done take part in the next job, too.
import { Worker } from "node:worker_threads";
import { describeError } from "../kit/member.mjs";
import { stopwatch } from "../kit/stopwatch.mjs";
import { runTeam, Team } from "../kit/team.mjs";

/** Workers without a role. */
const idle = [];
/** What is to do behind the job for each of its threads. */
const releases = [];

function createThread() {
  const worker = idle.pop() ?? new Worker(new URL("node_worker.mjs", import.meta.url));
  let stop;
  let reaping;
  let isDone = false;
  releases.push(async () => {
    if (!isDone) return worker.terminate();
    // Also those of the host that watched it; not the ones of Node, which have other names.
    for (const event of ["message", "error", "exit", "online"]) worker.removeAllListeners(event);
    idle.push(worker);
  });
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
      worker.on("message", (answer) => {
        isDone ||= "done" in answer;
        message(answer);
      });
      worker.on("error", (thrown) => error(describeError(thrown)));
      worker.on("exit", exit);
    },
    // Resolves after the listeners of "exit" have run.
    terminate() {
      isDone = false;
      return worker.terminate();
    },
  };
}

process.on("message", async ({ job, seed, options, limit }) => {
  try {
    const module = await import(`../jobs/${job}.mjs`);
    const emit = (data) => process.send({ data });
    const note = (text) => process.send({ note: text });
    const team = new Team({ job, seed, createThread, emit, note, limit });
    const result = await runTeam(module, team, options);
    await Promise.all(releases.splice(0).map((release) => release()));
    process.send({ result });
  } catch (error) {
    // Whatever the threads are doing: a job that failed is the last one of its process.
    process.send({ error: describeError(error) }, () => process.exit());
  }
});
process.once("disconnect", () => process.exit());
