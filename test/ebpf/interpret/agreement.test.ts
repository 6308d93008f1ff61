// Random programs: the interpreter of the core and the reference of bigints agree on every byte of the stack, where the registers are in the end, with
// all accesses checked and with none, on plain and on shared hosts.
import fc from "fast-check";
import { expect, it } from "vitest";
import { decode } from "../../../src/ebpf/isa/decode.ts";
import { structureProblem } from "../../../src/ebpf/isa/structure.ts";
import { EBPF_RETURNED } from "../../../src/generated/abi.js";
import { createHost } from "../../../src/index.ts";
import { testSeed } from "../../support/seed.ts";
import { bySize } from "../../support/size.ts";
import { allChecked, interpreted } from "../support/interpreted.ts";
import { randomProgram } from "../support/random_program.ts";
import { interpret, machine, memoryOver } from "../support/reference.ts";

const seed = testSeed("ebpf/interpret/agreement.test.ts");
const STACK_BYTES = 4096;
/** Bytes of the outermost frame as text: arrays of thousands take long to compare. */
const hex = (stack: Uint8Array) => Buffer.from(stack.subarray(-512)).toString("hex");

it.each([false, true])("three runs of a random program agree (shared: %s)", (shared) => {
  using host = createHost({ shared, cpus: 1, maxMemory: 1 << 24 });
  fc.assert(
    fc.property(randomProgram, (bytecode) => {
      expect(structureProblem(bytecode, "kernel")).toBeUndefined();
      const code = decode(bytecode);
      const core = interpreted(host, bytecode);
      const checked = interpreted(host, bytecode, { checks: allChecked(code) });
      expect(core.outcome).toBe(EBPF_RETURNED);
      expect(checked.outcome).toBe(EBPF_RETURNED);
      expect(hex(checked.stack)).toBe(hex(core.stack));

      const stack = new Uint8Array(STACK_BYTES);
      const memory = memoryOver(() => stack);
      const base = core.frame - STACK_BYTES;
      const reference = machine(
        {
          load: (address, bytes) => memory.load(address - base, bytes),
          store: (address, bytes, value) => memory.store(address - base, bytes, value),
        },
        core.frame,
        [],
      );
      expect(core.registers[0]).toBe(interpret(code, reference));
      expect(hex(core.stack)).toBe(hex(stack));
      expect(core.fuel).toBe(reference.fuel);
    }),
    { seed, numRuns: bySize(100, 10_000) },
  );
});
