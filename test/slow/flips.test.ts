// Thousands of flipped bits (test/ops/verify/flips.test.ts): TEST_FLIPS, 2,000 by default, of the seed TEST_SEED, by default always the same.
// Prints what came of them.
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { builtRoot } from "../support/built.ts";
import { flips, harmOf, tableOf } from "../support/flips/flips.mjs";
import { huntingSeed } from "../support/seed.ts";

const COUNT = Number(process.env.TEST_FLIPS ?? 2000);

test(`${COUNT} bits`, async () => {
  if (!Number.isInteger(COUNT) || COUNT < 1)
    throw new RangeError(`TEST_FLIPS is ${process.env.TEST_FLIPS}, expected a whole number from 1`);
  const seed = huntingSeed("slow/flips.test.ts");
  const outcomes = await flips(pathToFileURL(`${builtRoot()}dist/index.js`).href, seed, COUNT);
  console.log(`${COUNT} bits, TEST_SEED=${seed}\n${tableOf(outcomes)}`);
  expect(outcomes).toHaveLength(COUNT);
  expect(harmOf(outcomes)).toEqual([]);
});
