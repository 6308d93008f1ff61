// Random programs on the live kernel, in the interpreter of the core and in the reference of bigints: all of the frame is the same in the
// end, and with it all registers. It needs root, and what test:kernel needs.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
// @ts-expect-error plain JavaScript
import { openBpf } from "../../bench/kernel/bpf.mjs";
import { assemble } from "../../src/ebpf/isa/assemble.ts";
import { decode } from "../../src/ebpf/isa/decode.ts";
import { SLOT_BYTES } from "../../src/ebpf/isa/opcodes.ts";
import { EBPF_RETURNED } from "../../src/generated/abi.js";
import { createHost } from "../../src/index.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";
import { interpreted } from "./support/interpreted.ts";
import { randomProgram } from "./support/random_program.ts";
import { interpret, machine, memoryOver } from "./support/reference.ts";

const FRAME_BYTES = 512;
const bpf = await openBpf().catch((error: Error) => {
  console.log(`ebpf/kernel: skipped, ${error.message}`);
  return undefined;
});

/** The program, which copies its frame to a value before it returns: the value is a map's in the kernel, and memory here. */
function copying(bytecode: Uint8Array, map: number): Uint8Array<ArrayBuffer> {
  const words = Array.from({ length: FRAME_BYTES / 8 }, (_, i) => 8 * i);
  const copies = words.map((at) => `r2 = *(u64 *)(r10 -${FRAME_BYTES - at})\n*(u64 *)(r1 +${at}) = r2`);
  const end = assemble(`r1 = map[fd:${map}][0]+0\n${copies.join("\n")}\nr0 = 0\nexit`);
  const body = bytecode.subarray(0, bytecode.length - SLOT_BYTES);
  return Uint8Array.from([...body, ...end]);
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe.skipIf(bpf === undefined)("the live kernel", () => {
  it("leaves the same frame and registers as both interpreters", () => {
    const seed = testSeed("ebpf/kernel.test.ts");
    using host = createHost();
    const map = bpf!.createArray(FRAME_BYTES);
    const [key, value] = [new ArrayBuffer(4), new ArrayBuffer(FRAME_BYTES)];
    fc.assert(
      fc.property(randomProgram, (bytecode) => {
        const program = copying(bytecode, map);
        const code = decode(program);
        const fd = bpf!.loadProgram(program);
        bpf!.testRun(fd);
        bpf!.lookup(map, key, value);
        bpf!.close(fd);
        const live = hex(new Uint8Array(value));

        const place = code.findLastIndex(
          (instruction) => instruction?.src === 2 && instruction.opcode === 0x18,
        );
        const memory = host.allocate(FRAME_BYTES);
        const { outcome } = interpreted(host, program, { values: new Map([[place, memory]]) });
        const core = hex(host.u8.subarray(memory, memory + FRAME_BYTES));
        host.release(memory, FRAME_BYTES);
        expect(outcome).toBe(EBPF_RETURNED);
        expect(core).toBe(live);

        const bytes = new Uint8Array(2 * FRAME_BYTES);
        interpret(
          code.map(
            (instruction, slot) =>
              instruction && (slot === place ? { ...instruction, imm64: 0n } : instruction),
          ),
          machine(
            memoryOver(() => bytes),
            2 * FRAME_BYTES,
            [],
          ),
        );
        expect(hex(bytes.subarray(0, FRAME_BYTES))).toBe(live);
      }),
      { seed, numRuns: bySize(100, 5000) },
    );
    bpf!.close(map);
  });
});
