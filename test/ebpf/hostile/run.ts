// One run of a program that the verifier has accepted.
import type { Code } from "../../../src/ebpf/isa/decode.ts";
import { functionStart } from "../../../src/ebpf/isa/flow.ts";
import { IMM64, LD_IMM64 } from "../../../src/ebpf/isa/opcodes.ts";
import type { ProgramToVerify } from "../../../src/ebpf/verify/program.ts";
import type { Verified } from "../../../src/ebpf/verify/verify.ts";
import type { Random } from "../../../src/testing/random.ts";
import { Ended, interpret, type Machine, machine } from "../support/reference.ts";
import { Arena, Escape, Trapped } from "./arena.ts";
import type { Subject } from "./subjects.ts";

const FUEL = 300;
const FRAME_BYTES = 512n;

/** Runs it over a packet of some length. What the verifier has ruled out is an {@link Escape}. */
export function run(
  subject: Subject,
  program: ProgramToVerify,
  verified: Verified,
  packetLength: number,
  random: Random,
): "returned" | "trapped" | "no fuel" {
  const arena = new Arena(verified, subject.maps, program.type, packetLength, random);
  const any = (): bigint => (BigInt(random.next()) << 32n) | BigInt(random.next());
  const code = bound(program, arena);
  const given =
    program.type === "raw" ? [BigInt(Arena.context), BigInt(program.contextSize)] : [BigInt(Arena.context)];
  const m: Machine = machine(arena, Arena.frameTop, given, FUEL);
  for (const register of [0, 2, 3, 4, 5, 6, 7, 8, 9])
    if (register > given.length || register === 0) m.registers[register] = any();
  arena.start(m);
  m.call = (id) => {
    const result = arena.call(id, (entry, parameters) => callBack(code, m, entry, parameters, any));
    for (let register = 1; register <= 5; register++) m.registers[register] = any();
    m.registers[0] = result;
  };
  try {
    interpret(code, m);
    arena.finish();
    return "returned";
  } catch (error) {
    if (error instanceof Trapped) return "trapped";
    if (error instanceof Ended && error.message === "no fuel") return "no fuel";
    throw error instanceof Escape ? error : new Escape(`${error}`);
  }
}

function callBack(
  code: Code,
  m: Machine,
  entry: number,
  parameters: readonly bigint[],
  any: () => bigint,
): bigint {
  const kept = m.registers.slice();
  const { slot } = m;
  for (let register = 0; register < 10; register++) m.registers[register] = any();
  parameters.forEach((value, k) => {
    m.registers[k + 1] = value;
  });
  m.registers[10] = kept[10] - FRAME_BYTES;
  const result = interpret(code, m, entry);
  m.registers.splice(0, 11, ...kept);
  m.slot = slot;
  return result;
}

/** The program with addresses and handles in the place of references. */
function bound({ instructions, references }: ProgramToVerify, arena: Arena): Code {
  return instructions.map((instruction, pc) => {
    if (instruction?.opcode !== LD_IMM64) return instruction;
    const reference = references.get(pc);
    if (reference?.kind === "map") return { ...instruction, imm64: arena.handleOf(reference.map) };
    if (reference?.kind === "data")
      return { ...instruction, imm64: arena.dataOf(reference.map, reference.offset) };
    if (instruction.src === IMM64.FUNC)
      return { ...instruction, imm64: arena.functionAt(functionStart(instruction, pc)) };
    return instruction;
  });
}
