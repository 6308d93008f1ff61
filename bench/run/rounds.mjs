// Measuring contenders in turn. A round does every row for every contender, A B C, in an order that rotates from round to round,
// so that what disturbs the machine disturbs all of them; ratios are taken round by round. tinybench times the passes.
import { setImmediate as breathe } from "node:timers/promises";
import { Bench } from "tinybench";

/**
 * One operation at one size.
 *
 * @typedef {object} Row
 * @property {string} operation   its name
 * @property {string} method      the method of the subject that does one pass; a contender without it is left out
 * @property {Function} [pass]    where one pass is more than this call: (subject, input) => { result, ownNs }
 * @property {*} [input]          what it gets
 * @property {{ keys: Uint32Array, input: * }[]} [sets]   other keys, and what goes with them, for each pass: the same keys again and again teach a processor's
 *   branch prediction a small table by heart, if its hash is the same in every table
 * @property {number} operations  operations of one pass
 * @property {number} [passes]    timed passes of one turn, 1 by default: small sizes repeat, so that a turn does enough work
 * @property {"new" | "full" | "empty"} needs   the state of the map before each pass
 * @property {"full" | "empty"} leaves   and after it
 * @property {number} [expected]  what it must give
 */

/** Sizes up to this are warmed up for longer: a round of theirs is short, and they come first. */
const SMALL = 100_000;

/** Rounds that run code that V8 has not optimised yet, or optimised for what it had seen by then. */
const warmUpsOf = (size) => (size <= SMALL ? 3 : 1);

/**
 * @param {object} run
 * @param {number} run.size
 * @param {import("./entrants.mjs").Entrant[]} run.entrants
 * @param {Row[]} run.rows
 * @param {Uint32Array} run.keys   what a full map holds: keys[i] has the value i
 * @param {number} [run.warmUps]   rounds that are not counted
 * @param {object} context         of the workload
 * @returns {Promise<object[]>} measurements in ns per operation; what was measured until Ctrl-C when that came
 */
export async function measureRows({ size, entrants, rows, keys, warmUps = warmUpsOf(size) }, context) {
  const lines = rows.map((row) => ({
    row,
    bench: newBench(row),
    measured: new Map(entrants.map(({ name }) => [name, []])),
  }));
  const running = new Set(entrants);
  try {
    for (let round = 1 - warmUps; round <= context.rounds; round++) {
      for (const [number, line] of lines.entries()) {
        context.progress(
          `${size} entries, ${round > 0 ? `round ${round} of ${context.rounds}` : "warm-up"}: ${line.row.operation}`,
        );
        for (const entrant of rotated(running, round + number + warmUps - 1)) {
          // Signals and progress get their turn between two timed ones.
          await breathe();
          if (context.stopped) return measurements(size, lines);
          try {
            turn(line, entrant, keys, round > 0, round === 1 - warmUps);
          } catch (error) {
            if (error instanceof WrongResult || entrant.name === "bpfmap") throw error;
            running.delete(entrant);
            context.skip(
              entrant.name,
              `failed at ${size} entries in "${line.row.operation}": ${error.message}`,
            );
          }
        }
      }
    }
  } finally {
    for (const entrant of entrants) entrant.close();
  }
  return measurements(size, lines);
}

/** A contender that does other work than it should: nothing of the run can be trusted. */
class WrongResult extends Error {}

function newBench({ passes = 1 }) {
  return new Bench({
    iterations: passes,
    time: 0,
    warmup: false,
    throws: true,
    timestampProvider: "hrtimeNow",
  });
}

/** The contenders in the order of a round. */
export function rotated(entrants, round) {
  const list = [...entrants];
  const start = list.length === 0 ? 0 : round % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}

/** All passes of one contender in one row of one round. */
function turn({ row, bench, measured }, entrant, keys, counts, first) {
  const { operation, method, pass = callOf(method), sets = [{ keys, input: row.input }] } = row;
  const { operations, needs, leaves, expected } = row;
  if (typeof entrant.subject[method] !== "function") return;
  if (needs === "new") globalThis.gc?.(); // the garbage of the contender before
  let result;
  let ownNs;
  let done = false;
  let set;
  let passes = 0;
  bench.add(
    entrant.name,
    () => {
      ({ result, ownNs } = pass(entrant.subject, set.input));
      done = true;
      return ownNs === undefined ? undefined : { overriddenDuration: ownNs / 1e6 };
    },
    {
      async: false,
      beforeEach() {
        done = false;
        set = sets[passes++ % sets.length];
        entrant.bring(needs, set.keys);
        entrant.subject.prepare?.(set.input);
      },
      // Called after a pass that threw, too.
      afterEach() {
        entrant.leave(leaves, set.keys);
        if (done && expected !== undefined && !entrant.floor && result !== expected) {
          throw new WrongResult(`${operation}: ${entrant.name} got ${result} instead of ${expected}`);
        }
      },
    },
  );
  const task = bench.getTask(entrant.name);
  task.runSync();
  bench.remove(entrant.name);
  if (first && needs === "new") check(entrant, operation, set.keys);
  if (!counts) return;
  // Not the mean: a garbage collection of a millisecond, mostly of what another contender has left, would be most of 200 short passes.
  const { latency } = task.result;
  measured.get(entrant.name).push((latency.p50 * 1e6) / operations);
}

const callOf = (method) => (subject, input) => ({ result: subject[method](input), ownNs: subject.ownNs?.() });

/** Reads back what a filled map holds: a map that lost half of it would be fast. */
function check(entrant, operation, keys) {
  const expected = (keys.length * (keys.length - 1)) / 2;
  entrant.subject.prepare?.(keys);
  const result = entrant.subject.lookup(keys);
  if (result !== expected)
    throw new WrongResult(`${operation}: ${entrant.name} holds ${result}, not ${expected}`);
}

function measurements(size, lines) {
  const list = [];
  for (const { row, measured } of lines) {
    for (const [contender, rounds] of measured) {
      if (rounds.length > 0) list.push({ size, operation: row.operation, contender, unit: "ns", rounds });
    }
  }
  return list;
}
