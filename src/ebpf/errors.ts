/**
 * How runs of programs end before their end.
 *
 * @module
 */
import { BpfError, ERRNO, type ErrnoCode } from "../errors.ts";
import type { SourceLine } from "./verify/program.ts";

/** Not in the table of errnos: nothing but programs answers it. */
const ELOOP = 40;

/**
 * A run of a program has ended before its end: EFAULT for an access outside of what its pointer may reach, ELOOP when the fuel is used up or
 * functions are nested too deep. Maps are as the last helper left them, and what the program wrote into values until then stays.
 */
export class ProgramTrap extends BpfError {
  /** The instruction by its slot, as in a disassembly. */
  readonly instruction: number;
  /** Where it comes from in the source, when the object has line information. */
  readonly line: SourceLine | undefined;

  constructor(
    kind: "memory" | "loop",
    program: string,
    text: string,
    instruction: number,
    line: SourceLine | undefined,
  ) {
    const where = line === undefined ? "" : ` (${line.file}:${line.line}: ${line.text.trim()})`;
    super(
      kind === "memory" ? ERRNO.EFAULT : ELOOP,
      "program",
      `${program}: insn ${instruction}: ${text}${where}`,
    );
    const code: ErrnoCode = kind === "memory" ? "EFAULT" : "ELOOP";
    Object.assign(this, { name: "ProgramTrap", code });
    this.instruction = instruction;
    this.line = line;
  }
}
