// What batches on a shared host do once for many keys: credits, splits and merges. Threads are in test/threads.
import { describe, expect, test } from "vitest";
import { TABLE_LINES } from "../../../src/generated/abi.js";
import { type BpfError, createHost, type HashMap, u32, u53 } from "../../../src/index.ts";
import { hostOf } from "../../support/host_of.ts";

function shared(maxEntries: number, cpus: number): HashMap<number, number> {
  const host = createHost({ shared: true, seed: 3, cpus, maxMemory: 32 << 20 });
  return host.createMap({ type: "rhash", key: u32, value: u53, maxEntries }) as HashMap<number, number>;
}

/** A batch of the keys `from` .. `from + count - 1`. */
function batchFrom(map: HashMap<number, number>, from: number, count: number) {
  const batch = map.createBatch(count);
  for (let i = 0; i < count; i++) batch.set(i, from + i, i);
  return batch;
}

/** Credits that the CPU of this thread holds, which is the first. */
function creditsOf(map: HashMap<number, number>): number {
  const { host, table } = map as unknown as { host: { word(at: number): number }; table: { handle: number } };
  return host.word(host.word(table.handle + TABLE_LINES)) >>> 8;
}

/** Inserts keys from 0 on by batches of `size`; how many there were when the map was full. */
function fill(map: HashMap<number, number>, size: number): number {
  for (let from = 0; ; from += size) {
    const batch = batchFrom(map, from, size);
    try {
      map.updateBatch(batch);
    } catch (error) {
      expect((error as BpfError).code).toBe("E2BIG");
      return from + batch.count;
    } finally {
      batch.close();
    }
  }
}

describe.each([1, 2, 5])("%i CPUs", (cpus) => {
  test.each([1, 60, 130, 200, 321, 1000])("a limit of %i is exact, whatever the batches", (maxEntries) => {
    const map = shared(maxEntries, cpus);
    for (const size of [1, 7, 64, 128, 200, 2000]) {
      expect(fill(map, size)).toBe(maxEntries);
      expect(map.size).toBe(maxEntries);
      const kept = maxEntries >> 2;
      map.deleteBatch(batchFrom(map, kept, maxEntries - kept));
      expect(map.size).toBe(kept);
      expect(fill(map, size)).toBe(maxEntries);
      expect(map.verify()).toEqual([]);
      map.clear();
    }
    hostOf(map).close();
  });
});

test("credits that a batch did not need go back", () => {
  const map = shared(10_000, 2);
  map.updateBatch(batchFrom(map, 0, 40));
  const batch = batchFrom(map, 0, 128);
  for (let i = 0; i < 128; i++) batch.set(i, i === 5 ? 1000 : i % 40, i);
  map.updateBatch(batch);
  expect([map.size, creditsOf(map)]).toEqual([41, 1]);
  map.deleteBatch(batchFrom(map, 0, 40));
  expect([map.size, creditsOf(map)]).toEqual([1, 1]);
});

test("a table keeps up with its batches", () => {
  const map = shared(10_000, 2);
  map.updateBatch(batchFrom(map, 0, 5_000));
  expect(map.stats()).toMatchObject({ debt: 0, maxPerCall: { splits: 1 } });
  map.deleteBatch(batchFrom(map, 0, 4_990));
  expect(map.stats()).toMatchObject({ debt: 0, maxPerCall: { merges: 1 } });
  expect(map.stats().buckets).toBeLessThan(10);
});
