import { f64, u32 } from "../../dist/index.js";
import { mix } from "../data/random.mjs";

/** Sizes from the first to the last, evenly spaced in their logarithms. */
export function spacedSizes(first, last, count) {
  return Array.from({ length: count }, (_, i) => Math.round(first * (last / first) ** (i / (count - 1))));
}

/**
 * Grows an rhash and notes what its memory is by its own accounting: at the sizes `at`, and the most per entry at any size from
 * each of `from` on.
 *
 * @param {import("../../dist/index.js").Host} host
 * @param {{ at: number[], from: number[] }} sizes
 * @returns {{ samples: { entries: number, bytes: number }[], worst: { from: number, entries: number, bytesPerEntry: number }[] }}
 */
export function accounting(host, { at, from }) {
  const map = host.createMap({ type: "rhash", key: u32, value: f64, maxEntries: 2 ** 31 - 1 });
  const marks = new Set(at);
  const most = Math.max(...at);
  const points = [];
  const worst = from
    .filter((entries) => entries <= most)
    .map((from) => ({ from, entries: 0, bytesPerEntry: 0 }));
  for (let entries = 1; entries <= most; entries++) {
    map.set(mix(entries - 1), entries);
    const bytes = map.memoryUsage();
    if (marks.has(entries)) points.push({ entries, bytes });
    const bytesPerEntry = bytes / entries;
    for (const peak of worst) {
      if (entries >= peak.from && bytesPerEntry > peak.bytesPerEntry)
        Object.assign(peak, { entries, bytesPerEntry });
    }
  }
  map.close();
  return { samples: points, worst };
}
