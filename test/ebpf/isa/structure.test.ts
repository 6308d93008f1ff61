// What is refused without following data, with the kernel's text and errno.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assemble } from "../../../src/ebpf/isa/assemble.ts";
import { decode } from "../../../src/ebpf/isa/decode.ts";
import { MOST_INSTRUCTIONS, structureProblem } from "../../../src/ebpf/isa/structure.ts";
import { testSeed } from "../../support/seed.ts";
import { bySize } from "../../support/size.ts";

const seed = testSeed("ebpf/isa/structure.test.ts");
const EACCES = 13;
const EINVAL = 22;
const E2BIG = 7;

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
const RETURN = "b700000000000000 9500000000000000";

describe("fields", () => {
  it.each([
    ["an opcode that is none", `ff00000000000000 ${RETURN}`, "unknown opcode ff"],
    ["a negation of a register", `8c00000000000000 ${RETURN}`, "unknown opcode 8c"],
    ["a call of a register", `8d01000000000000 ${RETURN}`, "unknown opcode 8d"],
    ["a sign-extending load of 8 bytes", `9910000000000000 ${RETURN}`, "unknown opcode 99"],
    ["a classic load of 8 bytes", `3800000000000000 ${RETURN}`, "unknown opcode 38"],
    ["a destination beyond r10", `b70b000000000000 ${RETURN}`, "R11 is invalid"],
    ["a source beyond r10", `bff0000000000000 ${RETURN}`, "R15 is invalid"],
    ["a move with a source", `b710000000000000 ${RETURN}`, "BPF_MOV uses reserved fields"],
    ["a move that extends 4 bits", `bf10040000000000 ${RETURN}`, "BPF_MOV uses reserved fields"],
    ["a move of 32 bits that extends 32", `bc10200000000000 ${RETURN}`, "BPF_MOV uses reserved fields"],
    ["an addition with an offset", `0700010001000000 ${RETURN}`, "BPF_ALU uses reserved fields"],
    ["a division with offset 2", `3710020001000000 ${RETURN}`, "BPF_ALU uses reserved fields"],
    ["a negation with imm", `8700000001000000 ${RETURN}`, "BPF_NEG uses reserved fields"],
    ["a swap of 8 bits", `d400000008000000 ${RETURN}`, "BPF_END uses reserved fields"],
    ["a load with imm", `6110000001000000 ${RETURN}`, "BPF_LDX uses reserved fields"],
    ["a store with a source", `6210000001000000 ${RETURN}`, "BPF_ST uses reserved fields"],
    ["a store of a register with imm", `6310000001000000 ${RETURN}`, "BPF_STX uses reserved fields"],
    [
      "an atomic operation that is none",
      `db10000020000000 ${RETURN}`,
      "BPF_ATOMIC uses invalid atomic opcode 20",
    ],
    ["an atomic addition to a byte", `d310000000000000 ${RETURN}`, "invalid atomic operand size"],
    ["a jump with imm", "0500000001000000 9500000000000000", "BPF_JA uses reserved fields"],
    ["a comparison with a source beside imm", `1510000001000000 ${RETURN}`, "BPF_JMP uses reserved fields"],
    ["a call with a destination", `8501000001000000 ${RETURN}`, "BPF_CALL uses reserved fields"],
    ["a call of a fourth kind", `8530000001000000 ${RETURN}`, "BPF_CALL uses reserved fields"],
    ["an exit with imm", "9500000001000000", "BPF_EXIT uses reserved fields"],
    ["a packet load with an offset", `3000010000000000 ${RETURN}`, "BPF_LD_[ABS|IND] uses reserved fields"],
    ["half a 64-bit load", "1800000001000000", "invalid bpf_ld_imm64 insn"],
    [
      "a 64-bit load whose second slot is an instruction",
      `1800000001000000 ${RETURN}`,
      "invalid bpf_ld_imm64 insn",
    ],
    [
      "a 64-bit load of a seventh kind",
      `18700000010000000000000000000000 ${RETURN}`,
      "unrecognized bpf_ld_imm64 insn",
    ],
    [
      "a map with an upper half",
      `18110000010000000000000001000000 ${RETURN}`,
      "unrecognized bpf_ld_imm64 insn",
    ],
    ["a division by the constant 0", `3700000000000000 ${RETURN}`, "div by zero"],
    ["a shift by 64", `6700000040000000 ${RETURN}`, "invalid shift 64"],
    ["a shift of 32 bits by 32", `6400000020000000 ${RETURN}`, "invalid shift 32"],
  ])("refuses %s", (_, code, text) => {
    expect(structureProblem(hex(code), "kernel")).toEqual({ errno: EINVAL, text, instruction: 0 });
  });

  it.each([
    "r10 = 0",
    "r10 += 8",
    "r10 = *(u64 *)(r1 +0)",
    "r10 = 0x5",
    "r10 = atomic_xchg((u32 *)(r1 +0), r10)",
  ])("refuses to write the frame pointer: %s", (line) => {
    const problem = structureProblem(assemble(`r0 = 0\n${line}\nexit`), "kernel");
    expect(problem).toEqual({ errno: EACCES, text: "frame pointer is read only", instruction: 1 });
  });

  it("takes what the RFC defines and the kernel refuses, for the RFC", () => {
    for (const line of ["r0 /= 0", "w0 s%= 0", "r0 <<= 64", "w0 >>= -1", "callx r3"]) {
      const code = assemble(`r0 = 1\n${line}\nexit`);
      expect(structureProblem(code, "kernel")).toMatchObject({ instruction: 1 });
      expect(structureProblem(code, "rfc")).toBeUndefined();
    }
  });
});

describe("control flow", () => {
  it.each([
    ["a jump behind the end", "goto pc+1\nexit", 0, "jump out of range from insn 0 to 2"],
    ["a jump before the beginning", "if r1 == 0x0 goto pc-2\nexit", 0, "jump out of range from insn 0 to -1"],
    [
      "a jump into a 64-bit load",
      "if r1 == 0 goto pc+1\nr0 = 0x1\nexit",
      0,
      "jump into the middle of ldimm64 insn 1",
    ],
    ["a jump into another function", "call f\nexit\nf:\ngoto pc-2", 2, "jump out of range from insn 2 to 1"],
    ["a call behind the end", "call pc+1\nexit", 0, "invalid destination in call: from insn 0 to 2"],
    [
      "a call into a 64-bit load",
      "call pc+2\nexit\nr0 = 0x1\nexit",
      0,
      "invalid destination in call: from insn 0 to 3",
    ],
    [
      "a callback before the beginning",
      "r2 = subprog[-2]\nexit",
      0,
      "invalid destination in callback: from insn 0 to -1",
    ],
    ["a program without an end", "r0 = 0", 0, "last insn is not an exit or jmp"],
    ["a program that ends in a 64-bit load", "r0 = 0x1", 0, "last insn is not an exit or jmp"],
    ["a function that runs into the next", "call f\nr0 = 0\nf:\nexit", 1, "last insn is not an exit or jmp"],
    ["code that nothing leads to", "exit\nr0 = 0\nexit", 1, "unreachable insn 1"],
  ])("refuses %s", (_, text, instruction, message) => {
    expect(structureProblem(assemble(text), "kernel")).toEqual({ errno: EINVAL, text: message, instruction });
  });

  it("takes dead code for the RFC", () => {
    expect(structureProblem(assemble("exit\nr0 = 0\nexit"), "rfc")).toBeUndefined();
  });

  it("takes loops, calls, callbacks and functions that call each other", () => {
    const text = `
      r2 = subprog[f]
      again: if r1 != 0 goto again
      gotol end
      end: exit
      f: call g
      exit
      g: call f
      exit`.replaceAll(": ", ":\n");
    expect(structureProblem(assemble(text), "kernel")).toBeUndefined();
  });
});

describe("size", () => {
  it("refuses no instruction at all, and too many", () => {
    expect(structureProblem(new Uint8Array(0), "kernel")).toMatchObject({
      errno: E2BIG,
      text: "the program is empty",
    });
    const many = new Uint8Array((MOST_INSTRUCTIONS + 1) * 8);
    expect(structureProblem(many, "kernel")).toMatchObject({ errno: E2BIG, instruction: MOST_INSTRUCTIONS });
  });

  it("refuses bytes that are not a whole number of instructions", () => {
    expect(() => decode(new Uint8Array(13))).toThrow(
      new RangeError("bytecode: 13 bytes are not a whole number of instructions, 8 bytes each"),
    );
  });
});

it("finds a problem in any bytes, or none, and never throws", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 8, maxLength: 8 }), { maxLength: 12 }), (slots) => {
      const problem = structureProblem(Uint8Array.from(slots.flatMap((slot) => [...slot])), "kernel");
      if (problem !== undefined) expect(problem.text).not.toBe("");
    }),
    { seed, numRuns: bySize(2000, 100_000) },
  );
});
