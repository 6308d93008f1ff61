// The public conformance vectors on both interpreters: BPF_CONFORMANCE=/path/to/bpf_conformance names a checkout.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decode } from "../../src/ebpf/isa/decode.ts";
import { structureProblem } from "../../src/ebpf/isa/structure.ts";
import { EBPF_RETURNED } from "../../src/generated/abi.js";
import { createHost } from "../../src/index.ts";
import { allChecked, interpreted } from "./support/interpreted.ts";
import { interpret, machine, memoryOver } from "./support/reference.ts";
import { type Vector, vectorFiles } from "./support/vectors.ts";

const checkout = process.env.BPF_CONFORMANCE;
if (checkout === undefined) {
  console.log("bpf_conformance: skipped, BPF_CONFORMANCE does not name a checkout of it");
}
const files = (folder: string) => (checkout === undefined ? [] : vectorFiles(join(checkout, folder)));

/** Where the reference has its memory, and where its frame ends. */
const REFERENCE_BYTES = 1 << 16;
const MEMORY_AT = 1024;
const FRAME_END = REFERENCE_BYTES;

function referenceResult({ code, memory }: Vector): bigint {
  const bytes = new Uint8Array(REFERENCE_BYTES);
  bytes.set(memory, MEMORY_AT);
  const m = machine(
    memoryOver(() => bytes),
    FRAME_END,
    [memory.length === 0 ? 0n : BigInt(MEMORY_AT), BigInt(memory.length)],
  );
  m.call = () => {
    m.registers[0] = 0n;
  };
  return interpret(decode(code), m);
}

function coreResult({ code, memory }: Vector, shared: boolean, checked: boolean): bigint {
  using host = createHost({ shared, cpus: 1, maxMemory: 1 << 24 });
  const checks = checked ? { checks: allChecked(decode(code)) } : {};
  const { outcome, registers } = interpreted(host, code, { memory, ...checks });
  expect(outcome).toBe(EBPF_RETURNED);
  return registers[0];
}

describe.skipIf(checkout === undefined)("bpf_conformance", () => {
  const vectors = files("tests");

  it("has 313 vectors", () => expect(vectors.length).toBe(313));

  it.each(vectors)("$name", ({ read }) => {
    const vector = read();
    expect(structureProblem(vector.code, "rfc")).toBeUndefined();
    expect(referenceResult(vector)).toBe(vector.result);
    expect(coreResult(vector, false, false)).toBe(vector.result);
    expect(coreResult(vector, false, true)).toBe(vector.result);
    expect(coreResult(vector, true, false)).toBe(vector.result);
  });

  it("refuses what is malformed, without following data", () => {
    const taken = files("negative").filter(({ read }) => {
      try {
        const vector = read();
        if (structureProblem(vector.code, "rfc") !== undefined) return false;
        return vector.result === undefined || referenceResult(vector) === vector.result;
      } catch (error) {
        if (error instanceof SyntaxError || error instanceof RangeError) return false;
        throw error;
      }
    });
    // It reads a register that was never written: for the verifier to say.
    expect(taken.map(({ name }) => name)).toEqual(["error.data"]);
  });
});
