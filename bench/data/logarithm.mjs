// Logarithms and powers from additions, multiplications and divisions alone, which IEEE 754 rounds in one way: equal bits on every
// machine and in every engine. Those of Math may differ in the last bit from engine to engine, and draws made from them with it.

/** Terms of the series: enough for 53 bits where they are used. */
const LOGARITHM_TERMS = 25;
const EXPONENTIAL_TERMS = 16;
/** 1 / k. */
const RECIPROCALS = Float64Array.from({ length: LOGARITHM_TERMS + 1 }, (_, k) => 1 / k);

/** The natural logarithm of a number of at least 1. */
export function ln(x) {
  let halvings = 0;
  let rest = x;
  for (; rest > 1.5; halvings++) rest /= 2;
  // ln((1 + z) / (1 - z)) = 2 (z + z^3 / 3 + z^5 / 5 + ...), with |z| <= 1/5 here
  const z = (rest - 1) / (rest + 1);
  const square = z * z;
  let sum = 0;
  for (let k = LOGARITHM_TERMS; k >= 1; k -= 2) sum = sum * square + RECIPROCALS[k];
  return halvings * Math.LN2 + 2 * z * sum;
}

/** e to the power x. */
export function exp(x) {
  const doublings = Math.round(x / Math.LN2);
  const rest = x - doublings * Math.LN2;
  let sum = 1;
  for (let k = EXPONENTIAL_TERMS; k >= 1; k--) sum = 1 + sum * rest * RECIPROCALS[k];
  for (let k = 0; k < doublings; k++) sum *= 2;
  for (let k = 0; k > doublings; k--) sum /= 2;
  return sum;
}
