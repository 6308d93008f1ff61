// The contender hashbrown-wasm beside a Map.
import { expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { load } from "../../bench/contenders/hashbrown.mjs";
// @ts-expect-error plain JavaScript
import { keysFrom, Random, split } from "../../bench/data/random.mjs";
import { testSeed } from "../support/seed.ts";

interface Subject {
  prepare(input: unknown): void;
  insert(keys: Uint32Array): void;
  lookup(keys: Uint32Array): number;
  miss(keys: Uint32Array): number;
  overwrite(keys: Uint32Array): void;
  remove(keys: Uint32Array): number;
  mixed(input: { keys: Uint32Array; values: Uint32Array; writes: Uint8Array }): number;
  lookupMany(batches: Uint32Array[]): number;
  insertMany(batches: Uint32Array[]): void;
  removeMany(batches: Uint32Array[]): number;
  walk(): number;
  bytes(): number;
  close(): void;
}

const seed = testSeed("bench/hashbrown.test.ts");
const open: (() => Subject) | undefined = await load({ seed }).catch((error: Error) => {
  console.log(`hashbrown-wasm is not tested: ${error.message}`);
  return undefined;
});

const COMPILE_MS = 120_000;
/** As a contender's insert and overwrite. */
function setAll(map: Map<number, number>, keys: Uint32Array): void {
  for (const [i, key] of keys.entries()) map.set(key, i);
}
const total = (numbers: Iterable<number>): number => [...numbers].reduce((sum, number) => sum + number, 0);

test.skipIf(open === undefined)(
  "hashbrown-wasm does to its table what a Map does",
  { timeout: COMPILE_MS },
  () => {
    const random = new Random(seed, 0);
    const subject = open!();
    const map = new Map<number, number>();
    const numbers: Uint32Array = keysFrom(0, 3000);
    const some = (): Uint32Array => numbers.filter(() => random.below(3) === 0);
    const present = (): Uint32Array => Uint32Array.from(map.keys());
    for (let step = 0; step < 200; step++) {
      const keys = some();
      const batches: Uint32Array[] = split(keys, 256);
      if (batches.length > 0) subject.prepare(batches);
      switch (random.below(6)) {
        case 0:
          subject.insert(keys);
          setAll(map, keys);
          break;
        case 1:
          subject.insertMany(batches);
          setAll(map, keys);
          break;
        case 2:
          expect(subject.remove(keys)).toBe(total(keys.map((key) => Number(map.delete(key)))));
          break;
        case 3:
          expect(subject.removeMany(batches)).toBe(total(keys.map((key) => Number(map.delete(key)))));
          break;
        case 4: {
          const there = present();
          subject.overwrite(there);
          setAll(map, there);
          break;
        }
        default: {
          const there = present();
          const values = there.map(() => random.below(1000));
          const writes = Uint8Array.from(there, () => random.below(2));
          const read = there.map((key, i) => (writes[i] === 1 ? 0 : map.get(key)!));
          expect(subject.mixed({ keys: there, values, writes })).toBe(total(read));
          there.forEach((key, i) => {
            if (writes[i] === 1) map.set(key, values[i]!);
          });
        }
      }
      const there = present();
      const sum = total(map.values());
      expect(subject.lookup(there)).toBe(sum);
      expect(subject.lookupMany(split(there, 256))).toBe(sum);
      expect(subject.walk()).toBe(sum);
      expect(subject.miss(numbers)).toBe(map.size);
    }
    subject.close();
  },
);

test.skipIf(open === undefined)("batches outlive the growth of the memory that they are in", () => {
  const subject = open!();
  const keys: Uint32Array = keysFrom(0, 300_000);
  const batches: Uint32Array[] = split(keys, 256);
  subject.prepare(batches);
  const bytes = subject.bytes();
  subject.insertMany(batches);
  expect(subject.bytes()).toBeGreaterThan(bytes);
  const sum = (keys.length * (keys.length - 1)) / 2;
  expect(subject.lookupMany(batches)).toBe(sum);
  expect(subject.walk()).toBe(sum);
  expect(subject.removeMany(batches)).toBe(keys.length);
  expect(subject.miss(keys)).toBe(0);
  subject.close();
});
