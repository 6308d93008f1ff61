/** The first calls of a process, 1 to 10, 11 to 30, 31 to 100 and so on: as bounds, each half an order of magnitude. */
export function sliceEnds(calls) {
  const ends = [];
  for (let power = 10; power < calls; power *= 10) {
    ends.push(power);
    if (power * 3 < calls) ends.push(power * 3);
  }
  ends.push(calls);
  return ends;
}

/**
 * Nanoseconds per call of `get` in each slice of the first calls, with the loop around them.
 *
 * @param {{ get(key: number): number | undefined }} map
 * @param {Uint32Array} keys one for each call
 * @param {number[]} ends of the slices
 */
export function timeSlices(map, keys, ends) {
  const ns = [];
  let start = 0;
  let sum = 0;
  for (const end of ends) {
    const before = performance.now();
    sum += sumOf(map, keys, start, end);
    ns.push(((performance.now() - before) * 1e6) / (end - start));
    start = end;
  }
  return { ns, sum };
}

function sumOf(map, keys, start, end) {
  let sum = 0;
  for (let i = start; i < end; i++) sum += map.get(keys[i]);
  return sum;
}
