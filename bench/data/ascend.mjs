/**
 * Writes `first`, `first + 1` ... A function of its own: the loop of a contender that makes a map for each pass loses its compiled code
 * when V8 collects the map that the code was compiled with, and this would be most of what it does then.
 */
export function ascend(values, first, count) {
  for (let i = 0; i < count; i++) values[i] = first + i;
}
