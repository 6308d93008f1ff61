import { summarise } from "../run/statistics.mjs";
import { inOrder, styleOf } from "./style.mjs";

/**
 * What was measured of one operation, as a line for each contender: medians against sizes.
 *
 * @param {string} operation
 * @param {object[]} measurements of one or more results; later ones take the place of earlier ones
 * @returns {(import("./panel.mjs").Series & { contender: string })[]}
 */
export function linesOf(operation, measurements) {
  const lines = new Map();
  for (const measurement of measurements) {
    if (measurement.operation !== operation) continue;
    const { contender, size, rounds } = measurement;
    if (!lines.has(contender)) lines.set(contender, new Map());
    lines.get(contender).set(size, summarise(rounds).median);
  }
  return inOrder(lines.keys()).map((contender) => ({
    contender,
    ...styleOf(contender),
    markers: "dot",
    points: [...lines.get(contender)].sort(([a], [b]) => a - b),
  }));
}
