// A third opinion: bytecode on bigints, written from RFC 9669 and for nothing but clarity.
import type { Code, Instruction } from "../../../src/ebpf/isa/decode.ts";
import { fallsThrough, functionStart, isJump, jumpTarget, nextSlot } from "../../../src/ebpf/isa/flow.ts";
import {
  ALU,
  ATOMIC,
  accessBytes,
  CALL,
  CALLEE,
  CALLX,
  CLASS,
  classOf,
  EXIT,
  hasRegisterSource,
  isArithmetic,
  isAtomic,
  JMP,
  LD_IMM64,
  MAY_GOTO,
  MODE,
  modeOf,
  operationOf,
} from "../../../src/ebpf/isa/opcodes.ts";

/** Memory as a program sees it. Both may throw. */
export interface Memory {
  load(address: number, bytes: number): bigint;
  store(address: number, bytes: number, value: bigint): void;
}

export interface Machine {
  readonly memory: Memory;
  /** r0 .. r10, as u64. */
  readonly registers: bigint[];
  /** Jumps back and calls that are left. */
  fuel: number;
  /** A helper or kfunc: reads r1 .. r5, sets r0. */
  call(number: number, kind: number): void;
  /** The instruction that is being run. */
  slot: number;
}

/** Why a run has ended. */
export class Ended extends Error {}

const MOST_FRAMES = 8;
const FRAME_BYTES = 512n;
const MOST_ROUNDS = 8 << 20;

const unsigned = (value: bigint, bits: number) => BigInt.asUintN(bits, value);
const signed = (value: bigint, bits: number) => BigInt.asIntN(bits, value);

/** A machine before its first instruction. `frame`: the end of the outermost frame. */
export function machine(memory: Memory, frame: number, arguments_: readonly bigint[], fuel = 1e6): Machine {
  const registers = new Array<bigint>(11).fill(0n);
  arguments_.forEach((value, i) => {
    registers[i + 1] = unsigned(value, 64);
  });
  registers[10] = BigInt(frame);
  return { memory, registers, fuel, slot: 0, call: () => expect("a helper") };
}

function expect(what: string): never {
  throw new Error(`the machine has no ${what}`);
}

interface Frame {
  readonly back: number;
  readonly kept: readonly bigint[];
}

/** Runs a program from a slot on until it returns; r0. Throws {@link Ended}. */
export function interpret(code: Code, m: Machine, slot = 0): bigint {
  const r = m.registers;
  const frames: Frame[] = [];
  const rounds = [MOST_ROUNDS];
  m.slot = slot;
  const pay = () => {
    if (m.fuel-- <= 0) throw new Ended("no fuel");
  };
  for (;;) {
    const instruction = code[m.slot]!;
    const { opcode } = instruction;
    if (opcode === EXIT) {
      const frame = frames.pop();
      rounds.pop();
      if (frame === undefined) return r[0];
      r.splice(6, 5, ...frame.kept);
      m.slot = frame.back;
    } else if (opcode === CALL && instruction.src === CALLEE.LOCAL) {
      pay();
      if (frames.length === MOST_FRAMES - 1) throw new Ended("too deep");
      frames.push({ back: m.slot + 1, kept: r.slice(6) });
      rounds.push(MOST_ROUNDS);
      r[10] -= FRAME_BYTES;
      m.slot = functionStart(instruction, m.slot);
    } else if (opcode === MAY_GOTO) {
      m.slot = rounds[rounds.length - 1]-- > 0 ? m.slot + 1 : jumpTarget(instruction, m.slot);
    } else if (isJump(instruction)) {
      const target = jumpTarget(instruction, m.slot);
      const jumps = !fallsThrough(instruction) || holds(instruction, r);
      if (jumps && target <= m.slot) pay();
      m.slot = jumps ? target : m.slot + 1;
    } else {
      step(instruction, m);
      m.slot = nextSlot(instruction, m.slot);
    }
  }
}

/** An instruction that goes on to the next one. */
function step(instruction: Instruction, m: Machine): void {
  const { opcode, dst, src, imm, imm64 } = instruction;
  if (opcode === CALL) m.call(imm, src);
  else if (opcode === CALLX) m.call(Number(m.registers[dst]), CALLEE.HELPER);
  else if (opcode === LD_IMM64) m.registers[dst] = imm64!;
  else if (isArithmetic(opcode)) m.registers[dst] = computed(instruction, m.registers);
  else if (isAtomic(opcode)) atomically(instruction, m);
  else access(instruction, m);
}

/** The operands of arithmetic and comparisons, of a width. */
function operands(
  { opcode, dst, src, imm }: Instruction,
  r: readonly bigint[],
  bits: number,
): [bigint, bigint] {
  return [unsigned(r[dst], bits), unsigned(hasRegisterSource(opcode) ? r[src] : BigInt(imm), bits)];
}

function computed(instruction: Instruction, r: readonly bigint[]): bigint {
  const { opcode, dst, offset, imm } = instruction;
  const is64 = classOf(opcode) === CLASS.ALU64;
  const bits = is64 ? 64 : 32;
  const [a, b] = operands(instruction, r, bits);
  const divide = (quotient: (a: bigint, b: bigint) => bigint, byZero: bigint) => {
    if (b === 0n) return byZero;
    return offset === 1 ? quotient(signed(a, bits), signed(b, bits)) : quotient(a, b);
  };
  const value = () => {
    switch (operationOf(opcode)) {
      case ALU.ADD:
        return a + b;
      case ALU.SUB:
        return a - b;
      case ALU.MUL:
        return a * b;
      case ALU.DIV:
        return divide((x, y) => x / y, 0n);
      case ALU.MOD:
        return divide((x, y) => x % y, a);
      case ALU.OR:
        return a | b;
      case ALU.AND:
        return a & b;
      case ALU.XOR:
        return a ^ b;
      case ALU.LSH:
        return a << (b % BigInt(bits));
      case ALU.RSH:
        return a >> (b % BigInt(bits));
      case ALU.ARSH:
        return signed(a, bits) >> (b % BigInt(bits));
      case ALU.NEG:
        return -a;
      case ALU.MOV:
        return offset === 0 ? b : signed(b, offset);
    }
    const swaps = is64 || hasRegisterSource(opcode);
    return swaps ? swapped(r[dst], imm) : unsigned(r[dst], imm);
  };
  return unsigned(value(), operationOf(opcode) === ALU.END ? 64 : bits);
}

function swapped(value: bigint, bits: number): bigint {
  let result = 0n;
  for (let bit = 0; bit < bits; bit += 8) result = (result << 8n) | ((value >> BigInt(bit)) & 0xffn);
  return result;
}

function holds(instruction: Instruction, r: readonly bigint[]): boolean {
  const bits = classOf(instruction.opcode) === CLASS.JMP ? 64 : 32;
  const [a, b] = operands(instruction, r, bits);
  const [x, y] = [signed(a, bits), signed(b, bits)];
  switch (operationOf(instruction.opcode)) {
    case JMP.JEQ:
      return a === b;
    case JMP.JNE:
      return a !== b;
    case JMP.JGT:
      return a > b;
    case JMP.JGE:
      return a >= b;
    case JMP.JLT:
      return a < b;
    case JMP.JLE:
      return a <= b;
    case JMP.JSET:
      return (a & b) !== 0n;
    case JMP.JSGT:
      return x > y;
    case JMP.JSGE:
      return x >= y;
    case JMP.JSLT:
      return x < y;
    default:
      return x <= y;
  }
}

const addressOf = (m: Machine, register: number, offset: number) =>
  Number(unsigned(m.registers[register] + BigInt(offset), 32));

function access({ opcode, dst, src, offset, imm }: Instruction, m: Machine): void {
  const bytes = accessBytes(opcode);
  switch (classOf(opcode)) {
    case CLASS.LDX: {
      const value = m.memory.load(addressOf(m, src, offset), bytes);
      m.registers[dst] = modeOf(opcode) === MODE.MEMSX ? unsigned(signed(value, bytes * 8), 64) : value;
      return;
    }
    case CLASS.ST:
      m.memory.store(addressOf(m, dst, offset), bytes, unsigned(BigInt(imm), bytes * 8));
      return;
    case CLASS.STX:
      m.memory.store(addressOf(m, dst, offset), bytes, unsigned(m.registers[src], bytes * 8));
      return;
  }
  expect("packet");
}

function atomically({ opcode, dst, src, offset, imm }: Instruction, m: Machine): void {
  const bytes = accessBytes(opcode);
  const r = m.registers;
  if (imm === ATOMIC.LOAD_ACQ) {
    r[dst] = m.memory.load(addressOf(m, src, offset), bytes);
    return;
  }
  const at = addressOf(m, dst, offset);
  const value = unsigned(r[src], bytes * 8);
  if (imm === ATOMIC.STORE_REL) {
    m.memory.store(at, bytes, value);
    return;
  }
  const old = m.memory.load(at, bytes);
  if (imm === ATOMIC.CMPXCHG) {
    if (old === unsigned(r[0], bytes * 8)) m.memory.store(at, bytes, value);
    r[0] = old;
    return;
  }
  m.memory.store(at, bytes, unsigned(combined(imm, old, value), bytes * 8));
  if ((imm & ATOMIC.FETCH) !== 0) r[src] = old;
}

function combined(operation: number, old: bigint, value: bigint): bigint {
  switch (operation & ~ATOMIC.FETCH) {
    case ATOMIC.ADD:
      return old + value;
    case ATOMIC.OR:
      return old | value;
    case ATOMIC.AND:
      return old & value;
    case ATOMIC.XOR:
      return old ^ value;
  }
  return value;
}

/** Memory over the bytes of a host, or of a buffer. Addresses count from its beginning. */
export function memoryOver(bytes: () => Uint8Array): Memory {
  return {
    load(address, size) {
      let value = 0n;
      for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes()[address + i]);
      return value;
    },
    store(address, size, value) {
      for (let i = 0; i < size; i++) bytes()[address + i] = Number((value >> BigInt(8 * i)) & 0xffn);
    },
  };
}
