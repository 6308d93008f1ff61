// map.process with a function: the filter and dumper of JavaScript.
import { ALL, KEEP, ratioOf, runProcess, SOME } from "./sweep.mjs";

export const name = "process-js";
export const title = "sweeping a map with a function";
export const defaultSizes = [10_000, 1_000_000];
export const options = {};

const OTHERS = ["nextKey + get + delete", "for of + delete", "js-map"];

export function run(context) {
  return runProcess(context, "a function", OTHERS, (list, size, layout) =>
    OTHERS.map((other) => {
      const ratio = (operation) => ratioOf(list, layout, operation, other)?.toFixed(1);
      return `${size} entries, ${layout}: ${other} takes ${ratio(KEEP)}, ${ratio(SOME)} and ${ratio(ALL)} times as long (${KEEP}, ${SOME}, ${ALL})`;
    }),
  );
}
