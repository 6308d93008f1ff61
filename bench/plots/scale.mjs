// Scales: from numbers to places on an axis, and the numbers worth a line of the grid.

/** @typedef {{ at: (value: number) => number, ticks: number[], inside: (value: number) => boolean }} Scale */

/**
 * A logarithmic axis with a tick at each power of ten.
 *
 * @param {[number, number]} domain lowest and highest number
 * @param {[number, number]} range where these two stand
 * @returns {Scale}
 */
export function logScale([low, high], [start, end]) {
  const ratio = (end - start) / Math.log(high / low);
  const ticks = [];
  for (let power = Math.ceil(Math.log10(low) - 1e-9); 10 ** power <= high * (1 + 1e-9); power++) {
    ticks.push(10 ** power);
  }
  return {
    at: (value) => start + Math.log(value / low) * ratio,
    ticks,
    inside: (v) => v >= low && v <= high,
  };
}

/** A linear axis from 0 with a tick at each multiple of `step`. @returns {Scale} */
export function linearScale(high, step, [start, end]) {
  const ticks = [];
  for (let tick = 0; tick <= high; tick += step) ticks.push(tick);
  return { at: (value) => start + (value / high) * (end - start), ticks, inside: (v) => v >= 0 && v <= high };
}

/** The powers of ten (or half ones, 3 between 1 and 10) that enclose the numbers. */
export function enclosing(numbers) {
  const low = Math.min(...numbers);
  const high = Math.max(...numbers);
  const steps = [1, 3, 10];
  const lowPower = 10 ** Math.floor(Math.log10(low));
  const highPower = 10 ** Math.floor(Math.log10(high));
  return [
    lowPower * steps.findLast((step) => step * lowPower <= low),
    highPower * steps.find((step) => step * highPower >= high),
  ];
}

const trim = (number) => String(Number(number.toPrecision(3)));

/** 1000000 as 1M. */
export function formatCount(count) {
  if (count >= 1e6) return `${trim(count / 1e6)}M`;
  return count >= 1e3 ? `${trim(count / 1e3)}k` : trim(count);
}

/** Nanoseconds with the unit that suits them. */
export function formatTime(ns) {
  if (ns >= 1e9) return `${trim(ns / 1e9)} s`;
  if (ns >= 1e6) return `${trim(ns / 1e6)} ms`;
  return ns >= 1e3 ? `${trim(ns / 1e3)} µs` : `${trim(ns)} ns`;
}
