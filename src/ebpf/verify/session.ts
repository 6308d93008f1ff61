/**
 * One verification: the program, what has been found out so far, and how it ends when the program is refused.
 *
 * @module
 */
import { ERRNO } from "../../errors.ts";
import { type Subprogram, subprogramsOf } from "../isa/flow.ts";
import type { ContextLayout } from "./contexts.ts";
import { layoutOf } from "./contexts.ts";
import { Liveness } from "./flow/liveness.ts";
import { type Origin, originsOf } from "./flow/origins.ts";
import { meetingPoints } from "./flow/points.ts";
import { Log } from "./log.ts";
import { newCall, type SeenAccess, type SeenCall } from "./plans.ts";
import type { Pointer } from "./pointer.ts";
import type { ProgramToVerify } from "./program.ts";
import { VerifierError } from "./verifier_error.ts";

export class Session {
  readonly program: ProgramToVerify;
  readonly layout: ContextLayout | undefined;
  readonly functions: readonly Subprogram[];
  readonly origins: readonly ((Origin | undefined)[] | undefined)[];
  readonly liveness: Liveness;
  readonly meets: Uint8Array;
  readonly accesses = new Map<number, SeenAccess>();
  readonly calls = new Map<number, SeenCall>();
  /** Additions by slot: whether the pointer is in `dst`, in `src`, or in either. */
  readonly additions = new Map<number, "dst" | "src" | "either">();
  readonly log: Log;
  /** The instruction that is looked at. */
  pc = 0;
  /** Whether the function of a timer is looked at, and not the program itself. */
  isTimer = false;
  /** Whether bytes of a frame are read that the program may not have written. */
  readsUnwritten = false;
  #ids = 0;

  constructor(program: ProgramToVerify) {
    this.program = program;
    this.layout = layoutOf(program.type);
    this.functions = subprogramsOf(program.instructions);
    this.origins = originsOf(program.instructions, this.functions, program.references);
    this.liveness = new Liveness(program.instructions, this.functions, this.origins);
    this.meets = meetingPoints(program.instructions);
    this.log = new Log(program);
  }

  get isStrict(): boolean {
    return this.program.mode === "strict";
  }

  newId(): number {
    this.#ids++;
    return this.#ids;
  }

  /** Refuses the program because of the instruction that is looked at. */
  refuse(text: string, errno: number = ERRNO.EACCES): never {
    this.log.refusal(this.pc, text);
    const line = this.program.lineOf?.(this.pc);
    throw new VerifierError(errno, text, this.program.name, this.pc, line, this.log.text);
  }

  invalid(text: string): never {
    this.refuse(text, ERRNO.EINVAL);
  }

  /** The constant offset from r10 that a register has at this instruction on every path, as far as the text tells. */
  frameOffset(register: number): number | undefined {
    const origin = this.origins[this.pc]?.[register];
    return origin?.kind === "frame" && origin.isExact ? origin.offset : undefined;
  }

  /** What is known so far of the access at this instruction, of one more path. */
  access(pointer: Pointer, register: number, bytes: number, reason: string | undefined): SeenAccess {
    let seen = this.accesses.get(this.pc);
    if (seen === undefined) {
      seen = { kind: pointer.kind, bytes, proven: true, lacksWindow: false };
      this.accesses.set(this.pc, seen);
    }
    if (seen.kind !== pointer.kind) seen.kind = "mixed";
    if (reason !== undefined) {
      if (this.isStrict) this.refuse(reason);
      seen.proven = false;
      seen.reason ??= reason;
    }
    if (!pointer.hasWindow) seen.lacksWindow = true;
    if (!seen.proven && seen.lacksWindow) this.#refuseWindowless(register, seen.reason!);
    return seen;
  }

  /** A pointer moves by what is added to it, or is added to what it moves by. */
  addition(pointerIn: "dst" | "src"): void {
    const seen = this.additions.get(this.pc);
    this.additions.set(this.pc, seen === undefined || seen === pointerIn ? pointerIn : "either");
  }

  /** What is known so far of the call at this instruction. */
  call(helper: number): SeenCall {
    let seen = this.calls.get(this.pc);
    if (seen === undefined) {
      seen = newCall(helper);
      this.calls.set(this.pc, seen);
    }
    return seen;
  }

  /** Memory that an argument points to, and why it is not proven to be there. */
  argument(
    seen: SeenCall,
    pointer: Pointer,
    register: number,
    bytes: number | { readonly register: number },
    reason: string | undefined,
  ): void {
    if (reason !== undefined) {
      if (this.isStrict) this.refuse(reason);
      const before = seen.checks.get(register);
      const larger =
        typeof before?.bytes === "number" && typeof bytes === "number"
          ? Math.max(before.bytes, bytes)
          : bytes;
      seen.checks.set(register, { register, bytes: larger, reason: before?.reason ?? reason });
    }
    if (!pointer.hasWindow) seen.windowless.add(register);
    const check = seen.checks.get(register);
    if (check !== undefined && seen.windowless.has(register)) this.#refuseWindowless(register, check.reason);
  }

  /** A check at run time needs a window that generated code does not have. */
  #refuseWindowless(register: number, reason: string): never {
    this.refuse(`${reason}; R${register} came through memory, so it cannot be checked when the program runs`);
  }
}
