// Runs the counted workload on both cores.
import { functionNames, loadCounted, loadInstrumented } from "./cores.mjs";

/**
 * Counts of every operation of every case: sums over its `operations`, but `pages`, which is how many the memory has after it.
 *
 * @typedef {Record<string, Record<string, number>>} Operations
 * @typedef {{ entries: number, bytesPerEntry: number, fingerprint: string, operations: Operations }} Case
 * @typedef {{ seed: number, cases: Record<string, Case> }} Measurement
 */

/** @returns {Promise<Measurement>} */
export async function measure() {
  // The cores come first: loading them builds dist/, which the workload imports.
  const [counted, instrumented] = await Promise.all([loadCounted(), loadInstrumented()]);
  const { CASES, runCase, SEED } = await import("./workload.mjs");
  const cases = {};
  for (const spec of CASES) {
    cases[spec.name] = merge(spec.name, runCase(spec, counted), runCase(spec, instrumented));
  }
  return { seed: SEED, cases };
}

/** The two cores are one source, so what both tell must be the same. */
function merge(name, counted, instrumented) {
  const merged = { ...instrumented, operations: {} };
  agree(name, ["entries", "bytesPerEntry", "fingerprint"], counted, instrumented);
  for (const [operation, row] of Object.entries(instrumented.operations)) {
    const other = counted.operations[operation];
    agree(
      `${name}: ${operation}`,
      Object.keys(row).filter((counter) => counter in other),
      row,
      other,
    );
    merged.operations[operation] = { ...row, ...other };
  }
  return merged;
}

function agree(what, names, one, other) {
  for (const name of names) {
    if (one[name] === other[name]) continue;
    throw new Error(
      `${what}: ${name}: ${one[name]} on the counted core, ${other[name]} on the instrumented one`,
    );
  }
}

/** Which functions the instructions of each operation are in. @returns {Promise<Record<string, Operations>>} */
export async function profile() {
  const { executed, module } = await loadInstrumented();
  const names = await functionNames();
  const read = (host) =>
    Object.fromEntries(executed(host).map((instructions, i) => [names[i], instructions]));
  const { CASES, runCase } = await import("./workload.mjs");
  return Object.fromEntries(CASES.map((spec) => [spec.name, runCase(spec, { module, read }).operations]));
}
