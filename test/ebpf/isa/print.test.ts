// The kernel's notation: what is printed is assembled again to the same bytes.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assemble } from "../../../src/ebpf/isa/assemble.ts";
import { decode, encode, type Instruction } from "../../../src/ebpf/isa/decode.ts";
import { fieldProblem } from "../../../src/ebpf/isa/fields.ts";
import { printCode, printInstruction } from "../../../src/ebpf/isa/print.ts";
import { testSeed } from "../../support/seed.ts";
import { bySize } from "../../support/size.ts";
import { instructions } from "../support/instructions.ts";

const seed = testSeed("ebpf/isa/print.test.ts");

const slots = (code: readonly Instruction[]) =>
  code.flatMap((instruction) => (instruction.imm64 === undefined ? [instruction] : [instruction, undefined]));

/** A line as the kernel prints it, and the eight bytes that it stands for. */
const LINES: [string, string][] = [
  ["(b7) r0 = 0", "b700000000000000"],
  ["(b4) w1 = -1", "b4010000ffffffff"],
  ["(bf) r6 = r1", "bf16000000000000"],
  ["(bc) w2 = (s8)w3", "bc32080000000000"],
  ["(bf) r2 = (s32)r3", "bf32200000000000"],
  ["(07) r2 += -4", "07020000fcffffff"],
  ["(c7) r1 s>>= 32", "c701000020000000"],
  ["(3f) r1 s/= r2", "3f21010000000000"],
  ["(94) w1 s%= 7", "9401010007000000"],
  ["(87) r3 = -r3", "8703000000000000"],
  ["(dc) r2 = be16 r2", "dc02000010000000"],
  ["(d7) r2 = bswap64 r2", "d702000040000000"],
  ["(61) r1 = *(u32 *)(r6 +4)", "6161040000000000"],
  ["(91) r1 = *(s8 *)(r6 -1)", "9161ffff00000000"],
  ["(7b) *(u64 *)(r10 -8) = r1", "7b1af8ff00000000"],
  ["(62) *(u32 *)(r10 -4) = 7", "620afcff07000000"],
  ["(db) lock *(u64 *)(r0 +0) += r1", "db10000000000000"],
  ["(db) r1 = atomic64_fetch_add((u64 *)(r0 +8), r1)", "db10080001000000"],
  ["(c3) r1 = atomic_xchg((u32 *)(r0 +0), r1)", "c3100000e1000000"],
  ["(db) r0 = atomic64_cmpxchg((u64 *)(r2 +0), r0, r1)", "db120000f1000000"],
  ["(db) r1 = load_acquire((u64 *)(r2 +0))", "db21000000010000"],
  ["(d3) store_release((u8 *)(r2 +0), r1)", "d312000010010000"],
  ["(30) r0 = *(u8 *)skb[23]", "3000000017000000"],
  ["(48) r0 = *(u16 *)skb[r7 + 14]", "487000000e000000"],
  ["(15) if r0 == 0x0 goto pc+5", "1500050000000000"],
  ["(a6) if w1 < 0xffffffff goto pc-2", "a601feffffffffff"],
  ["(6d) if r1 s> r2 goto pc+1", "6d21010000000000"],
  ["(4e) if w1 & w2 goto pc+1", "4e21010000000000"],
  ["(05) goto pc+3", "0500030000000000"],
  ["(06) gotol pc-3", "06000000fdffffff"],
  ["(e5) may_goto pc+2", "e500020000000000"],
  ["(85) call bpf_map_lookup_elem#1", "8500000001000000"],
  ["(85) call unknown#999", "85000000e7030000"],
  ["(85) call pc+2", "8510000002000000"],
  ["(85) call kernel-function#77", "852000004d000000"],
  ["(8d) callx r3", "8d03000000000000"],
  ["(95) exit", "9500000000000000"],
  ["(18) r1 = 0x1122334455667788", "18010000887766550000000044332211"],
  ["(18) r1 = map[fd:3]", "18110000030000000000000000000000"],
  ["(18) r1 = map[fd:3][0]+16", "18210000030000000000000010000000"],
  ["(18) r2 = subprog[+5]", "18420000050000000000000000000000"],
];

describe("the kernel's notation", () => {
  it.each(LINES)("%s", (line, bytes) => {
    const code = Uint8Array.from(Buffer.from(bytes, "hex"));
    expect(printInstruction(decode(code)[0]!)).toBe(line);
    expect(Buffer.from(assemble(line)).toString("hex")).toBe(bytes);
  });

  it("reads back what it prints, of every instruction", () => {
    fc.assert(
      fc.property(fc.array(instructions, { minLength: 1, maxLength: 20 }), (list) => {
        const bytes = encode(slots(list));
        expect(decode(bytes)).toEqual(slots(list));
        for (const instruction of list) expect(fieldProblem(instruction, "kernel")).toBeUndefined();
        expect(assemble(printCode(decode(bytes)))).toEqual(bytes);
      }),
      { seed, numRuns: bySize(300, 20_000) },
    );
  });

  it("says what is no instruction", () => {
    expect(printInstruction({ opcode: 0xff, dst: 0, src: 0, offset: 0, imm: 0 })).toBe("(ff) BUG_ff");
  });

  it("puts names in the place of numbers", () => {
    const code = decode(assemble("r1 = map[fd:3]\ncall pc+1\nexit\nexit"));
    const text = printCode(code, ({ src }, slot) =>
      src === 1 ? ["map[flows]", "", "count"][slot] : undefined,
    );
    expect(text).toBe(
      "   0: (18) r1 = map[flows]\n   2: (85) call count\n   3: (95) exit\n   4: (95) exit\n",
    );
  });
});

describe("the assembler", () => {
  it("has labels, comments, hexadecimal numbers and helpers by name", () => {
    const text = `
      ; counts to ten
      r1 = 0
      loop:
        r1 += 0x1
        if r1 < 10 goto loop // again
        call bpf_ktime_get_ns
        r2 = subprog[done]
        call done
        goto end
      end:
        exit
      done:
        r0 = 5 ll
        exit`;
    expect(printCode(decode(assemble(text)))).toBe(
      [
        "   0: (b7) r1 = 0",
        "   1: (07) r1 += 1",
        "   2: (a5) if r1 < 0xa goto pc-2",
        "   3: (85) call bpf_ktime_get_ns#5",
        "   4: (18) r2 = subprog[+4]",
        "   6: (85) call pc+2",
        "   7: (05) goto pc+0",
        "   8: (95) exit",
        "   9: (18) r0 = 0x5",
        "  11: (95) exit",
        "",
      ].join("\n"),
    );
  });

  it.each([
    ["r1 = r", "line 1: r1 = r: this is no instruction"],
    ["exit\nr1 += w2", "line 2: r1 += w2: this is no instruction"],
    ["r11 = 1", "line 1: r11 = 1: there is no register r11"],
    ["r1 = 4294967296", "line 1: r1 = 4294967296: 4294967296 is out of range, -2147483648 to 4294967295"],
    ["*(u8 *)(r1 +40000) = 1", "line 1: *(u8 *)(r1 +40000) = 1: +40000 is out of range, -32768 to 32767"],
    ["goto nowhere", "line 1: there is no label or helper nowhere"],
    ["call bpf_map_lookup_elem#2", "line 1: call bpf_map_lookup_elem#2: this is no instruction"],
    ["a:\na:\nexit", "line 2: the label a stands twice"],
  ])("refuses %j", (text, message) => {
    expect(() => assemble(text)).toThrow(new SyntaxError(`assemble: ${message}`));
  });
});
