// What a full map evicts: the exact order of small maps by recency, and what holds of every map.
import { describe, expect, it } from "vitest";
import { bytes, type Codec, createHost, text, u32, u53 } from "../../src/index.ts";
import { Random } from "../../src/testing/random.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";

const SEED = testSeed("maps/lru_order.test.ts");

const KEYS: readonly { readonly key: Codec<unknown>; readonly of: (i: number) => unknown }[] = [
  { key: u32, of: (i: number) => i },
  { key: u53, of: (i: number) => i * 7e9 },
  { key: text(12), of: (i: number) => `key ${i}` },
  { key: bytes(40), of: (i: number) => new Uint8Array(Uint32Array.of(1, i, 2, 3, 4, 5, 6, 7, 8, 9).buffer) },
] as never;

describe.each(KEYS)("a map by $key.name", ({ key, of }) => {
  it.each([1, 3, 31])("of %i entries evicts the one that was not used for longest", (maxEntries) => {
    const random = new Random(SEED + maxEntries);
    const host = createHost({ seed: SEED });
    const map = host.createMap({ type: "lru_hash", key, value: u32, maxEntries, eviction: "recency" });
    const model = new Map<number, number>();
    const use = (i: number, value: number) => {
      model.delete(i);
      model.set(i, value);
    };
    for (let i = 0; i < bySize(500, 1500); i++) {
      const k = random.below(2 * maxEntries + 1);
      const known = model.get(k);
      const operation = random.below(10);
      if (operation < 3) {
        expect(map.get(of(k))).toBe(known);
        if (known !== undefined) use(k, known);
      } else if (operation < 7) {
        map.set(of(k), i);
        use(k, i);
        if (model.size > maxEntries) model.delete([...model.keys()][0]);
      } else if (operation < 8) {
        expect(map.delete(of(k))).toBe(model.delete(k));
      } else {
        // None of these is a use.
        expect(map.has(of(k))).toBe(known !== undefined);
        expect(map.peek(of(k))).toBe(known);
        if (operation === 9) expect([...map].length).toBe(model.size);
      }
      expect(map.size).toBe(model.size);
    }
    map.verify();
    host.close();
  });

  it("keeps the order when deletes leave room in buckets with a chain", () => {
    for (let seed = 0; seed < bySize(8, 40); seed++) {
      const host = createHost({ seed });
      const map = host.createMap({
        type: "lru_hash",
        key,
        value: bytes(120),
        maxEntries: 31,
        eviction: "recency",
      });
      const value = new Uint8Array(120);
      for (let i = 0; i < 31; i++) map.set(of(i), value);
      for (let i = 0; i < 31; i += 3) map.delete(of(i));
      for (let i = 31; i < 42; i++) map.set(of(i), value);
      let next = 42;
      for (let i = 0; i < 31; i++) {
        if (i % 3 === 0) continue;
        map.set(of(next++), value);
        expect([seed, i, map.has(of(i))]).toEqual([seed, i, false]);
      }
      expect(map.size).toBe(31);
      host.close();
    }
  });

  it("of 1000 entries has as many as it may, and the newest is one of them", () => {
    const random = new Random(SEED);
    const host = createHost({ seed: SEED });
    const map = host.createMap({ type: "lru_hash", key, value: u32, maxEntries: 1000 });
    for (let i = 0; i < 1000; i++) map.set(of(i), i);
    expect(map.size).toBe(1000); // nothing was evicted below the limit
    for (let i = 0; i < bySize(2500, 6000); i++) {
      const k = random.below(5000);
      if (random.chance(30)) map.get(of(k));
      else {
        map.set(of(k), i);
        expect(map.peek(of(k))).toBe(i);
      }
    }
    expect(map.size).toBe(1000);
    map.verify();
    map.clear();
    map.verify();
    host.verify();
    host.close();
    expect(host.closed).toBe(true);
  });

  it("begins a new entry at zeros, also in the place of one that was evicted", () => {
    const host = createHost({ seed: SEED });
    const map = host.createMap({ type: "lru_hash", key, value: u32, maxEntries: 40 });
    for (let i = 0; i < 40; i++) map.set(of(i), 1e9);
    for (let i = 40; i < 200; i++) expect(map.add(of(i), 1)).toBe(1);
    host.close();
  });
});

it("keeps what comes again from being swept away by what comes once", () => {
  const host = createHost({ seed: SEED });
  const map = host.createMap({ type: "lru_hash", key: u32, value: u32, maxEntries: 1000 });
  for (let round = 0; round < 20; round++) for (let i = 0; i < 500; i++) map.set(i, i);
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 500; i++) map.get(i);
    for (let i = 0; i < 400; i++) map.set(1e6 + round * 400 + i, i);
  }
  let kept = 0;
  for (let i = 0; i < 500; i++) kept += Number(map.has(i));
  expect(kept).toBeGreaterThan(480);
  host.close();
});
