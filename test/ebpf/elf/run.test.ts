// Objects that are linked and bound by hand: what clang meant comes out, in the interpreter of the core and in the reference.
import { expect, it } from "vitest";
import { parseObject } from "../../../src/ebpf/elf/object_file.ts";
import { Interpreter } from "../../../src/ebpf/interpret/interpreter.ts";
import { prepare } from "../../../src/ebpf/interpret/prepare.ts";
import { decode } from "../../../src/ebpf/isa/decode.ts";
import { EBPF_ENDED, EBPF_GO_ON, EBPF_RETURNED } from "../../../src/generated/abi.js";
import { createHost } from "../../../src/index.ts";
import { objectBytes } from "../support/objects.ts";
import { interpret, machine, memoryOver } from "../support/reference.ts";

const BPF_LOOP = 181;
/** Instead of the thousand that the program asks for. */
const ROUNDS = 3;

/** What the source of arith.bpf.c says. */
function expected(rounds: number): bigint {
  const u64 = (value: bigint) => BigInt.asUintN(64, value);
  let x = 88172645463325252n;
  for (let n = 0n; n < rounds; n++) {
    for (let i = 0; i < 1000; i++) {
      x ^= u64(x << 13n);
      x ^= x >> 7n;
      x ^= u64(x << 17n);
      x = u64(x + n);
      x = u64(x * 0x9e3779b97f4a7c15n + (x % 1000003n));
    }
  }
  return x;
}

it("arith.bpf.o: a callback and a global variable", () => {
  const { programs, data } = parseObject(objectBytes("arith"));
  const { code, relocations } = programs[0].link();
  const [bss] = data;
  expect(bss.variables).toMatchObject([{ name: "result", offset: 0, size: 8 }]);
  const result = expected(ROUNDS);

  using host = createHost();
  const address = host.allocate(64);
  const bound = relocations.filter(({ kind }) => kind === "data");
  const values = new Map(bound.map(({ slot, offset }) => [slot, address + offset]));
  const interpreter = new Interpreter(host);
  const loaded = interpreter.load(prepare(decode(code), values))!;
  const run = interpreter.open((run, number) => {
    expect([number, run.word(1)]).toEqual([BPF_LOOP, 1000]);
    const [callback, context] = [run.word(2), run.word(3)];
    for (let i = 0; i < ROUNDS; i++) {
      run.setWord(1, i);
      run.setWord(2, context);
      if (interpreter.run(run, callback) !== EBPF_RETURNED) return EBPF_ENDED;
    }
    run.setWord(0, ROUNDS);
    return EBPF_GO_ON;
  })!;
  run.begin(loaded, 1e6);
  expect(interpreter.run(run, 0)).toBe(EBPF_RETURNED);
  expect(run.register(0)).toBe(result & 0x7fff_ffffn);
  expect(host.view.getBigUint64(address, true)).toBe(result);

  const bytes = new Uint8Array(8192);
  const memory = memoryOver(() => bytes);
  const resolved = decode(code).map((instruction, slot) => {
    const callback = relocations.find(
      (relocation) => relocation.slot === slot && relocation.kind === "callback",
    );
    if (callback !== undefined) return { ...instruction!, src: 0, imm64: BigInt(callback.offset) };
    return instruction && (values.has(slot) ? { ...instruction, src: 0, imm64: 64n } : instruction);
  });
  const m = machine(memory, 8192, []);
  m.call = () => {
    const [, , callback, context] = m.registers;
    for (let i = 0; i < ROUNDS; i++)
      interpret(resolved, machine(memory, 8192 - 512, [BigInt(i), context], 1e6), Number(callback));
  };
  expect(interpret(resolved, m)).toBe(result & 0x7fff_ffffn);
  expect(memory.load(64, 8)).toBe(result);
});
