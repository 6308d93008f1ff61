// map.process with a compiled program, and what its goals are.
import { ALL, KEEP, ratioOf, runProcess, SOME } from "./sweep.mjs";

export const name = "process-compiled";
export const title = "sweeping a map with a compiled program";
export const defaultSizes = [10_000, 1_000_000];
export const options = {};

const INTERPRETED = "the program as JS";
const CALLBACK = "a function";
const NEXT_KEY = "nextKey + get + delete";
const BATCH = "lookupAndDeleteBatch(4096)";

export function run(context) {
  return runProcess(
    context,
    "a compiled program",
    [INTERPRETED, CALLBACK, NEXT_KEY, BATCH, "js-map"],
    (list, size, layout) => {
      /** The goals are those of a million entries. */
      const line = (other, operation, goal) => {
        const ratio = ratioOf(list, layout, operation, other);
        if (ratio === undefined) return [];
        const wanted =
          size !== 1_000_000 || goal === 0 ? "" : `, goal >= ${goal}${ratio >= goal ? "" : ", not reached"}`;
        return [
          `${size} entries, ${layout}: ${other} takes ${ratio.toFixed(2)} times as long where the program ${operation}${wanted}`,
        ];
      };
      return [
        ...[INTERPRETED, CALLBACK].flatMap((other) =>
          [line(other, KEEP, 10), line(other, SOME, 0), line(other, ALL, 0)].flat(),
        ),
        ...[KEEP, SOME, ALL].flatMap((operation) => line(NEXT_KEY, operation, 20)),
        ...line(BATCH, ALL, 0.5),
      ];
    },
  );
}
