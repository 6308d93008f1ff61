/**
 * The sum of what a batch call gave. Every contender takes this one, so that all pay the same for it. Four accumulators, since
 * one would wait for the addition before; exact all the same, as values are integers and sums stay below 2^53.
 *
 * @param {Float64Array} values
 */
export function sum(values) {
  const { length } = values;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    a += values[i];
    b += values[i + 1];
    c += values[i + 2];
    d += values[i + 3];
  }
  for (; i < length; i++) a += values[i];
  return a + b + (c + d);
}
