// The kit itself: the model, the encoding, the generator, and that a replay catches what is planted.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST } from "../../src/constants.ts";
import { ERRNO } from "../../src/errors.ts";
import {
  decodeOperations,
  encodeOperations,
  fromHex,
  generateOperations,
  type Operation,
  Random,
  ReferenceMap,
  ReplayDivergence,
  replay,
  replayAndShrink,
  toHex,
} from "../../src/testing/index.ts";
import { type Bug, PlainSubject } from "../support/plain_subject.ts";
import { testSeed } from "../support/seed.ts";

const seed = testSeed("testing/model.test.ts");
const of = (...bytes: number[]) => Uint8Array.from(bytes);

describe("ReferenceMap answers as the kernel does", () => {
  const full = () => {
    const model = new ReferenceMap({ keySize: 1, valueSize: 1, maxEntries: 2 });
    model.update(of(1), of(10), BPF_ANY);
    model.update(of(2), of(20), BPF_ANY);
    return model;
  };

  // The order in which the kernel checks flags, presence and room (test/kernel asks the live one).
  test.each([
    ["ANY, present", 1, BPF_ANY, 0],
    ["ANY, absent and full", 3, BPF_ANY, ERRNO.E2BIG],
    ["NOEXIST, present", 1, BPF_NOEXIST, ERRNO.EEXIST],
    ["NOEXIST, absent and full", 3, BPF_NOEXIST, ERRNO.E2BIG],
    ["EXIST, present", 1, BPF_EXIST, 0],
    ["EXIST, absent and full: the flag is tested before the capacity", 3, BPF_EXIST, ERRNO.ENOENT],
    ["flags 3", 1, 3, ERRNO.EINVAL],
    ["BPF_F_LOCK without a lock", 1, 4, ERRNO.EINVAL],
    ["flags 8", 3, 8, ERRNO.EINVAL],
  ])("update, %s", (_name, key, flags, errno) => {
    const model = full();
    expect(model.update(of(key), of(99), flags)).toBe(errno);
    expect(model.lookup(of(1))).toEqual(of(errno === 0 ? 99 : 10));
    expect(model.size).toBe(2);
  });

  test("delete, lookupAndDelete and clear", () => {
    const model = full();
    expect(model.delete(of(1))).toBe(0);
    expect(model.delete(of(1))).toBe(ERRNO.ENOENT);
    expect(model.lookupAndDelete(of(2))).toEqual(of(20));
    expect(model.lookupAndDelete(of(2))).toBe(ERRNO.ENOENT);
    expect(model.update(of(3), of(30), BPF_NOEXIST)).toBe(0);
    expect(model.clear()).toBe(0);
    expect(model.size).toBe(0);
  });

  test("a frozen map is read-only and cannot be frozen again", () => {
    const model = full();
    expect(model.freeze()).toBe(0);
    expect(model.freeze()).toBe(ERRNO.EPERM);
    expect(model.update(of(1), of(0), 3)).toBe(ERRNO.EPERM);
    expect(model.delete(of(9))).toBe(ERRNO.EPERM);
    expect(model.lookupAndDelete(of(1))).toBe(ERRNO.EPERM);
    expect(model.clear()).toBe(ERRNO.EPERM);
    expect(model.lookup(of(1))).toEqual(of(10));
  });

  test("values are copies, sizes are checked", () => {
    const model = full();
    const value = of(5);
    model.update(of(1), value, BPF_ANY);
    value[0] = 6;
    expect(model.lookup(of(1))).toEqual(of(5));
    expect(() => model.lookup(of(1, 2))).toThrow(RangeError);
    expect(() => model.update(of(1), of(1, 2), BPF_ANY)).toThrow(RangeError);
  });
});

describe("Random", () => {
  test("is xoshiro128** 1.1", () => {
    // The algorithm of https://prng.di.unimi.it/xoshiro128starstar.c with BigInt arithmetic, on the state that seed 0 gives.
    const mask = 0xffff_ffffn;
    const rotate = (x: bigint, by: bigint) => ((x << by) | (x >> (32n - by))) & mask;
    const s: bigint[] = [];
    for (let i = 1n, weyl = 0n; i <= 4n; i++) {
      weyl = (weyl + 0x9e3779b9n) & mask;
      let z = ((weyl ^ (weyl >> 16n)) * 0x85ebca6bn) & mask;
      z = ((z ^ (z >> 13n)) * 0xc2b2ae35n) & mask;
      s.push(z ^ (z >> 16n));
    }
    const random = new Random(0);
    for (let i = 0; i < 100; i++) {
      const expected = (rotate((s[1]! * 5n) & mask, 7n) * 9n) & mask;
      const t = (s[1]! << 9n) & mask;
      s[2]! ^= s[0]!;
      s[3]! ^= s[1]!;
      s[1]! ^= s[2]!;
      s[0]! ^= s[3]!;
      s[2]! ^= t;
      s[3] = rotate(s[3]!, 11n);
      expect(random.next()).toBe(Number(expected));
    }
  });

  test("below() and between() stay inside their bounds and reach both ends", () => {
    const random = new Random(seed);
    const seen = new Set<number>();
    for (let i = 0; i < 2000; i++) seen.add(random.between(3, 10));
    expect([...seen].sort((a, b) => a - b)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

const key = fc.oneof(fc.nat(300), fc.nat(9000), fc.nat((1 << 24) - 1));
const slot = fc.nat(3);
const room = fc.integer({ min: 1, max: 64 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constant("update"), key, value: fc.nat(0xffff), flags: fc.nat(255) } as const),
  fc.record({
    kind: fc.constantFrom("lookup", "has", "delete", "lookupAndDelete", "nextKey", "remainingTtl"),
    key,
  } as const),
  fc.record({ kind: fc.constant("set"), key, value: fc.nat(0xffff), ttl: fc.nat(0xffff) } as const),
  fc.record({ kind: fc.constant("add"), key, by: fc.nat(255) } as const),
  fc.record({ kind: fc.constant("advance"), by: fc.nat(0xffff) } as const),
  fc.record({ kind: fc.constant("sweep"), buckets: fc.nat(255) } as const),
  fc.record({ kind: fc.constant("process"), remove: fc.nat(255) } as const),
  fc.record({ kind: fc.constant("drainAll"), room } as const),
  fc.record({
    kind: fc.constant("lookupMany"),
    key,
    count: fc.integer({ min: 1, max: 256 }),
    stride: fc.nat(255),
  } as const),
  fc.record({ kind: fc.constantFrom("scan", "drain", "iterate"), slot, room } as const),
  fc.record({ kind: fc.constant("rewind"), slot } as const),
  fc.record({
    kind: fc.constantFrom("firstKey", "walk", "sectionBegin", "sectionEnd", "clear", "freeze", "check"),
  } as const),
);

describe("the encoding of operations", () => {
  test("decode is the inverse of encode", () => {
    fc.assert(
      fc.property(fc.array(operation), (operations) => {
        expect(decodeOperations(encodeOperations(operations))).toEqual(operations);
      }),
      { seed, numRuns: 500 },
    );
  });

  test("every byte string decodes to operations that can be encoded", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const operations = decodeOperations(bytes);
        expect(decodeOperations(encodeOperations(operations))).toEqual(operations);
      }),
      { seed, numRuns: 500 },
    );
  });

  test("every first byte is an operation, and every kind has one", () => {
    const kinds = new Set<string>();
    for (let byte = 0; byte < 256; byte++) {
      const operations = decodeOperations(of(byte));
      expect(operations).toHaveLength(1);
      kinds.add(operations[0]!.kind);
    }
    expect(kinds.size).toBe(26);
  });

  test("bounds are checked", () => {
    expect(() => encodeOperations([{ kind: "scan", slot: 0, room: 65 }])).toThrow(RangeError);
    expect(() => encodeOperations([{ kind: "delete", key: 1 << 24 }])).toThrow(RangeError);
    expect(() => encodeOperations([{ kind: "update", key: 0, value: 0, flags: 256 }])).toThrow(RangeError);
    expect(() => encodeOperations([{ kind: "update", key: 0, value: 0, flags: -1 }])).toThrow(RangeError);
  });

  test("hex goes both ways", () => {
    expect(toHex(of(0, 10, 255))).toBe("000aff");
    expect(fromHex("000aFF")).toEqual(of(0, 10, 255));
    expect(() => fromHex("0")).toThrow(SyntaxError);
  });
});

describe("generateOperations", () => {
  const options = { seed, steps: 20_000, keys: 400, maxEntries: 200 };

  test("gives the same operations for the same seed, others for another", () => {
    const encoded = (of = options) => toHex(encodeOperations(generateOperations(of)));
    expect(encoded()).toBe(encoded());
    expect(encoded({ ...options, seed: seed ^ 1 })).not.toBe(encoded());
  });

  test("gives every kind but freeze, and rooms of 1", () => {
    const kinds = new Set<string>();
    let single = 0;
    for (const operation of generateOperations({ ...options, steps: 100_000 })) {
      kinds.add(operation.kind);
      if ("room" in operation && operation.room === 1) single++;
    }
    expect(kinds.size).toBe(17);
    expect(kinds).not.toContain("freeze");
    expect(single).toBeGreaterThan(100);
  });
});

describe("replay", () => {
  const sizes = { keySize: 4, valueSize: 4, maxEntries: 60 };
  const operations = (run = 0) =>
    generateOperations({ seed: (seed + run) >>> 0, steps: 6000, keys: 100, maxEntries: 60 });

  test.each([true, false])("passes a correct map (stable addresses: %s)", (stable) => {
    const summary = replay(operations(), new PlainSubject(sizes, stable), new ReferenceMap(sizes), { seed });
    expect(summary.steps).toBe(6000);
    expect(summary.scans).toBeGreaterThan(0);
    expect(summary.peak).toBeGreaterThan(30);
  });

  const bugs: Bug[] = [
    "stale value",
    "capacity",
    "flag order",
    "scan skips",
    "scan repeats",
    "scan invents",
    "move in section",
    "reuse in section",
    "next restarts",
    "many",
    "counts",
    "work",
    "leak",
  ];
  test.each(bugs)("catches a planted bug within 10 runs and shrinks it: %s", (bug) => {
    let caught: unknown;
    for (let run = 0; run < 10 && caught === undefined; run++) {
      try {
        replayAndShrink(operations(run), () => new PlainSubject(sizes, false, bug), { seed });
      } catch (error) {
        caught = error;
      }
    }
    expect(caught).toBeInstanceOf(ReplayDivergence);
    const divergence = caught as ReplayDivergence;
    expect(divergence.seed).toBe(seed);
    expect(divergence.message).toContain(divergence.encoding);
    const shrunk = decodeOperations(fromHex(divergence.encoding));
    expect(shrunk.length).toBeLessThan(150);
    // The encoding alone is enough to see it again.
    const again = () => replay(shrunk, new PlainSubject(sizes, false, bug), new ReferenceMap(sizes));
    expect(again).toThrow(divergence.got);
  });

  test("any bytes replay without a divergence on a correct map", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        replay(decodeOperations(bytes), new PlainSubject(sizes, true), new ReferenceMap(sizes));
      }),
      { seed, numRuns: 50 },
    );
  });
});
