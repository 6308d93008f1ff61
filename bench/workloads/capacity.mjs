// How many entries one map can hold, and for how long it can be changed: with bpfmap and with a Map of JavaScript.

import { Fingerprint } from "../data/fingerprint.mjs";
import { availableBytes } from "../memory/resident.mjs";
import { runChild } from "../run/run_child.mjs";

export const name = "capacity";
export const title = "100 million entries in one map; the limits of JS Map";
export const options = {
  entries: { type: "integer", default: 100_000_000, help: "entries of the large map" },
  live: { type: "integer", default: 16_000_000, help: "entries of the maps that delete and add in turn" },
  pairs: { type: "integer", default: 2_000_000, help: "deletes and adds, unless the map fails before" },
};

/** Per entry at most, with what fragmentation costs. */
const BYTES_PER_ENTRY = 24;
const MAP_BYTES_PER_ENTRY = 64;
const NODE_BYTES = 200e6;
/** More than a Map takes, so that it comes to its limit. */
const MOST = 2 ** 25;

const words = (number) => Math.round(number).toLocaleString("en");
const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(2)} GB`;

export async function run(context) {
  const { entries, live, pairs } = context.options;
  const { seed } = context;
  const result = { measurements: [], notes: [], details: {} };
  if (hasMemory(entries * BYTES_PER_ENTRY, `${words(entries)} entries`, "bpfmap", context)) {
    const task = { entries, queries: context.queries, seed };
    const large = await runChild("capacity.mjs", task, { progress: context.progress });
    if (large !== undefined) {
      result.details.large = large;
      result.measurements.push(...measurementsOf(large, context));
      result.notes.push(...largeNotes(large, entries));
    }
  }
  for (const contender of ["bpfmap", "js-map"]) {
    if (context.stopped || context.contenders?.includes(contender) === false) continue;
    const most = contender === "js-map" ? Math.max(2 ** 24, live) : live;
    const perEntry = contender === "js-map" ? MAP_BYTES_PER_ENTRY : BYTES_PER_ENTRY;
    if (!hasMemory(most * perEntry, "the limits", contender, context)) continue;
    context.progress(`${contender}: ${live} entries, deletes and adds`);
    const limits = await runChild("limits.mjs", { contender, live, pairs, most: MOST, seed });
    if (limits === undefined) continue;
    result.details[contender] = limits;
    result.notes.push(...limitNotes(contender, limits, live));
  }
  return {
    parameters: { entries, live, pairs },
    fingerprint: `${new Fingerprint().add(seed, entries, live, pairs)}`,
    ...result,
  };
}

/** Says so when the machine has too little to give. */
function hasMemory(bytes, what, contender, context) {
  const available = availableBytes();
  const needed = bytes + NODE_BYTES;
  if (needed <= available) return true;
  context.skip(
    contender,
    `${what}: needs ${gigabytes(needed)} of memory, ${gigabytes(available)} are available`,
  );
  return false;
}

function measurementsOf({ seconds, full }, { options: { entries }, queries }) {
  const row = (operation, unit, number) => ({
    size: entries,
    operation,
    contender: "bpfmap",
    unit,
    rounds: [number],
  });
  return [
    row("set, growing from empty", "ns", (seconds.insert / entries) * 1e9),
    row("get", "ns", (seconds.lookup / queries) * 1e9),
    row("get, absent key", "ns", (seconds.miss / queries) * 1e9),
    row("lookupAndDeleteBatch(4096), to the end", "ns", (seconds.drain / entries) * 1e9),
    row("accounting", "bytes/entry", full.stats.bytesPerEntry),
    row("RSS", "bytes/entry", full.rss / entries),
  ];
}

function largeNotes({ seconds, full, drained, maxPerCall }, entries) {
  const { bytes, bytesPerEntry } = full.stats;
  return [
    `${words(entries)} entries in one map: inserted in ${seconds.insert.toFixed(1)} s, drained in ` +
      `${seconds.drain.toFixed(1)} s; ${gigabytes(bytes)} by its own accounting (${bytesPerEntry.toFixed(2)} bytes per ` +
      `entry), RSS ${gigabytes(full.rss)}, at its peak ${gigabytes(drained.peak)}; ${words(drained.bytes)} bytes when empty`,
    `work of one call at most: ${maxPerCall.splits} split, ${maxPerCall.merges} merges, ` +
      `${maxPerCall.movedEntries} entries moved`,
  ];
}

function limitNotes(contender, { full, churned, bytesPerEntry }, live) {
  const notes = [];
  if (full?.error !== undefined)
    notes.push(`${contender} with ${words(full.entries)} entries: ${full.error}`);
  const memory =
    bytesPerEntry === undefined ? "" : `, ${bytesPerEntry.toFixed(2)} bytes per entry after them`;
  const end = churned.error === undefined ? `no failure${memory}` : churned.error;
  notes.push(
    `${contender} with ${words(live)} live entries, after ${words(churned.pairs)} pairs of a delete and an add: ${end}`,
  );
  return notes;
}
