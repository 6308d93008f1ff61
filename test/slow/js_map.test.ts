// What docs/guide/comparison.md says of JavaScript's Map, beside an rhash that does the same work.
import { expect, test } from "vitest";
import { createHost, u32 } from "../../src/index.ts";
import { mix32 } from "../core/core.ts";

const MAP_MOST = 2 ** 24;

test("a JS Map ends at 2^24 entries, an rhash goes on", () => {
  const map = new Map<number, number>();
  for (let i = 0; i < MAP_MOST; i++) map.set(i, i);
  expect(() => map.set(MAP_MOST, 0)).toThrow(RangeError);
  map.clear();

  using host = createHost({ seed: 1 });
  const rhash = host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 2 ** 25 });
  for (let i = 0; i < MAP_MOST + 100_000; i++) rhash.set(mix32(i), i);
  expect(rhash.size).toBe(MAP_MOST + 100_000);
  expect(rhash.get(mix32(MAP_MOST + 5))).toBe(MAP_MOST + 5);
  const { maxPerCall, bytesPerEntry } = rhash.stats();
  expect(maxPerCall.splits).toBe(1);
  expect(maxPerCall.movedEntries).toBeLessThanOrEqual(30);
  expect(bytesPerEntry).toBeLessThan(22);
});
