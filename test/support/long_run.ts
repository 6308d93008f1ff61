/** Millions of operations on random configurations of one map type. */
import { BPF_F_NO_COMMON_LRU, BPF_F_NO_PREALLOC } from "../../src/constants.ts";
import type { EvictionType, HashType } from "../../src/index.ts";
import {
  generateOperations,
  type Operation,
  Random,
  replayAndShrink,
  type SubjectSpec,
} from "../../src/testing/index.ts";
import { describeSpec, opener } from "./open.ts";
import { boundaryChurn, growthAndShrink, longSections, withScans } from "./sequences.ts";

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

function randomSpec(type: HashType | EvictionType, random: Random): SubjectSpec {
  const small = random.chance(60);
  const keySize = random.chance(45)
    ? [4, 8, 16][random.below(3)]!
    : random.chance(90)
      ? random.between(1, 64)
      : [65, 100, 257, 1000][random.below(4)]!;
  const valueSize = small ? random.between(1, 28) : random.between(1, 300);
  const maxEntries = [1, 2, 3, 10, 100, 1000, 5000, 50_000][random.below(8)]!;
  if (type === "hash") {
    return { type, keySize, valueSize, maxEntries, flags: random.chance(50) ? BPF_F_NO_PREALLOC : 0 };
  }
  if (type === "lru_hash" || type === "lru_percpu_hash")
    return evictingSpec(type, keySize, valueSize, random);
  if (random.chance(70)) return { type, keySize, valueSize, maxEntries };
  return { type, keySize, valueSize, maxEntries, mapExtra: random.between(0, Math.min(maxEntries, 1000)) };
}

/** Small maps are an LRU to the letter. */
function evictingSpec(type: EvictionType, keySize: number, valueSize: number, random: Random): SubjectSpec {
  const maxEntries = random.chance(50) ? random.between(1, 40) : [50, 100, 1000, 5000][random.below(4)]!;
  const eviction = random.chance(50) ? "recency" : "value";
  const flags = random.chance(20) ? BPF_F_NO_COMMON_LRU : 0;
  return { type, keySize, valueSize, maxEntries, eviction, flags };
}

function randomOperations(spec: SubjectSpec, seed: number, random: Random): Iterable<Operation> {
  const { maxEntries } = spec;
  const shares = {
    scan: random.between(1, 60),
    iterate: random.below(30),
    drain: random.below(4),
    single: random.below(100),
  };
  const entries = Math.min(maxEntries + random.below(10), 20_000);
  const roll = random.below(10);
  if (roll === 0) return withScans(growthAndShrink(entries, seed), shares, seed);
  if (roll === 1) return withScans(longSections(Math.min(entries, 3000), seed), shares, seed);
  if (roll === 2) return withScans(boundaryChurn(Math.min(entries, 1500), seed), shares, seed);
  const keys = Math.max(4, Math.floor(maxEntries * (random.chance(50) ? 2 : 1.05)));
  const steps = Math.max(5000, Math.min(100_000, 10 * maxEntries));
  return generateOperations({ seed, steps, keys, maxEntries, evicts: spec.type.startsWith("lru") });
}

/** Runs configurations until `steps` operations are done, and prints how many, the seed and the complete scans. */
export function longRun(type: HashType | EvictionType, steps: number, seed: number): void {
  const random = new Random(seed);
  const total = { steps: 0, scans: 0, drains: 0, iterations: 0, walks: 0, sections: 0, configurations: 0 };
  while (total.steps < steps) {
    const runSeed = random.next();
    const runRandom = new Random(runSeed);
    const spec = randomSpec(type, runRandom);
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
