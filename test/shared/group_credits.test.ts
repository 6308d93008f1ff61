// Batches take the credits of many inserts at once (assembly/table/limit/credits.ts): the limit stays exact, and what is left goes back.
import { expect, it } from "vitest";
import { TABLE_COUNT } from "../../src/generated/abi.js";
import { type HashMap, type Host, u32, u53 } from "../../src/index.ts";
import { expectErrno } from "../support/caught.ts";
import { sharedHost } from "./hosts.ts";

const LIMIT = 200;
const BATCH = 128;

function filled(host: Host, entries: number): HashMap<number, number> {
  const map = host.createMap({ type: "rhash", key: u32, value: u53, maxEntries: LIMIT });
  for (let key = 0; key < entries; key++) map.set(key, key);
  return map;
}

function put(map: HashMap<number, number>, first: number, count: number): void {
  const batch = map.createBatch(count);
  for (let i = 0; i < count; i++) batch.set(i, first + i, 1);
  batch.count = count;
  map.updateBatch(batch);
}

it.each([1, 2, 5])("a batch ends at the limit, wherever it begins: %i CPUs", (cpus) => {
  const host = sharedHost({ cpus });
  for (let entries = LIMIT - BATCH - 2; entries <= LIMIT; entries += 3) {
    const map = filled(host, entries);
    if (entries + BATCH <= LIMIT) put(map, LIMIT, BATCH);
    else expectErrno(() => put(map, LIMIT, BATCH), "E2BIG");
    expect([entries, map.size]).toEqual([entries, Math.min(entries + BATCH, LIMIT)]);
    expect(map.verify()).toEqual([]);
    map.close();
  }
});

it("what a batch has not used goes back: others grow by what is handed out", () => {
  const map = filled(sharedHost({ cpus: 1 }), 70);
  put(map, 7, 64); // one key of these is new
  expect(map.size).toBe(71);
  const handedOut = map.host.u32[(map.table.handle + TABLE_COUNT) >>> 2];
  expect(handedOut - map.size).toBeLessThanOrEqual(2);
});

it("counts are right after any batches", () => {
  const map = filled(sharedHost({ cpus: 2 }), 10);
  for (let round = 1; round < 40; round++) {
    put(map, 0, round * 3);
    expect(map.size).toBe(Math.max(10, round * 3));
    const batch = map.createBatch(round * 3);
    for (let i = 0; i < round * 3; i++) batch.set(i, i, 0);
    batch.count = round * 3;
    map.deleteBatch(batch);
    expect(map.size).toBe(Math.max(0, 10 - round * 3));
    for (let key = 0; key < 10; key++) map.set(key, key);
  }
  expect(map.verify()).toEqual([]);
});
