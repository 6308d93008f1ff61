// One map from empty to full and back, each single operation timed.
import { mix } from "../data/random.mjs";
import { percentilesOf } from "./histogram.mjs";
import { randomOrder } from "./random_order.mjs";
import { Recorder } from "./recorder.mjs";

/**
 * A reading of the clock is a new object of 16 bytes, and the young generation is full of them every 65,000 operations. They are
 * collected between operations, not within one, so that no pause of the clock's own garbage is counted. That takes the
 * collections of a Map's garbage out of its figures too, which speaks for Map.
 */
const COLLECT_EVERY = 1 << 14;
const LOOK_EVERY = 1 << 10;
const FIRST_MARK = 1024;

/**
 * @param {object} map with `set` and `delete`. One process measures one kind of map, so that these calls stay monomorphic
 * @param {object} run
 * @param {number} run.size
 * @param {number} run.seed of the order of the deletes
 * @param {() => void} run.collect collects the young generation
 * @param {() => number} run.memoryBytes changes when an operation grows the memory of the map
 * @param {() => number} run.readSwitches see `switches.mjs`
 */
export function growAndShrink(map, run) {
  const insert = new Recorder(run.readSwitches);
  const curve = grow(map, run, insert);
  const remove = new Recorder(run.readSwitches);
  const removed = shrink(map, run, remove);
  return { insert, delete: remove, curve, removed };
}

/** Between two operations, by their number. */
function pause(i, recorder, { collect }) {
  if (i % COLLECT_EVERY === 0) collect();
  if (i % LOOK_EVERY === 0) recorder.forgetSwitches();
}

function grow(map, run, recorder) {
  const { size, memoryBytes } = run;
  const curve = [];
  let mark = FIRST_MARK;
  let bytes = memoryBytes();
  for (let i = 0; i < size; i++) {
    const key = mix(i);
    const start = performance.now();
    map.set(key, i);
    const ns = Math.round((performance.now() - start) * 1e6);
    const bytesNow = memoryBytes();
    recorder.record(ns, i + 1, bytesNow !== bytes);
    bytes = bytesNow;
    if (i + 1 === mark || i + 1 === size) {
      curve.push({
        entries: i + 1,
        undisturbed: recorder.worstUndisturbed,
        ...percentilesOf(recorder.histogram),
      });
      mark *= 2;
    }
    pause(i, recorder, run);
  }
  return curve;
}

function shrink(map, run, recorder) {
  const { size, seed } = run;
  const at = randomOrder(size, seed);
  let removed = 0;
  for (let i = 0; i < size; i++) {
    const key = mix(at(i));
    const start = performance.now();
    const there = map.delete(key);
    const ns = Math.round((performance.now() - start) * 1e6);
    recorder.record(ns, size - i - 1, false);
    if (there) removed++;
    pause(i, recorder, run);
  }
  return removed;
}
