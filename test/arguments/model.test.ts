import { expect, test } from "vitest";
import { testSeed } from "../support/seed.ts";
import { runModel } from "./model.ts";

const OPERATIONS = 20_000;

test("random operations with arguments in host memory", () => {
  const { operations } = runModel(testSeed("test/arguments/model.test.ts"), OPERATIONS);
  expect(operations).toBeGreaterThanOrEqual(OPERATIONS);
});
