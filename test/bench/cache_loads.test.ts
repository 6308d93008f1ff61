// The seeded loads of the workload `cache`, and of the tests of hit ratios: the same on every machine, and what their names say.
import { describe, expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { zipfian } from "../../bench/data/alias.mjs";
// @ts-expect-error plain JavaScript
import { CACHE_LOADS, cacheLoad } from "../../bench/data/cache_loads.mjs";
// @ts-expect-error plain JavaScript
import { Fingerprint } from "../../bench/data/fingerprint.mjs";
// @ts-expect-error plain JavaScript
import { exp, ln } from "../../bench/data/logarithm.mjs";
// @ts-expect-error plain JavaScript
import { Random } from "../../bench/data/random.mjs";

const KEYS = 10_000;

/** How often each key comes. */
function countsOf(draws: Uint32Array): Uint32Array {
  const counts = new Uint32Array(2 * KEYS);
  for (const key of draws) counts[key]!++;
  return counts;
}

test("logarithms and powers are those of Math, to the last bits", () => {
  for (let x = 1; x < 2 ** 31; x = Math.ceil(x * 1.01)) {
    expect(Math.abs(ln(x) - Math.log(x))).toBeLessThanOrEqual(2 ** -51 * Math.max(1, Math.log(x)));
    const power = -Math.log(x);
    expect(Math.abs(exp(power) * x - 1)).toBeLessThan(2 ** -48);
    expect(Math.abs(exp(-power) / x - 1)).toBeLessThan(2 ** -48);
  }
});

test("zipfian draws are as frequent as they should be", () => {
  const n = 1000;
  const count = 1 << 20;
  const ranks = zipfian(n, 0.8);
  const random = new Random(1, 1);
  const counts = new Uint32Array(n);
  for (let i = 0; i < count; i++) counts[ranks.next(random)]!++;
  let zeta = 0;
  for (let rank = 1; rank <= n; rank++) zeta += rank ** -0.8;
  counts.forEach((drawn, rank) => {
    const expected = count / zeta / (rank + 1) ** 0.8;
    expect(Math.abs(drawn - expected), `rank ${rank}`).toBeLessThan(6 * Math.sqrt(expected));
  });
});

describe("loads", () => {
  test.each([
    [1, "zipf 0.8", "00f7f67e5cea3773"],
    [1, "zipf 0.99", "ffd4a05f52ce4ebf"],
    [1, "drift", "c81412ce03b3018d"],
    [1, "scans", "8832647a91f6ce7b"],
    [1, "recency", "341b5937c625b76e"],
    [1, "loop", "093cb091c17def78"],
    [2, "zipf 0.8", "9e793f36e4dc98a7"],
    [2, "zipf 0.99", "deaf8b380dfcd01e"],
    [2, "drift", "8c9a4f4a8c3b56d5"],
    [2, "scans", "7db544768ff18523"],
    [2, "recency", "5df636baad916ce6"],
    [2, "loop", "bb8b937cd34546a9"],
  ])("are the same everywhere: seed %i, %s", (seed, name, fingerprint) => {
    expect(`${new Fingerprint().add(cacheLoad(name, KEYS, seed))}`).toBe(fingerprint);
  });

  test.each(CACHE_LOADS as string[])("%s: four accesses a key, of numbers below twice the keys", (name) => {
    for (const keys of [1, 7, 500]) {
      const draws: Uint32Array = cacheLoad(name, keys, 1);
      expect(draws.length).toBe(4 * keys);
      for (const key of draws) expect(key).toBeLessThan(2 * keys);
    }
    expect(cacheLoad(name, 100, 1, 1234).length).toBe(1234);
  });

  test("drift: the key that comes most is another after a while", () => {
    const draws: Uint32Array = cacheLoad("drift", KEYS, 1);
    const most = (from: number, to: number) => {
      const counts = countsOf(draws.subarray(from, to));
      return counts.indexOf(Math.max(...counts));
    };
    const third = Math.floor(draws.length / 3);
    expect(most(0, 500)).toBeLessThan(50);
    expect(Math.abs(most(third, third + 500) - KEYS / 30)).toBeLessThan(50);
    expect(Math.abs(most(2 * third, 2 * third + 500) - KEYS / 15)).toBeLessThan(50);
  });

  test("scans: a third of the accesses, in runs, of keys that come at most twice", () => {
    const draws: Uint32Array = cacheLoad("scans", KEYS, 1);
    const scanned = draws.filter((key) => key >= KEYS);
    expect(scanned.length / draws.length).toBeCloseTo(1 / 3, 2);
    expect(Array.from(draws.subarray(0, KEYS / 20))).toEqual(
      Array.from({ length: KEYS / 20 }, (_, i) => KEYS + i),
    );
    expect(Math.max(...countsOf(scanned))).toBe(2);
  });

  test("recency: a tenth of the keys is new, the others come back after a distance that is log-uniform", () => {
    const draws: Uint32Array = cacheLoad("recency", KEYS, 1);
    expect(countsOf(draws).filter((count) => count > 0).length / draws.length).toBeCloseTo(0.1, 1);
    const last = new Map<number, number>();
    const octaves = new Uint32Array(16);
    draws.forEach((key, i) => {
      if (last.has(key)) octaves[31 - Math.clz32(i - last.get(key)!)]!++;
      last.set(key, i);
    });
    // Each is drawn for 1/14 of the nine tenths; what came in between makes a long distance a shorter one.
    for (let octave = 0; octave < 8; octave++)
      expect(octaves[octave]! / draws.length / (0.9 / 14), `octave ${octave}`).toBeCloseTo(1, 0);
    expect(octaves[13]).toBeLessThan(octaves[0]!);
    expect(octaves[13]).toBeGreaterThan(octaves[0]! / 10);
    expect(octaves[14]! + octaves[15]!).toBe(0);
  });

  test("loop: 70 % of the accesses go round a loop", () => {
    const draws: Uint32Array = cacheLoad("loop", KEYS, 1);
    const looped = draws.filter((key) => key >= KEYS);
    expect(looped.length / draws.length).toBeCloseTo(0.7, 1);
    expect(looped).toEqual(looped.map((_, i) => KEYS + (i % 1500)));
  });
});
