/**
 * The verifier: what a program may touch is proven, or left to a check when it runs, or refused.
 *
 * It follows all paths of the program, and keeps for each register whether it is a number, and between which bounds, or a pointer, to
 * what, and how far into it. What has no type is refused; what has one, but no proven bounds, is checked when it runs.
 *
 * @module
 */

import { PROTOTYPES } from "../helpers/prototypes.ts";
import { CALL, CALLEE } from "../isa/opcodes.ts";
import { explore } from "./explore.ts";
import { hasLoops } from "./flow/points.ts";
import { checkDepth, stackDepths } from "./flow/stack_depth.ts";
import { type AccessPlan, type CallPlan, planOfCall } from "./plans.ts";
import type { ProgramToVerify } from "./program.ts";
import { Session } from "./session.ts";

export interface Verified {
  /** By slot of the instruction. What is not here is never reached. */
  readonly accesses: ReadonlyMap<number, AccessPlan>;
  /** By slot of the call. */
  readonly calls: ReadonlyMap<number, CallPlan>;
  /** Slots of additions `dst += src` in which `src` is the pointer: its window goes to `dst`. */
  readonly pointerSources: ReadonlySet<number>;
  /** How many accesses, and arguments of helpers, are proven, and are left to checks. */
  readonly proven: number;
  readonly checked: number;
  /** Instructions looked at, each as often as it was. */
  readonly visited: number;
  /** How many bytes of its frame each function names, by the slot where it begins. */
  readonly stackDepths: ReadonlyMap<number, number>;
  /** Whether the program reads bytes of its frames that it may not have written: then they must be zero. */
  readonly zeroFrame: boolean;
  /** Whether it cannot trap and touches no map but through the pointers that it is given: no loop, no check, no helper but pure ones. */
  readonly pure: boolean;
  readonly log: string;
}

/** Verifies a program, or throws a {@link VerifierError}. */
export function verifyProgram(program: ProgramToVerify): Verified {
  const session = new Session(program);
  const { visited } = explore(session);
  const depths = stackDepths(session);
  if (session.isStrict) checkDepth(session, depths);
  const calls = new Map([...session.calls].map(([pc, seen]) => [pc, planOfCall(seen)] as const));
  const checks = [...calls.values()].reduce((sum, call) => sum + call.checks.length, 0);
  const unproven = [...session.accesses.values()].filter(({ proven }) => !proven).length;
  return {
    accesses: session.accesses,
    calls,
    pointerSources: pointerSources(session, unproven + checks),
    proven: session.accesses.size - unproven,
    checked: unproven + checks,
    visited,
    stackDepths: depths,
    zeroFrame: session.readsUnwritten,
    pure: unproven + checks === 0 && !hasLoops(program.instructions) && callsArePure(program),
    log: session.log.text,
  };
}

function pointerSources(session: Session, checked: number): ReadonlySet<number> {
  const sources = new Set<number>();
  for (const [pc, pointerIn] of session.additions) {
    if (pointerIn === "either" && checked > 0) {
      session.pc = pc;
      session.refuse(
        "either operand of the addition is the pointer, so it cannot be checked when the program runs",
      );
    }
    if (pointerIn === "src") sources.add(pc);
  }
  return sources;
}

function callsArePure({ instructions }: ProgramToVerify): boolean {
  return instructions.every((instruction) => {
    if (instruction?.opcode !== CALL || instruction.src === CALLEE.LOCAL) return true;
    return instruction.src === CALLEE.HELPER && PROTOTYPES.get(instruction.imm)?.isPure === true;
  });
}
