/** Millions of operations on random configurations of one map type. */
import { BPF_F_NO_COMMON_LRU, BPF_F_NO_PREALLOC } from "../../src/constants.ts";
import {
  generateOperations,
  type Operation,
  Random,
  type ReferenceType,
  replayAndShrink,
} from "../../src/testing/index.ts";
import { describeSpec, opener } from "./open.ts";
import { boundaryChurn, growthAndShrink, longSections, withScans, withTime } from "./sequences.ts";
import type { AnySpec } from "./text_subject.ts";

const DEFAULT_STEPS = 10_000_000;

/** Operations that all long runs together should make: `TEST_STEPS`, by default 10 million. */
export function testSteps(): number {
  const given = process.env.TEST_STEPS;
  const steps = given === undefined ? DEFAULT_STEPS : Number(given);
  if (!Number.isInteger(steps) || steps < 1) {
    throw new RangeError(`TEST_STEPS is ${JSON.stringify(given)}, expected a whole number from 1`);
  }
  return steps;
}

type LongType = Exclude<ReferenceType, "array">;

function randomSpec(type: LongType, random: Random, timed: number): AnySpec {
  const spec = untimedSpec(type, random);
  if (!random.chance(timed)) return spec;
  const texts = !type.includes("percpu") && random.chance(20);
  return { ...spec, ...expiryOf(random), texts, keySize: texts ? 5 : spec.keySize };
}

/** Time, and half of the keys and values as numbers where there are some of their size. */
function expiryOf(random: Random) {
  return {
    ttl: [0, 1, 50, 200, 1000, 30_000][random.below(6)]!,
    ttlResolution: [1, 10, 100, 1000][random.below(4)]!,
    updateAgeOnGet: random.chance(40),
    numbers: random.chance(50),
  };
}

function untimedSpec(type: LongType, random: Random): AnySpec {
  const small = random.chance(60);
  const keySize = random.chance(45)
    ? [4, 8, 16][random.below(3)]!
    : random.chance(90)
      ? random.between(1, 64)
      : [65, 100, 257, 1000][random.below(4)]!;
  const valueSize = small ? random.between(1, 28) : random.between(1, 300);
  const maxEntries = [1, 2, 3, 10, 100, 1000, 5000, 50_000][random.below(8)]!;
  if (type === "hash" || type === "percpu_hash") {
    return { type, keySize, valueSize, maxEntries, flags: random.chance(50) ? BPF_F_NO_PREALLOC : 0 };
  }
  if (type === "lru_hash" || type === "lru_percpu_hash")
    return evictingSpec(type, keySize, valueSize, random);
  if (random.chance(70)) return { type, keySize, valueSize, maxEntries };
  return { type, keySize, valueSize, maxEntries, mapExtra: random.between(0, Math.min(maxEntries, 1000)) };
}

/** Small maps are an LRU to the letter. */
function evictingSpec(
  type: "lru_hash" | "lru_percpu_hash",
  keySize: number,
  valueSize: number,
  random: Random,
): AnySpec {
  const maxEntries = random.chance(50) ? random.between(1, 40) : [50, 100, 1000, 5000][random.below(4)]!;
  const eviction = random.chance(50) ? "recency" : "value";
  const flags = random.chance(20) ? BPF_F_NO_COMMON_LRU : 0;
  return { type, keySize, valueSize, maxEntries, eviction, flags };
}

function randomOperations(spec: AnySpec, seed: number, random: Random): Iterable<Operation> {
  const { maxEntries, ttl } = spec;
  const shares = {
    scan: random.between(1, 60),
    iterate: random.below(30),
    drain: random.below(4),
    single: random.below(100),
  };
  const entries = Math.min(maxEntries + random.below(10), 20_000);
  const roll = random.below(10);
  const passing = (operations: Iterable<Operation>) => {
    const scanned = withScans(operations, shares, seed);
    return ttl === undefined ? scanned : withTime(scanned, ttl, seed);
  };
  if (roll === 0) return passing(growthAndShrink(entries, seed));
  if (roll === 1) return passing(longSections(Math.min(entries, 3000), seed));
  if (roll === 2) return passing(boundaryChurn(Math.min(entries, 1500), seed));
  const keys = Math.max(4, Math.floor(maxEntries * (random.chance(50) ? 2 : 1.05)));
  const steps = Math.max(5000, Math.min(100_000, 10 * maxEntries));
  const evicts = spec.type.startsWith("lru");
  return generateOperations({ seed, steps, keys, maxEntries, evicts, ttl: ttl === 0 ? 100 : ttl });
}

/**
 * Runs configurations until `steps` operations are done, and prints how many, the seed and the complete scans. `timed`: in how many of a hundred
 * entries expire.
 */
export function longRun(type: LongType, steps: number, seed: number, timed = 20): void {
  const random = new Random(seed);
  const total = { steps: 0, scans: 0, drains: 0, iterations: 0, walks: 0, sections: 0, configurations: 0 };
  while (total.steps < steps) {
    const runSeed = random.next();
    const runRandom = new Random(runSeed);
    const spec = randomSpec(type, runRandom, timed);
    const operations = randomOperations(spec, runSeed, runRandom);
    try {
      const done = replayAndShrink(operations, opener(spec, runSeed), { seed: runSeed });
      total.steps += done.steps;
      total.scans += done.scans;
      total.drains += done.drains;
      total.iterations += done.iterations;
      total.walks += done.walks;
      total.sections += done.sections;
      total.configurations++;
    } catch (error) {
      console.log(`diverged: ${describeSpec(spec)}, after ${total.steps} operations of TEST_SEED=${seed}`);
      throw error;
    }
  }
  console.log(
    `${type}: ${total.steps} operations on ${total.configurations} configurations, TEST_SEED=${seed}: complete scans ` +
      `${total.scans}, drains ${total.drains}, iterations ${total.iterations}, walks ${total.walks}, sections ${total.sections}`,
  );
}
