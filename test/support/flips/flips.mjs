// Many flips of bits, in a worker under a watchdog: one that does not come back is an endless loop.
import { Worker } from "node:worker_threads";
import { CIRCLES, SIZES } from "./flip.mjs";

/** ms of one flip, after which it is taken for endless. They take some 10, the longest, on a machine that is busy, not a hundredth of it. */
const LIMIT = 60_000;
const POLL = 100;

/** @typedef {import("./flips.d.mts").Outcome} Outcome */

/**
 * @param {string} root URL of the package's entry
 * @param {number} seed
 * @param {number} count
 * @returns {Promise<Outcome[]>}
 */
export function flips(root, seed, count) {
  return all({ root, kind: "flips", seed }, count);
}

/** A circle in a chain of each kind of table. @param {string} root @returns {Promise<Outcome[]>} */
export function circles(root) {
  return all({ root, kind: "circles", seed: 0 }, CIRCLES.length);
}

/** A size in a header that is far too large. @param {string} root @returns {Promise<Outcome[]>} */
export function sizes(root) {
  return all({ root, kind: "sizes", seed: 0 }, SIZES.length);
}

async function all(job, count) {
  const outcomes = [];
  while (outcomes.length < count) await part({ ...job, from: outcomes.length, to: count }, outcomes);
  return outcomes;
}

/** Goes on until the end, or until one does not end. */
function part(job, outcomes) {
  const at = new SharedArrayBuffer(4);
  const progress = new Int32Array(at).fill(-1);
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.mjs", import.meta.url), { workerData: { ...job, at } });
    let started;
    let last = { flip: -1, since: performance.now() };
    const watchdog = setInterval(() => {
      const flip = Atomics.load(progress, 0);
      // Before the first one, the worker loads.
      if (flip === -1 || flip !== last.flip) last = { flip, since: performance.now() };
      else if (performance.now() - last.since > LIMIT) {
        outcomes.push({ ...started, kind: "loop", detail: "does not end" });
        worker.terminate();
      }
    }, POLL);
    const end = (settle) => (value) => {
      clearInterval(watchdog);
      settle(value);
    };
    worker.on("message", (message) => {
      if (message.started !== undefined) started = message.started;
      else outcomes.push(message);
    });
    worker.once("error", end(reject));
    worker.once("exit", end(resolve));
  });
}

const KINDS = ["harmless", "value", "typed", "wrong", "trap", "loop"];

/** Counts of the outcomes, as lines of a table. @param {Outcome[]} outcomes */
export function tableOf(outcomes) {
  const count = (kind, seen) =>
    outcomes.filter((outcome) => outcome.kind === kind && outcome.seen === seen).length;
  const row = (kind) =>
    `${kind.padEnd(10)}${String(count(kind, true)).padStart(14)}${String(count(kind, false)).padStart(9)}`;
  return ["outcome   seen by verify   unseen", ...KINDS.map(row)].join("\n");
}

/** What must not be: a line for each. @param {Outcome[]} outcomes */
export function harmOf(outcomes) {
  const harm = ({ kind, seen }) => kind === "loop" || kind === "trap" || (kind === "wrong" && !seen);
  return outcomes
    .filter(harm)
    .map(
      ({ scene, where, bit, kind, seen, detail }) =>
        `${kind}${seen ? "" : ", unseen"}: ${scene}, ${where}, bit ${bit}: ${detail}`,
    );
}
