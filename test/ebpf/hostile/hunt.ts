// Mutates programs, verifies them, and runs those that are accepted.

import { printCode } from "../../../src/ebpf/isa/print.ts";
import type { verifyProgram } from "../../../src/ebpf/verify/verify.ts";
import { Random } from "../../../src/testing/random.ts";
import { Escape } from "./arena.ts";
import { mutated } from "./mutate.ts";
import { run } from "./run.ts";
import { SUBJECTS, type Subject, withCode } from "./subjects.ts";

export interface Hunt {
  accepted: number;
  refused: number;
  runs: number;
  trapped: number;
  returned: number;
  /** What happened that had been ruled out, with the program. */
  escape: string | undefined;
}

const RUNS = 8;

/**
 * Hunts until something escapes, or so many mutants have been accepted.
 *
 * @param verify the verifier, or one with a hole
 */
export function hunt(
  verify: typeof verifyProgram,
  seed: number,
  mutants: number,
  subjects: readonly Subject[] = SUBJECTS,
): Hunt {
  const random = new Random(seed);
  const hunt: Hunt = { accepted: 0, refused: 0, runs: 0, trapped: 0, returned: 0, escape: undefined };
  while (hunt.accepted < mutants && hunt.escape === undefined) {
    const subject = subjects[random.below(subjects.length)];
    const code = mutated(subject.program.instructions, random);
    if (code !== undefined) tryOne(verify, subject, withCode(subject.program, code), random, hunt);
  }
  return hunt;
}

function tryOne(
  verify: typeof verifyProgram,
  subject: Subject,
  program: Subject["program"],
  random: Random,
  hunt: Hunt,
): void {
  let verified: ReturnType<typeof verify>;
  try {
    verified = verify(program);
  } catch (error) {
    if ((error as Error).name !== "VerifierError") throw error;
    hunt.refused++;
    return;
  }
  hunt.accepted++;
  for (let k = 0; k < RUNS; k++) {
    const near = subject.lengths[random.below(subject.lengths.length)] + random.below(3) - 1;
    hunt.runs++;
    try {
      const end = run(subject, program, verified, Math.max(0, near), random);
      if (end === "trapped") hunt.trapped++;
      if (end === "returned") hunt.returned++;
    } catch (error) {
      if (!(error instanceof Escape)) throw error;
      hunt.escape = `${subject.name}: ${error.message}\n${printCode(program.instructions)}`;
      return;
    }
  }
}
