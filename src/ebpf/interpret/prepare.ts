/**
 * What the interpreter runs: the bytecode, with addresses in the place of references, and with instructions of the interpreter's own
 * where the verifier could not bound an access.
 *
 * Those stand behind the program. An instruction that needs some is replaced by a jump there, so that all others cost what they did:
 *
 * ```
 * program:  ... | gotol to its detour | ...
 * detour:   checks | the instruction | what its result may reach | back behind it
 * ```
 *
 * What the instructions do is in assembly/ebpf/shadow.ts.
 *
 * @module
 */
import {
  EBPF_CHECK,
  EBPF_FILL,
  EBPF_MOVE,
  EBPF_RANGE,
  EBPF_RESULT,
  EBPF_RESUME,
  EBPF_SPILL,
  EBPF_WINDOW,
} from "../../generated/abi.js";
import { type Code, encode, type Instruction } from "../isa/decode.ts";
import { functionStart, nextSlot } from "../isa/flow.ts";
import {
  ALU,
  ATOMIC,
  accessBytes,
  CLASS,
  classOf,
  GOTOL,
  IMM64,
  isAtomic,
  LD_IMM64,
  MODE,
  SIZE,
  SOURCE,
} from "../isa/opcodes.ts";

/** What the register that an instruction writes may reach from then on. */
export type Reach =
  /** A window of the run: the packet, a data section. */
  | { readonly kind: "window"; readonly window: number }
  /** What a helper returns points at so many bytes, or is NULL. */
  | { readonly kind: "result"; readonly bytes: number }
  /** What `src` may reach, a pointer that is added to a number. */
  | { readonly kind: "source" };

/** Memory that an argument of a call points to: so many bytes, or as many as another register says. */
export interface ArgumentRange {
  readonly register: number;
  readonly bytes: number | { readonly register: number };
}

/** What the verifier leaves to the interpreter. */
export interface Checks {
  /** Loads, stores and atomic instructions whose address it could not bound, by slot. */
  readonly accesses: ReadonlySet<number>;
  /** Arguments of helpers whose memory it could not bound, by slot of the call. */
  readonly arguments: ReadonlyMap<number, readonly ArgumentRange[]>;
  /** Where pointers come from that such accesses may go through, by slot. Copies need not be named. */
  readonly reaches: ReadonlyMap<number, Reach>;
}

/** The code that the interpreter runs. */
export interface PreparedCode {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The slot in the program of a slot in {@link bytes}: where a run has ended. */
  slotOf(slot: number): number;
}

const NO_CHECKS: Checks = { accesses: new Set(), arguments: new Map(), reaches: new Map() };

/**
 * @param code that has passed `structureProblem`: what the interpreter adds is no opcode of a program
 * @param values of 64-bit immediates that are references, by slot: addresses, handles of maps. Callbacks become the slot where they begin
 */
export function prepare(
  code: Code,
  values: ReadonlyMap<number, number>,
  checks: Checks = NO_CHECKS,
): PreparedCode {
  const slots = code.map((instruction, slot) => instruction && bound(instruction, slot, values.get(slot)));
  const origins: number[] = [];
  if (checks.accesses.size + checks.arguments.size > 0) {
    code.forEach((instruction, slot) => {
      if (instruction === undefined) return;
      const [before, after] = beside(instruction, slot, checks);
      if (before.length + after.length === 0) return;
      const start = slots.length;
      const itself = slots.slice(slot, nextSlot(instruction, slot));
      slots.push(...before, ...itself, ...after);
      slots.push(own(EBPF_RESUME, { imm: slot + itself.length - slots.length - 1 }));
      slots[slot] = own(GOTOL, { imm: start - slot - 1 });
      for (let i = start; i < slots.length; i++) origins.push(slot);
    });
  }
  return {
    bytes: encode(slots),
    slotOf: (slot) => (slot < code.length ? slot : origins[slot - code.length]),
  };
}

/** With a value in the place of a reference. */
function bound(instruction: Instruction, slot: number, value: number | undefined): Instruction {
  if (instruction.opcode !== LD_IMM64) return instruction;
  const number = instruction.src === IMM64.FUNC ? functionStart(instruction, slot) : value;
  if (number === undefined) return instruction;
  return { ...instruction, src: IMM64.VALUE, imm: number | 0, imm64: BigInt(number >>> 0) };
}

function own(opcode: number, fields: Partial<Instruction>): Instruction {
  return { opcode, dst: 0, src: 0, offset: 0, imm: 0, ...fields };
}

/** What goes before an instruction, and what behind it. */
function beside(
  instruction: Instruction,
  slot: number,
  { accesses, arguments: ranges, reaches }: Checks,
): [before: Instruction[], after: Instruction[]] {
  const before: Instruction[] = [];
  const after: Instruction[] = [];
  const { opcode, dst, src, offset } = instruction;
  if (accesses.has(slot)) {
    const through = isLoad(instruction) ? src : dst;
    before.push(own(EBPF_CHECK, { dst: through, offset, imm: accessBytes(opcode) }));
  }
  before.push(...(ranges.get(slot) ?? []).map(rangeCheck));
  const reach = reaches.get(slot);
  if (reach === undefined) before.push(...copies(instruction));
  else if (reach.kind === "source") before.push(own(EBPF_MOVE, { dst, src }));
  else if (reach.kind === "window") after.push(own(EBPF_WINDOW, { dst, imm: reach.window }));
  else after.push(own(EBPF_RESULT, { imm: reach.bytes }));
  return [before, after];
}

function rangeCheck({ register, bytes }: ArgumentRange): Instruction {
  if (typeof bytes === "number") return own(EBPF_CHECK, { dst: register, imm: bytes });
  return own(EBPF_RANGE, { dst: register, src: bytes.register });
}

/** Whether an instruction reads through `src`. The other accesses go through `dst`. */
function isLoad({ opcode, imm }: Instruction): boolean {
  return classOf(opcode) === CLASS.LDX || (isAtomic(opcode) && imm === ATOMIC.LOAD_ACQ);
}

/** Where a register or a word of the stack gets a pointer from another. */
function copies({ opcode, dst, src, offset }: Instruction): Instruction[] {
  switch (opcode) {
    case CLASS.ALU64 | ALU.MOV | SOURCE.X:
      return offset === 0 && dst !== src ? [own(EBPF_MOVE, { dst, src })] : [];
    case CLASS.LDX | MODE.MEM | SIZE.DW:
      return [own(EBPF_FILL, { dst, src, offset })];
    case CLASS.STX | MODE.MEM | SIZE.DW:
      return [own(EBPF_SPILL, { dst, src, offset })];
  }
  return [];
}
