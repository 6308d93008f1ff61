// Tables of counts.
import { align } from "../run/format.mjs";

/** What the tables show per operation, and what as a whole. */
const PER_OPERATION = {
  instructions: "instructions",
  probes: "probes",
  tagFalseHits: "tag false hits",
  overflowVisits: "overflow visits",
  bytesCopied: "bytes copied",
};
const WHOLE = ["moved", "splits", "merges", "pages"];

/** Functions with less of an operation's instructions than this are left out of its profile. */
const LEAST_SHARE = 0.02;

const perOperation = (count, operations) => (count / operations).toFixed(count / operations < 100 ? 3 : 1);

/** @param {import("./measure.mjs").Measurement} measurement */
export function textOf({ seed, cases }) {
  const head = ["per operation:", "operations", ...Object.values(PER_OPERATION), "in all:", ...WHOLE];
  const rows = [head];
  for (const [name, { bytesPerEntry, fingerprint, operations }] of Object.entries(cases)) {
    const blank = head.slice(1).map(() => "");
    rows.push(
      head.map(() => ""),
      [`${name}: ${bytesPerEntry.toFixed(2)} bytes per entry, ${fingerprint}`, ...blank],
    );
    for (const [operation, row] of Object.entries(operations)) {
      const ratios = Object.keys(PER_OPERATION).map((counter) => perOperation(row[counter], row.operations));
      const sums = WHOLE.map((counter) => String(row[counter]));
      rows.push([`  ${operation}`, String(row.operations), ...ratios, "", ...sums]);
    }
  }
  return `${align(rows).join("\n")}\nseed ${seed}`;
}

/** Instructions per operation of each function, largest first. */
export function profileText(profiles) {
  const lines = [];
  for (const [name, operations] of Object.entries(profiles)) {
    for (const [operation, row] of Object.entries(operations))
      lines.push("", `${name}: ${operation}`, ...shares(row));
  }
  return lines.join("\n");
}

const NO_FUNCTIONS = new Set(["operations", ...WHOLE]);

function shares(row) {
  const functions = Object.entries(row).filter(([name, count]) => !NO_FUNCTIONS.has(name) && count > 0);
  const total = functions.reduce((sum, [, count]) => sum + count, 0);
  return functions
    .filter(([, count]) => count >= LEAST_SHARE * total)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => {
      const share = `${Math.round((100 * count) / total)} %`;
      return `${perOperation(count, row.operations).padStart(10)}  ${share.padStart(5)}  ${name}`;
    });
}
