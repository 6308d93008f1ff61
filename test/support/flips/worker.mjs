// Turns bits over, one after the other, for the thread that watches (flips.mjs): where it is stands in a word that both share.
import { parentPort, workerData } from "node:worker_threads";
import { circle, flipOne, size } from "./flip.mjs";

const { root, kind, seed, from, to, at } = workerData;
const api = await import(root);
const kinds = {
  flips: (flip, started) => flipOne(api, seed, flip, started),
  circles: (number, started) => circle(api, number, started),
  sizes: (number, started) => size(api, number, started),
};
const progress = new Int32Array(at);
for (let flip = from; flip < to; flip++) {
  Atomics.store(progress, 0, flip);
  const started = (outcome) => parentPort.postMessage({ started: outcome });
  parentPort.postMessage(kinds[kind](flip, started));
}
