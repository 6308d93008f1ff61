// Runs jobs on a page: the page coordinates, module workers are the members.
import { runTeam, Team } from "../kit/team.mjs";

let threads = 0;

function createThread() {
  const worker = new Worker(new URL("browser_worker.mjs", import.meta.url), { type: "module" });
  const name = `thread ${threads++}`;
  let exited = () => {};
  return {
    watched: false,
    watch() {},
    post: (message) => worker.postMessage({ name, message }),
    listen({ message, error, exit }) {
      worker.onmessage = ({ data }) => message(data);
      worker.onerror = (event) => error(event.message ?? "the worker did not load");
      exited = exit;
    },
    async terminate() {
      worker.terminate();
      // The lock is free once the thread has stopped.
      await navigator.locks.request(name, () => {});
      exited();
    },
  };
}

const LIMIT_MS = 20_000;

/** Runs a job; `emit` takes what it hands out meanwhile. */
export async function runJob({ job, seed, options = {}, emit = () => {} }) {
  const module = await import(`../jobs/${job}.mjs`);
  const team = new Team({ job, seed, createThread, emit, note: () => {}, limit: LIMIT_MS });
  try {
    return await runTeam(module, team, options);
  } finally {
    await team.close();
  }
}
