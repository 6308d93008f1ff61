// What is said about the rounds of a measurement.

/** The number below which a part `p` of the sorted numbers lies, linear between two of them. */
export function quantile(sorted, p) {
  const position = (sorted.length - 1) * p;
  const low = Math.floor(position);
  const high = Math.ceil(position);
  return sorted[low] + (sorted[high] - sorted[low]) * (position - low);
}

/** The rounds of one contender in one operation; undefined when it took no part. */
export function roundsOf(measurements, operation, contender) {
  return measurements.find((line) => line.operation === operation && line.contender === contender)?.rounds;
}

/** Median and spread of some numbers: the spread reaches from the 10th to the 90th percentile. */
export function summarise(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.1), high: quantile(sorted, 0.9) };
}

/** Units of which more is better. */
const RATES = ["Mops/s", "% hits"];
export const isRate = (unit) => RATES.includes(unit);

/**
 * Their rounds by ours, round by round, since only what was measured in turn has seen the same disturbances. Of rates it is the other
 * way round: above 1 is always in our favour.
 */
export function ratios(theirs, ours, unit) {
  return theirs
    .slice(0, ours.length)
    .map((number, round) => (isRate(unit) ? ours[round] / number : number / ours[round]));
}
