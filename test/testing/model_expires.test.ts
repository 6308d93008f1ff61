// The kit on maps whose entries expire: what the model knows of them, and that a replay catches what is planted.
import { describe, expect, test } from "vitest";
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST } from "../../src/constants.ts";
import { ERRNO } from "../../src/errors.ts";
import {
  generateOperations,
  ReferenceMap,
  type ReferenceMapOptions,
  ReplayDivergence,
  replay,
  replayAndShrink,
} from "../../src/testing/index.ts";
import { testSeed } from "../support/seed.ts";
import { type ExpiryBug, TimedSubject } from "../support/timed_subject.ts";

const seed = testSeed("testing/model_expires.test.ts");
const of = (...bytes: number[]) => Uint8Array.from(bytes);

/** Three entries: of 100 ms, of 5, and for ever. */
function timed(options: Partial<ReferenceMapOptions> = {}): ReferenceMap {
  const sizes = { type: "hash", keySize: 1, valueSize: 1, maxEntries: 3, ttl: 100 } as const;
  const model = new ReferenceMap({ ...sizes, ...options });
  model.update(of(1), of(1), BPF_ANY);
  model.update(of(2), of(2), BPF_ANY, 5);
  model.update(of(3), of(3), BPF_ANY, 0);
  return model;
}

describe("ReferenceMap", () => {
  test("keeps an entry until its ttl has passed, and one unit longer at most", () => {
    const model = timed();
    expect([model.remainingTtl(of(1)), model.remainingTtl(of(2)), model.remainingTtl(of(4))]).toEqual([
      100, 10, 0,
    ]);
    expect(model.advance(9)).toEqual([]);
    expect(model.advance(1).map(({ key }) => key)).toEqual([of(2)]);
    expect([model.lookup(of(2)), model.remainingTtl(of(1))]).toEqual([undefined, 90]);
    expect(model.advance(1e6).map(({ key }) => key)).toEqual([of(1)]);
    expect([model.remainingTtl(of(3)), model.size]).toEqual([Number.POSITIVE_INFINITY, 1]);
  });

  test("takes an entry that has expired for a new one, and starts the ttl anew with each update", () => {
    const model = timed();
    model.advance(10);
    expect(model.update(of(2), of(9), BPF_EXIST)).toBe(ERRNO.ENOENT);
    expect(model.update(of(2), of(9), BPF_NOEXIST)).toBe(0);
    expect(model.update(of(1), of(9), BPF_ANY)).toBe(0);
    model.advance(99);
    expect(model.size).toBe(3);
    model.advance(1);
    expect(model.size).toBe(1);
  });

  test("lets a count leave the expiry, and a read renew it when it is by a sixteenth", () => {
    const model = timed({ numbers: true, updateAgeOnGet: true, ttlResolution: 1 });
    model.advance(4);
    expect(model.add(of(1), 200)).toBe(0);
    expect([model.lookup(of(1)), model.remainingTtl(of(1))]).toEqual([of(201), 96]);
    model.advance(2);
    model.use(of(1));
    expect(model.remainingTtl(of(1))).toBe(94);
    model.advance(1);
    model.use(of(1));
    model.use(of(3));
    expect([model.remainingTtl(of(1)), model.remainingTtl(of(3))]).toEqual([100, Number.POSITIVE_INFINITY]);
  });

  test("bounds the size by what is there and what no sweep has come to", () => {
    const model = timed();
    model.advance(10);
    expect([4, 3, 2, 3, 1].map((size) => model.learnSize(size))).toEqual([false, true, true, false, false]);
    expect([model.full, model.update(of(4), of(4), BPF_ANY), model.size]).toEqual([false, 0, 3]);
    model.advance(100);
    expect(model.learnSize(3)).toBe(true);
    model.swept();
    expect([model.learnSize(3), model.learnSize(1)]).toEqual([false, true]);
  });

  test("of a full map that evicts does not know whether one went that was dead", () => {
    const model = timed({ type: "lru_hash" });
    model.advance(10);
    expect(model.learnSize(3)).toBe(true);
    model.update(of(4), of(4), BPF_ANY);
    expect([model.unknown, model.victim, model.learnSize(3)]).toEqual([1, undefined, true]);
    model.settled();
    expect([model.unknown, model.size]).toEqual([0, 3]);
    model.update(of(5), of(5), BPF_ANY);
    expect([model.unknown, model.size]).toEqual([1, 3]);
  });
});

describe("replay", () => {
  const sizes = { type: "hash", keySize: 4, valueSize: 4, maxEntries: 20, ttl: 300 } as const;
  const operations = (run = 0) =>
    generateOperations({ seed: (seed + run) >>> 0, steps: 2000, keys: 40, maxEntries: 20, ttl: 300 });

  test("passes a correct map", () => {
    const summary = replay(operations(), new TimedSubject(sizes), new ReferenceMap(sizes), { seed });
    expect(summary.steps).toBe(2000);
  });

  const bugs: ExpiryBug[] = ["early", "late", "never", "ttl", "stays", "remains", "size", "filter"];
  test.each(bugs)("catches a planted bug: %s", (bug) => {
    const attempts = Array.from({ length: 10 }, (_, run) => () => {
      replayAndShrink(operations(run), () => new TimedSubject(sizes, bug), { seed });
    });
    expect(
      attempts.some((attempt) => {
        try {
          attempt();
          return false;
        } catch (error) {
          return error instanceof ReplayDivergence;
        }
      }),
    ).toBe(true);
  });
});
