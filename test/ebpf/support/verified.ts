// Programs as text, verified: maps are named by their number in a list, `r1 = map[fd:0]`, or `map[fd:1][0]+8` for what is in a value.
import { assemble } from "../../../src/ebpf/isa/assemble.ts";
import { type Code, decode } from "../../../src/ebpf/isa/decode.ts";
import { IMM64, LD_IMM64 } from "../../../src/ebpf/isa/opcodes.ts";
import type { ProgramToVerify, Reference, VerifiedMap } from "../../../src/ebpf/verify/program.ts";
import { VerifierError } from "../../../src/ebpf/verify/verifier_error.ts";
import { type Verified, verifyProgram } from "../../../src/ebpf/verify/verify.ts";
import { caught } from "../../support/caught.ts";

export type Options = Partial<Omit<ProgramToVerify, "instructions" | "references">> & {
  readonly maps?: readonly VerifiedMap[];
};

/** A map of some type: keys of 4 bytes, values of 16. */
export function mapLike(rest: Partial<VerifiedMap> = {}): VerifiedMap {
  return { type: "hash", keySize: 4, valueSize: 16, maxEntries: 8, writable: true, ...rest };
}

export const HASH = mapLike({ name: "hash" });
export const ARRAY = mapLike({ name: "array", type: "array", valueSize: 64 });

export function referencesOf(code: Code, maps: readonly VerifiedMap[]): Map<number, Reference> {
  const references = new Map<number, Reference>();
  code.forEach((instruction, pc) => {
    const map = instruction?.opcode === LD_IMM64 ? maps[instruction.imm] : undefined;
    if (instruction === undefined || map === undefined) return;
    if (instruction.src === IMM64.MAP_FD) references.set(pc, { kind: "map", map });
    if (instruction.src === IMM64.MAP_VALUE) {
      references.set(pc, { kind: "data", map, offset: Number(BigInt.asIntN(32, instruction.imm64! >> 32n)) });
    }
  });
  return references;
}

export function programOf(text: string, options: Options = {}): ProgramToVerify {
  const { maps = [HASH, ARRAY], ...rest } = options;
  const instructions = decode(assemble(text));
  return {
    instructions,
    references: referencesOf(instructions, maps),
    type: "xdp",
    contextSize: 0,
    mode: "check",
    logLevel: 0,
    ...rest,
  };
}

export const verified = (text: string, options: Options = {}): Verified =>
  verifyProgram(programOf(text, options));

/** The error of a program that is refused. */
export function refused(text: string, options: Options = {}): VerifierError {
  const error = caught(() => verified(text, options));
  if (!(error instanceof VerifierError)) throw error;
  return error;
}

/** What is left to checks: the instructions, and those that call with arguments that are checked. */
export function checksOf({ accesses, calls }: Verified): number[] {
  const unproven = [...accesses].filter(([, { proven }]) => !proven).map(([pc]) => pc);
  const called = [...calls].filter(([, { checks }]) => checks.length > 0).map(([pc]) => pc);
  return [...unproven, ...called].sort((a, b) => a - b);
}

/** Looks a key up in a map: r0 is the value or NULL. Leaves r6 .. r9. */
export const lookup = (fd = 0) => `
  *(u32 *)(r10 -4) = 1
  r2 = r10
  r2 += -4
  r1 = map[fd:${fd}]
  call bpf_map_lookup_elem`;

/** r7 is the packet, r8 its end, of XDP. */
export const packet = `
  r7 = *(u32 *)(r1 +0)
  r8 = *(u32 *)(r1 +4)`;
