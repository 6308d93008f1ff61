// map.process with a compiled program, and what was asked of it.
import { ALL, KEEP, ratioOf, runProcess, SOME } from "./process.mjs";

export const name = "process-compiled";
export const title = "sweeping a map with a compiled program";
export const defaultSizes = [10_000, 1_000_000];
export const options = {};

const OURS = "process, compiled";
const INTERPRETED = "process, the program as JS";
const CALLBACK = "process, a function";
const NEXT_KEY = "nextKey + get + delete";
const BATCH = "lookupAndDeleteBatch(4096)";

export function run(context) {
  return runProcess(context, OURS, [OURS, INTERPRETED, CALLBACK, NEXT_KEY, BATCH], (list, size, layout) => {
    const line = (other, operation, asked) => {
      const ratio = ratioOf(list, layout, operation, other, OURS);
      if (ratio === undefined) return [];
      const verdict = ratio >= asked ? "" : ", WHICH DOES NOT HOLD";
      return [
        `${size} entries, ${layout}: ${other} takes ${ratio.toFixed(2)} times as long where the program ${operation}, asked >= ${asked}${verdict}`,
      ];
    };
    return [
      ...[INTERPRETED, CALLBACK].flatMap((other) =>
        [KEEP, SOME, ALL].flatMap((operation) => line(other, operation, 10)),
      ),
      ...[KEEP, SOME, ALL].flatMap((operation) => line(NEXT_KEY, operation, 20)),
      ...line(BATCH, ALL, 0.5),
    ];
  });
}
