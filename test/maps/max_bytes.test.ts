// `maxBytes`: a full map stays below it, and has no room to spare.
import { describe, expect, it } from "vitest";
import { bytes, createHost, type EvictionType, type Host, text, u32, u64 } from "../../src/index.ts";
import { keyBytes } from "../../src/testing/index.ts";
import { caught } from "../support/caught.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";

const seed = testSeed("maps/max_bytes.test.ts");
const MIB = 1 << 20;
const CPUS = 3;
/**
 * Keys that come, for each that there is room for: the overflow blocks of a full map come with time. Measured over 20 turns: entries
 * inline take no byte more behind the second, those out of line 0.3 percent of `maxBytes`.
 */
const TURNS = bySize(3, 6);

const SIZES = [
  [4, 1],
  [4, 8],
  [3, 3],
  [8, 8],
  [5, 11],
  [16, 8],
  [16, 16],
  [1 << 3, 24],
  [16, 64],
  [13, 100],
  [64, 1000],
  [4, 4096],
] as const;

const open = () => createHost({ seed, cpus: CPUS, maxMemory: 64 * MIB });

function sized(host: Host, type: EvictionType, sizes: readonly [number, number], maxBytes: number) {
  const [keySize, valueSize] = sizes;
  return host.createMap({ type, key: bytes(keySize), value: bytes(valueSize), maxBytes });
}

describe.each(["lru_hash", "lru_percpu_hash"] as const)("%s", (type) => {
  it.each(SIZES)(
    "of %i + %i bytes stays below it when full, and is not smaller by more than 15 percent",
    (...sizes) => {
      // Large entries come in segments of 64 KiB.
      const scale = bySize(sizes[0] + sizes[1] > 64 ? MIB : MIB >> 2, 2 * MIB);
      for (const maxBytes of bySize([1.1], [0.7, 1, 1.23]).map((share) => Math.floor(share * scale))) {
        const host = open();
        const map = sized(host, type, sizes, maxBytes);
        const { maxEntries } = map.info;
        const value = new Uint8Array(sizes[1]);
        const given = (type === "lru_hash" ? value : Array(CPUS).fill(value)) as never;
        for (let key = 0; key < TURNS * maxEntries; key++) map.set(keyBytes(key, sizes[0]), given);
        expect(map.size).toBe(maxEntries);
        expect(map.memoryUsage()).toBeLessThanOrEqual(maxBytes);
        expect(map.memoryUsage()).toBeGreaterThan(0.85 * maxBytes);
        host.close();
      }
    },
  );

  it("leaves a limit in entries that is smaller, and lowers one that is larger", () => {
    const spec = { type, key: u32, value: u64 } as const;
    const host = open();
    const limit = (maxEntries: number | undefined, flags = 0) =>
      host.createMap({ ...spec, maxBytes: MIB, maxEntries: maxEntries as number, flags }).info.maxEntries;
    const most = limit(undefined);
    expect(most).toBeGreaterThan(1000);
    expect([limit(100), limit(most), limit(most + 1), limit(2 ** 27)]).toEqual([100, most, most, most]);
    // Three CPUs have equal parts of what fits.
    expect([limit(undefined, 2), limit(100, 2)]).toEqual([most - (most % CPUS), 102]);
  });

  it("of too few bytes for one entry is refused, and takes none", () => {
    const host = open();
    const spec = { type, key: u32, value: u64 } as const;
    expect(() => host.createMap({ ...spec, maxBytes: 100 })).toThrow(RangeError);
    expect(() => host.createMap({ ...spec, maxBytes: 100 })).toThrow(
      `createMap: the ${type} map: maxBytes: 100 bytes have no room for a map with an entry`,
    );
    for (const wrong of [0, -1, 1.5, "1" as never]) {
      expect(caught(() => host.createMap({ ...spec, maxBytes: wrong })).message).toContain(
        "maxBytes: expected",
      );
    }
    expect(host.memoryUsage().bytes).toBe(0);
  });

  it("or maxEntries has to be given", () => {
    const spec = { type, key: u32, value: u64 };
    expect(caught(() => open().createMap(spec as never)).message).toContain(
      "maxEntries: expected an integer",
    );
  });

  it("is one of shared hosts, too", () => {
    const host = createHost({ shared: true, seed, cpus: CPUS, maxMemory: 64 * MIB });
    for (const sizes of SIZES) {
      const map = sized(host, type, sizes, MIB);
      expect(map.memoryUsage()).toBeLessThanOrEqual(MIB);
      expect(map.memoryUsage()).toBeGreaterThan(0.6 * MIB);
      map.close();
    }
    host.close();
  });
});

it("is not for texts, nor for maps that do not evict", () => {
  const host = open();
  expect(() => host.createMap({ type: "lru_hash", key: text(100), value: u32, maxBytes: MIB })).toThrow(
    "maxBytes: texts take the bytes that they have: give maxEntries",
  );
  const hash = { type: "hash", key: u32, value: u32, maxBytes: MIB, maxEntries: 5 } as const;
  expect(() => host.createMap(hash)).toThrow("maxBytes: an lru_hash or lru_percpu_hash has it");
});
