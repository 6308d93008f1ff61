// Measuring contenders in threads, in turn. A round does every row with every number of threads for every contender, A B C, in an
// order that rotates; all but one of the contenders sleep meanwhile. Ratios are taken round by round.
import { rotated } from "../run/rounds.mjs";
import { THREAD_CONTENDERS } from "./contenders/index.mjs";
import { Crew } from "./crew.mjs";

/** Rounds in which V8 compiles. Each of their turns is as long as one that counts, so some million operations. */
const WARM_UPS = 1;

/**
 * One operation.
 *
 * @typedef {object} Row
 * @property {string} operation  its name
 * @property {string} method     of the subjects (bench/threads/contenders/map_subject.mjs), or one of those of bench/threads/worker.mjs
 * @property {string} stream     the name of the stream that each thread goes through
 * @property {number} [each]     operations for each key of the stream, 1 by default
 * @property {number} [group]    keys that go together, for the methods of the worker
 * @property {(stream, operations: number, thread: number) => number} [expected]  the result of a thread that did so many
 * @property {boolean} [memory]  whether the memory that it leaves is measured, too
 */

/**
 * @param {object} run
 * @param {number} run.size
 * @param {string[]} run.names    of the contenders
 * @param {Row[]} run.rows
 * @param {object[]} run.streams  by name, for each thread
 * @param {number[]} run.threads  numbers of threads
 * @param {number} run.seconds    of a turn
 * @param {object} run.open       options of the tables
 * @param {(crew: Crew, log: object[]) => Promise<void>} [run.check]  looks at the table after all turns, of which the log says which
 *   streams were gone through how far
 * @param {object} context        of the workload
 * @returns {Promise<object[]>} measurements: operations of all threads together, in millions per second
 */
export async function measureTurns(run, context) {
  const { rows, threads, size } = run;
  const lines = rows.flatMap((row) =>
    threads.map((count) => ({ row, count, rates: lists(run.names), bytes: lists(run.names) })),
  );
  const crews = await startAll(run, context);
  const logs = new Map([...crews].map((crew) => [crew, []]));
  const wrong = new Set();
  const turns = { ...run, lines, crews, logs, wrong };
  try {
    for (let round = 1 - WARM_UPS; round <= context.rounds && !context.stopped; round++) {
      await oneRound(turns, round, context);
    }
    if (run.check !== undefined && !context.stopped) {
      for (const crew of crews) await guard(turns, crew, context, () => run.check(crew, logs.get(crew)));
    }
  } finally {
    for (const crew of crews) await crew.close();
  }
  return lines.flatMap((line) => measurements(size, line, wrong));
}

/** The contenders that take part. */
async function startAll({ size, names, rows, streams, open }, context) {
  const crews = new Set();
  const methods = [...new Set(rows.map(({ method }) => method))];
  for (const name of names) {
    context.progress(`${size} entries: ${name} starts`);
    try {
      const contender = await THREAD_CONTENDERS[name]();
      const { mostEntries = Infinity } = contender;
      if (size > mostEntries) throw new Error(`takes at most ${mostEntries} entries here, not ${size}`);
      const options = { ...open, size, seed: context.seed, threads: streams.length };
      crews.add(await Crew.start(name, contender, options, streams, methods));
    } catch (error) {
      if (name === "bpfmap") {
        for (const crew of crews) await crew.close();
        throw error;
      }
      context.skip(name, `${size} entries: ${error.message}`);
    }
  }
  return crews;
}

async function oneRound(turns, round, context) {
  const { lines, crews, size } = turns;
  const which = round > 0 ? `round ${round} of ${context.rounds}` : "warm-up";
  for (const [number, line] of lines.entries()) {
    context.progress(`${size} entries, ${which}: ${nameOf(line)}`);
    for (const crew of rotated(crews, round + number + WARM_UPS - 1)) {
      if (context.stopped) return;
      if (!crew.methods.includes(line.row.method)) continue;
      await guard(turns, crew, context, () => oneTurn(turns, line, crew, round > 0));
    }
  }
}

/** A contender that fails is left out from then on, and one that does the wrong thing altogether. Ours must not. */
async function guard({ crews, size, wrong }, crew, context, work) {
  try {
    await work();
  } catch (error) {
    if (crew.name === "bpfmap") throw error;
    crews.delete(crew);
    if (error instanceof WrongResult) wrong.add(crew.name);
    await crew.close();
    context.skip(crew.name, `${size} entries: ${error.message}`);
  }
}

/** What it did cannot be trusted, whatever time it took. */
export class WrongResult extends Error {}

async function oneTurn({ streams, seconds, logs }, { row, count, rates, bytes }, crew, counts) {
  const { operation, method, stream, each = 1, group, expected } = row;
  const answers = await crew.turn(count, { method, stream, seconds, group });
  let rate = 0;
  for (const [thread, { operations, result, ms }] of answers.entries()) {
    const own = streams[thread][stream];
    logs.get(crew).push({ stream: own, operations });
    const right = expected?.(own, operations, thread);
    if (right !== undefined && result !== right) {
      throw new WrongResult(
        `${operation}: thread ${thread + 1} of ${count} got ${result} instead of ${right}`,
      );
    }
    rate += (operations * each) / ms / 1000;
  }
  if (!counts) return;
  rates.get(crew.name).push(rate);
  const left = row.memory ? crew.bytes() : undefined;
  if (left !== undefined) bytes.get(crew.name).push(left);
}

/** What was measured of each contender, round by round. */
const lists = (names) => new Map(names.map((name) => [name, []]));

/** As it is called in tables. */
export const nameOf = ({ row: { operation }, count }) =>
  `${operation}, ${count} ${count === 1 ? "thread" : "threads"}`;

function measurements(size, line, wrong) {
  const operation = nameOf(line);
  const list = (operation, unit, lists) =>
    [...lists]
      .filter(([contender, rounds]) => rounds.length > 0 && !wrong.has(contender))
      .map(([contender, rounds]) => ({ size, operation, contender, unit, rounds }));
  return [
    ...list(operation, "Mops/s", line.rates),
    ...list(`memory after ${operation}`, "bytes", line.bytes),
  ];
}
