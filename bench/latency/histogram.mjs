// High dynamic range histograms of nanoseconds (Gil Tene's HdrHistogram): counts in buckets whose width is at most a thousandth
// of the value, from 1 ns to an hour, in a few hundred KB whatever is recorded. Recording takes 60 ns (Node 20) and makes no garbage.
import { build } from "hdr-histogram-js";

const HOUR_NS = 3600e9;

/** The rows of every report on latency. 100 is the largest value itself, not the end of its bucket. */
const PERCENTILES = { p50: 50, p99: 99, "p99.9": 99.9, "p99.99": 99.99, "p99.9999": 99.9999 };

export function newHistogram() {
  return build({
    bitBucketSize: 64,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HOUR_NS,
    numberOfSignificantValueDigits: 3,
  });
}

/** The percentiles by name, and `worst`. A percentile is the end of its bucket, but never beyond the largest value. */
export function percentilesOf(histogram) {
  const worst = histogram.maxValue;
  const values = {};
  for (const [name, percentile] of Object.entries(PERCENTILES)) {
    values[name] = Math.min(histogram.getValueAtPercentile(percentile), worst);
  }
  return { ...values, worst };
}

/** What a histogram holds, to be sent: pairs of a value and how often it came. The largest value is exact. */
export function countsOf(histogram) {
  const counts = [];
  for (let i = 0; i < histogram.countsArrayLength; i++) {
    const count = histogram.getCountAtIndex(i);
    if (count > 0) counts.push([histogram.valueFromIndex(i), count]);
  }
  return { counts, worst: histogram.maxValue };
}

/** One histogram of what several held. */
export function histogramOf(parts) {
  const histogram = newHistogram();
  for (const { counts, worst } of parts) {
    for (const [value, count] of counts) histogram.recordValueWithCount(value, count);
    histogram.updateMinAndMax(worst);
  }
  return histogram;
}
