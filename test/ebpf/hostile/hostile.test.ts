// Programs that the verifier accepts stay where it says, whatever they are.
import { describe, expect, it } from "vitest";
import { verifyProgram } from "../../../src/ebpf/verify/verify.ts";
import { Random } from "../../../src/testing/random.ts";
import { testSeed } from "../../support/seed.ts";
import { bySize } from "../../support/size.ts";
import { hunt } from "./hunt.ts";
import { run } from "./run.ts";
import { SUBJECTS } from "./subjects.ts";

const seed = testSeed("ebpf/hostile/hostile.test.ts");

describe("the programs as they are", () => {
  it.each(SUBJECTS.map((subject) => [subject.name, subject] as const))("%s runs to its end", (_, subject) => {
    const verified = verifyProgram(subject.program);
    expect(verified.checked).toBe(0);
    const random = new Random(seed);
    for (let k = 0; k < 20; k++) {
      const length = subject.lengths[random.below(subject.lengths.length)];
      expect(run(subject, subject.program, verified, length, random)).toBe("returned");
    }
  });
});

it("no mutant that is accepted escapes", { timeout: 3_600_000 }, () => {
  const result = hunt(verifyProgram, seed, bySize(120, 125_000));
  console.log(result);
  expect(result.escape).toBeUndefined();
  expect(result.returned).toBeGreaterThan(result.runs / 4);
});
