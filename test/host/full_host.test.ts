// A host without a free block: whoever is out of memory must be able to look, to iterate and to delete.
import { describe, expect, it } from "vitest";
import { bytes, createHost, ERRNO, type HashMap, type Host } from "../../src/index.ts";
import { Random } from "../../src/testing/index.ts";
import { testSeed } from "../support/seed.ts";

const seed = testSeed("host/full_host.test.ts");

const SIZES = [
  [4, 8],
  [16, 8],
  [40, 300],
  [100, 3000],
] as const;
const CASES = [false, true].flatMap((shared) =>
  (["hash", "rhash", "percpu_hash"] as const).flatMap((type) =>
    SIZES.map(([keySize, valueSize]) => ({ shared, type, keySize, valueSize })),
  ),
);

/** Takes all memory there is, the large blocks first; some at random, so that what is left over has all sizes. */
function exhaust(host: Host, random: Random): void {
  const shared = host.shared ? 64 : 0; // a shared host's blocks have a head
  for (let size = 2 ** 22; size >= 64; size = size > 64 ? size / 2 : 0) {
    while (host.allocate(Math.max(1, size - shared)) !== 0 && random.below(1000) !== 0);
  }
  while (host.allocate(1) !== 0);
}

function keyOf(n: number, size: number): Uint8Array {
  const key = new Uint8Array(size);
  key[0] = n;
  key[1] = n >> 8;
  key[2] = n % 7;
  return key;
}

describe.each(CASES)("$type of $keySize + $valueSize bytes, shared: $shared", (spec) => {
  const { shared, type, keySize, valueSize } = spec;

  function full(run: number, before: (map: HashMap<Uint8Array, Uint8Array>) => void = () => {}) {
    const random = new Random(seed + run);
    const host = createHost({ seed, shared, cpus: 2, maxMemory: 1 << 21 });
    const map = host.createMap({
      type,
      key: bytes(keySize),
      value: bytes(valueSize),
      maxEntries: 60,
    } as const) as unknown as HashMap<Uint8Array, Uint8Array>;
    const value = new Uint8Array(valueSize).fill(7);
    for (let n = 0; n < 60; n++) {
      map.set(keyOf(n, keySize), (type === "percpu_hash" ? [value, value] : value) as Uint8Array);
    }
    before(map);
    // Neighbours of the scratch in memory: what its blocks left of powers of two.
    for (let i = random.below(20); i > 0; i--) host.allocate(random.between(1, 3000));
    exhaust(host, random);
    return { host, map };
  }

  it("can be read, iterated over and verified", () => {
    for (let run = 0; run < 2; run++) {
      const { host, map } = full(run);
      expect(map.get(keyOf(3, keySize))).toBeDefined();
      for (let again = 0; again < 2; again++) {
        expect([...map.keys()].length).toBe(60);
        expect([...map.values()].length).toBe(60);
        expect([...map.entries()].length).toBe(60);
        let seen = 0;
        map.forEach(() => {
          seen++;
        });
        expect(seen).toBe(60);
      }
      expect([map.size, map.stats().entries, host.verify()]).toEqual([60, 60, []]);
    }
  });

  it("gives its entries back", () => {
    const { host, map } = full(1);
    expect(map.delete(keyOf(3, keySize))).toBe(true);
    expect(map.lookupAndDelete(keyOf(4, keySize))).toBeDefined();
    const left = [...map.drain()].map(([key]) => key[0]);
    expect(left.sort((a, b) => a! - b!)).toEqual(
      Array.from({ length: 60 }, (_, n) => n).filter((n) => n !== 3 && n !== 4),
    );
    expect([map.size, host.verify()]).toEqual([0, []]);
    const cleared = full(2).map;
    cleared.clear();
    expect([...cleared]).toEqual([]);
  });

  it("works with a batch that is there", () => {
    let batch: ReturnType<typeof map.createBatch> | undefined;
    const { host, map } = full(3, (open) => {
      batch = open.createBatch(40);
    });
    const page = batch as NonNullable<typeof batch>;
    expect(map.lookupBatch(page)).toBe(true);
    expect(page.count).toBe(40);
    map.deleteBatch(page);
    page.count = 40;
    page.rewind();
    expect(map.lookupAndDeleteBatch(page)).toBe(false);
    expect([page.count, map.size, host.verify()]).toEqual([20, 0, []]);
    expect(() => full(4).map.createBatch(1)).toThrow(expect.objectContaining({ errno: ERRNO.ENOMEM }));
  });

  it("puts an entry back that its codec cannot decode", () => {
    const { host, map } = full(5);
    let refuse = true;
    const decodeKey = map.decodeKey.bind(map);
    map.decodeKey = (...args) => {
      if (refuse) throw new Error("no key");
      return decodeKey(...args);
    };
    expect(() => map.drain().next()).toThrow("no key");
    refuse = false;
    expect([map.size, [...map].length, host.verify()]).toEqual([60, 60, []]);
  });
});

it("a path can be opened and unpinned on a full shared host", () => {
  const host = createHost({ seed, shared: true, cpus: 2, maxMemory: 1 << 21 });
  const map = host.createMap({ type: "rhash", key: bytes(4), value: bytes(4), maxEntries: 10 });
  host.pin("/some/path", map);
  exhaust(host, new Random(seed));
  host.open("/some/path", { key: bytes(4), value: bytes(4) }).close();
  host.unpin("/some/path");
  expect(() => host.unpin("/some/path")).toThrow(expect.objectContaining({ errno: ERRNO.ENOENT }));
  expect(host.verify()).toEqual([]);
});
