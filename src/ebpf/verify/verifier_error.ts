/**
 * Why a program is refused.
 *
 * @module
 */
import { BpfError } from "../../errors.ts";
import type { SourceLine } from "./program.ts";

/**
 * The verifier refuses a program: EACCES for what it may not touch, EINVAL for what it may not do, E2BIG for what is too large to follow.
 * The texts are the kernel's, where it has one.
 */
export class VerifierError extends BpfError {
  /** The instruction by its slot, as in a disassembly. */
  readonly instruction: number;
  /** Where it comes from in the source, when the object has line information. */
  readonly line: SourceLine | undefined;
  /** What the verifier has seen, as far as `logLevel` asks for it. */
  readonly log: string;

  constructor(
    errno: number,
    text: string,
    name: string | undefined,
    instruction: number,
    line: SourceLine | undefined,
    log: string,
  ) {
    const where = line === undefined ? "" : ` (${line.file}:${line.line}: ${line.text.trim()})`;
    super(errno, "program", `${name ?? "program"}: insn ${instruction}: ${text}${where}`);
    this.name = "VerifierError";
    this.instruction = instruction;
    this.line = line;
    this.log = log;
  }
}
