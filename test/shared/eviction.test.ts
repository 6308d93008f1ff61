// Maps that evict on shared hosts: several hosts on one memory, in one thread, each with a CPU slot and credits of its own.
import { describe, expect, it } from "vitest";
import { bytes, type Codec, text, u32, u53 } from "../../src/index.ts";
import { Random } from "../../src/testing/random.ts";
import { testSeed } from "../support/seed.ts";
import { pair } from "./hosts.ts";

const SEED = testSeed("shared/eviction.test.ts");

const KEYS: readonly { readonly key: Codec<unknown>; readonly of: (i: number) => unknown }[] = [
  { key: u32, of: (i: number) => i },
  { key: u53, of: (i: number) => i * 7e9 },
  { key: text(12), of: (i: number) => `key ${i}` },
  { key: bytes(40), of: (i: number) => new Uint8Array(Uint32Array.of(1, i, 2, 3, 4, 5, 6, 7, 8, 9).buffer) },
] as never;

describe.each(KEYS)("a map by $key.name", ({ key, of }) => {
  function open(maxEntries: number, eviction: "value" | "recency") {
    const hosts = pair();
    const spec = { type: "lru_hash", key, value: u32 } as const;
    const map = hosts[0].createMap({ ...spec, maxEntries, eviction });
    hosts[0].pin("/m", map);
    return { hosts, maps: [map, hosts[1].open("/m", spec)] };
  }

  it.each([1, 3, 31])("of %i entries evicts the one that no thread has used for longest", (maxEntries) => {
    const random = new Random(SEED + maxEntries);
    const { hosts, maps } = open(maxEntries, "recency");
    const model = new Map<number, number>();
    const use = (i: number, value: number) => {
      model.delete(i);
      model.set(i, value);
    };
    for (let i = 0; i < 1200; i++) {
      const map = maps[random.below(2)];
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
        expect(map.has(of(k))).toBe(known !== undefined);
        expect(map.peek(of(k))).toBe(known);
      }
      expect(map.size).toBe(model.size);
    }
    maps[0].verify();
    hosts[0].verify();
    for (const host of hosts) host.close();
  });

  it("of 1000 entries evicts none while another thread holds credits for more", () => {
    const { hosts, maps } = open(1000, "value");
    for (let i = 0; i < 640; i++) maps[0].set(of(i), i);
    maps[1].set(of(640), 640); // it takes a chunk of them
    for (let i = 641; i < 1000; i++) maps[0].set(of(i), i);
    expect(maps[0].size).toBe(1000);
    for (const host of hosts) host.close();
  });

  it("of 500 entries counts to its limit and never beyond, whoever inserts and deletes", () => {
    const random = new Random(SEED);
    const { hosts, maps } = open(500, "value");
    for (let i = 0; i < 500; i++) maps[i & 1].set(of(i), i);
    expect(maps[0].size).toBe(500);
    for (let i = 0; i < 4000; i++) {
      const map = maps[random.below(2)];
      const k = random.below(2000);
      if (random.chance(20)) map.get(of(k));
      else if (random.chance(10)) map.delete(of(k));
      else {
        map.set(of(k), i);
        expect(maps[0].peek(of(k))).toBe(i);
      }
      expect(map.size).toBeLessThanOrEqual(500);
    }
    for (let i = 0; i < 500; i++) maps[i & 1].set(of(10_000 + i), i);
    expect(maps[1].size).toBe(500);
    maps[1].verify();
    maps[0].clear();
    expect(maps[0].size).toBe(0);
    maps[0].verify();
    hosts[0].verify();
    for (const host of hosts) host.close();
  });

  it("begins a new count at zero in the place of what was evicted", () => {
    const { hosts, maps } = open(40, "value");
    for (let i = 0; i < 40; i++) maps[0].set(of(i), 1e9);
    for (let i = 40; i < 200; i++) expect(maps[i & 1].add(of(i), 1)).toBe(1);
    maps[0].verify();
    for (const host of hosts) host.close();
  });
});

it("counting in the own slot of a per-CPU value protects it", () => {
  const hosts = pair();
  const spec = { type: "lru_percpu_hash", key: u32, value: u53 } as const;
  const map = hosts[0].createMap({ ...spec, maxEntries: 20, eviction: "recency" });
  for (let key = 0; key < 20; key++) map.add(key, 1);
  for (let key = 20; key < 400; key++) {
    map.add(7, 1);
    map.add(key, 1);
  }
  expect(map.get(7)?.[0]).toBe(381);
  expect(map.size).toBe(20);
  map.verify();
  for (const host of hosts) host.close();
});
