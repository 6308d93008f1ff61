// Runs bytecode instruction by instruction, as it was loaded: where WebAssembly may not be generated. What the program may do has been
// proven before, or is checked by instructions that the loader has put beside its own (shadow.ts).
//
// Registers lie in the record, so that helpers find the arguments there. Fuel is taken by jumps back and by calls: without them a
// program is at its end after as many instructions as it has.
import { atomically } from "./atomic";
import {
  CODE, ENDED, ENDED_AT, FAULT, FUEL, NO_FUEL, NO_OPCODE, OUTCOME, R0, RETURNED, STOP, TAIL_CALL, TOO_DEEP, WINDOWS, enter, leave, mayGoRound,
  setWord, word,
} from "./frame";
import { CHECK, FILL, MOVE, RANGE, RESULT, RESUME, SPILL, WINDOW, fill, isInside, move, setResult, setWindow, spill } from "./shadow";

/**
 * Calls a helper, a kfunc, or what the host has for it. Arguments are in r1 .. r5 of the record, the result goes to r0. `kind`: the
 * `src` of the instruction. The answer is one of frame.ts.
 */
@external("env", "helper") declare function helper(run: usize, number: i32, kind: u32): u32;

const LOCAL: u32 = 1;

/** A register by its address. */
@inline function get(register: usize): u64 {
  return load<u64>(register);
}

@inline function get32(register: usize): u32 {
  return load<u32>(register);
}

@inline function set(register: usize, value: u64): void {
  store<u64>(register, value);
}

/** 32-bit results clear the upper half. */
@inline function set32(register: usize, value: u32): void {
  store<u64>(register, <u64>value);
}

/** The address in a register and an offset. */
@inline function at(register: usize, offset: i32): usize {
  return <usize>(load<u32>(register) + offset);
}

/** By 0 gives 0, and the smallest number by -1 itself: neither traps. */
function divide<T>(a: T, b: T): T {
  if (b == 0) return 0;
  return isSigned<T>() && b == -1 ? <T>(0 - a) : <T>(a / b);
}

/** By 0 leaves the dividend. */
function remainder<T>(a: T, b: T): T {
  if (b == 0) return a;
  return isSigned<T>() && b == -1 ? 0 : <T>(a % b);
}

function divide64(a: u64, b: u64, offset: i32): u64 {
  return offset ? <u64>divide<i64>(<i64>a, <i64>b) : divide<u64>(a, b);
}

function remainder64(a: u64, b: u64, offset: i32): u64 {
  return offset ? <u64>remainder<i64>(<i64>a, <i64>b) : remainder<u64>(a, b);
}

function divide32(a: u32, b: u32, offset: i32): u32 {
  return offset ? <u32>divide<i32>(<i32>a, <i32>b) : divide<u32>(a, b);
}

function remainder32(a: u32, b: u32, offset: i32): u32 {
  return offset ? <u32>remainder<i32>(<i32>a, <i32>b) : remainder<u32>(a, b);
}

function extended(value: u64, bits: i32): u64 {
  switch (bits) {
    case 8: return <u64><i64><i8>value;
    case 16: return <u64><i64><i16>value;
    case 32: return <u64><i64><i32>value;
    default: return value;
  }
}

function swapped(value: u64, bits: i32): u64 {
  switch (bits) {
    case 16: return <u64>bswap<u16>(<u16>value);
    case 32: return <u64>bswap<u32>(<u32>value);
    default: return bswap<u64>(value);
  }
}

function truncated(value: u64, bits: i32): u64 {
  switch (bits) {
    case 16: return <u64><u16>value;
    case 32: return <u64><u32>value;
    default: return value;
  }
}

/**
 * A load from the packet as classic BPF does it, in network order. `op` is its opcode: in bit 6 whether `src` is added. False when it is
 * not in the packet.
 */
function loadPacket(run: usize, op: u32, src: usize, imm: i32): bool {
  const at = op & 0x40 ? load<u32>(src) + imm : <u32>imm;
  const bytes: u32 = (op & 0x18) == 0 ? 4 : (op & 0x18) == 0x08 ? 2 : 1;
  const size = word(run, WINDOWS + 4);
  if (size < bytes || at > size - bytes) return false;
  const from = <usize>(word(run, WINDOWS) + at);
  if (bytes == 1) set(run + R0, <u64>load<u8>(from));
  else if (bytes == 2) set(run + R0, <u64>bswap<u16>(load<u16>(from)));
  else set(run + R0, <u64>bswap<u32>(load<u32>(from)));
  return true;
}

/** Ends a run before its end. `behind`: the address behind the instruction that did it. */
function ended(run: usize, behind: usize, outcome: u32): u32 {
  setWord(run, ENDED_AT, (<u32>behind - 8 - word(run, CODE)) >> 3);
  setWord(run, OUTCOME, outcome);
  return outcome;
}

/** Runs the function at a slot of the code, with the arguments in r1 .. r5, until it returns or ends otherwise. The outcome. */
export function run(run: usize, slot: u32): u32 {
  let pc = <usize>(word(run, CODE) + (slot << 3));
  if (!enter(run, 0)) return ended(run, pc + 8, TOO_DEEP);
  let fuel = word(run, FUEL);
  while (true) {
    const op = <u32>load<u8>(pc);
    const registers = <usize>load<u8>(pc, 1);
    const dst = run + ((registers & 15) << 3);
    const src = run + ((registers >> 4) << 3);
    const off = <i32>load<i16>(pc, 2);
    const imm = load<i32>(pc, 4);
    // The second operand of arithmetic and of jumps.
    const b = select<u64>(load<u64>(src), <u64><i64>imm, op & 8);
    pc += 8;
    switch (op) {
      // 64-bit arithmetic
      case 0x07: case 0x0f: set(dst, get(dst) + b); continue;
      case 0x17: case 0x1f: set(dst, get(dst) - b); continue;
      case 0x27: case 0x2f: set(dst, get(dst) * b); continue;
      case 0x37: case 0x3f: set(dst, divide64(get(dst), b, off)); continue;
      case 0x47: case 0x4f: set(dst, get(dst) | b); continue;
      case 0x57: case 0x5f: set(dst, get(dst) & b); continue;
      case 0x67: case 0x6f: set(dst, get(dst) << (b & 63)); continue;
      case 0x77: case 0x7f: set(dst, get(dst) >> (b & 63)); continue;
      case 0x87: set(dst, 0 - get(dst)); continue;
      case 0x97: case 0x9f: set(dst, remainder64(get(dst), b, off)); continue;
      case 0xa7: case 0xaf: set(dst, get(dst) ^ b); continue;
      case 0xb7: case 0xbf: set(dst, off ? extended(b, off) : b); continue;
      case 0xc7: case 0xcf: set(dst, <i64>get(dst) >> <i64>(b & 63)); continue;
      case 0xd4: set(dst, truncated(get(dst), imm)); continue;
      case 0xd7: case 0xdc: set(dst, swapped(get(dst), imm)); continue;
      // 32-bit arithmetic
      case 0x04: case 0x0c: set32(dst, get32(dst) + <u32>b); continue;
      case 0x14: case 0x1c: set32(dst, get32(dst) - <u32>b); continue;
      case 0x24: case 0x2c: set32(dst, get32(dst) * <u32>b); continue;
      case 0x34: case 0x3c: set32(dst, divide32(get32(dst), <u32>b, off)); continue;
      case 0x44: case 0x4c: set32(dst, get32(dst) | <u32>b); continue;
      case 0x54: case 0x5c: set32(dst, get32(dst) & <u32>b); continue;
      case 0x64: case 0x6c: set32(dst, get32(dst) << (<u32>b & 31)); continue;
      case 0x74: case 0x7c: set32(dst, get32(dst) >> (<u32>b & 31)); continue;
      case 0x84: set32(dst, <u32>(0 - get32(dst))); continue;
      case 0x94: case 0x9c: set32(dst, remainder32(get32(dst), <u32>b, off)); continue;
      case 0xa4: case 0xac: set32(dst, get32(dst) ^ <u32>b); continue;
      case 0xb4: case 0xbc: set32(dst, off ? <u32>extended(b, off) : <u32>b); continue;
      case 0xc4: case 0xcc: set32(dst, <i32>get32(dst) >> (<i32>b & 31)); continue;
      // memory
      case 0x18: set(dst, <u64><u32>imm | (<u64>load<u32>(pc, 4) << 32)); pc += 8; continue;
      case 0x61: set(dst, <u64>load<u32>(at(src, off))); continue;
      case 0x69: set(dst, <u64>load<u16>(at(src, off))); continue;
      case 0x71: set(dst, <u64>load<u8>(at(src, off))); continue;
      case 0x79: set(dst, load<u64>(at(src, off))); continue;
      case 0x81: set(dst, <i64>load<i32>(at(src, off))); continue;
      case 0x89: set(dst, <i64>load<i16>(at(src, off))); continue;
      case 0x91: set(dst, <i64>load<i8>(at(src, off))); continue;
      case 0x62: store<u32>(at(dst, off), imm); continue;
      case 0x6a: store<u16>(at(dst, off), <u16>imm); continue;
      case 0x72: store<u8>(at(dst, off), <u8>imm); continue;
      case 0x7a: store<u64>(at(dst, off), <i64>imm); continue;
      case 0x63: store<u32>(at(dst, off), load<u32>(src)); continue;
      case 0x6b: store<u16>(at(dst, off), load<u16>(src)); continue;
      case 0x73: store<u8>(at(dst, off), load<u8>(src)); continue;
      case 0x7b: store<u64>(at(dst, off), load<u64>(src)); continue;
      case 0xc3: if (!atomically<u32>(run, dst, src, off, imm)) return ended(run, pc, NO_OPCODE); continue;
      case 0xcb: if (!atomically<u16>(run, dst, src, off, imm)) return ended(run, pc, NO_OPCODE); continue;
      case 0xd3: if (!atomically<u8>(run, dst, src, off, imm)) return ended(run, pc, NO_OPCODE); continue;
      case 0xdb: if (!atomically<u64>(run, dst, src, off, imm)) return ended(run, pc, NO_OPCODE); continue;
      // jumps: break takes them
      case 0x05: break;
      case 0x06: {
        if (imm < 0 && !fuel--) return ended(run, pc, NO_FUEL);
        pc += <usize>(imm << 3);
        continue;
      }
      case 0x15: case 0x1d: if (get(dst) == b) break; continue;
      case 0x25: case 0x2d: if (get(dst) > b) break; continue;
      case 0x35: case 0x3d: if (get(dst) >= b) break; continue;
      case 0x45: case 0x4d: if (get(dst) & b) break; continue;
      case 0x55: case 0x5d: if (get(dst) != b) break; continue;
      case 0xa5: case 0xad: if (get(dst) < b) break; continue;
      case 0xb5: case 0xbd: if (get(dst) <= b) break; continue;
      case 0x65: case 0x6d: if (<i64>get(dst) > <i64>b) break; continue;
      case 0x75: case 0x7d: if (<i64>get(dst) >= <i64>b) break; continue;
      case 0xc5: case 0xcd: if (<i64>get(dst) < <i64>b) break; continue;
      case 0xd5: case 0xdd: if (<i64>get(dst) <= <i64>b) break; continue;
      case 0x16: case 0x1e: if (get32(dst) == <u32>b) break; continue;
      case 0x26: case 0x2e: if (get32(dst) > <u32>b) break; continue;
      case 0x36: case 0x3e: if (get32(dst) >= <u32>b) break; continue;
      case 0x46: case 0x4e: if (get32(dst) & <u32>b) break; continue;
      case 0x56: case 0x5e: if (get32(dst) != <u32>b) break; continue;
      case 0xa6: case 0xae: if (get32(dst) < <u32>b) break; continue;
      case 0xb6: case 0xbe: if (get32(dst) <= <u32>b) break; continue;
      case 0x66: case 0x6e: if (<i32>get32(dst) > <i32>b) break; continue;
      case 0x76: case 0x7e: if (<i32>get32(dst) >= <i32>b) break; continue;
      case 0xc6: case 0xce: if (<i32>get32(dst) < <i32>b) break; continue;
      case 0xd6: case 0xde: if (<i32>get32(dst) <= <i32>b) break; continue;
      case 0xe5: if (!mayGoRound(run)) break; continue;
      // calls
      case 0x85: case 0x8d: {
        const kind = <u32>registers >> 4;
        if (kind == LOCAL) {
          if (!fuel--) return ended(run, pc, NO_FUEL);
          if (!enter(run, pc)) return ended(run, pc, TOO_DEEP);
          pc += <usize>(imm << 3);
          continue;
        }
        // A callback uses the same fuel.
        setWord(run, FUEL, fuel);
        const answer = helper(run, op == 0x8d ? <i32>get32(dst) : imm, kind);
        fuel = word(run, FUEL);
        if (answer == STOP) return ended(run, pc, word(run, OUTCOME));
        if (answer == ENDED) return word(run, OUTCOME);
        if (answer == TAIL_CALL) pc = <usize>word(run, CODE);
        continue;
      }
      // what classic BPF had: outside of the packet, the function returns 0
      case 0x20: case 0x28: case 0x30: case 0x40: case 0x48: case 0x50: {
        if (loadPacket(run, op, src, imm)) continue;
        set32(run + R0, 0);
      }
      case 0x95: {
        pc = leave(run);
        if (pc) continue;
        setWord(run, FUEL, fuel);
        setWord(run, OUTCOME, RETURNED);
        return RETURNED;
      }
      // the loader's own
      case CHECK: if (!isInside(dst, off, <u64>imm)) return ended(run, pc, FAULT); continue;
      case RANGE: if (!isInside(dst, 0, get(src))) return ended(run, pc, FAULT); continue;
      case MOVE: move(dst, src); continue;
      case SPILL: spill(run, dst, off, src); continue;
      case FILL: fill(run, dst, src, off); continue;
      case WINDOW: setWindow(run, dst, imm); continue;
      case RESULT: setResult(run, imm); continue;
      case RESUME: pc += <usize>(imm << 3); continue;
      default: return ended(run, pc, NO_OPCODE);
    }
    if (off < 0 && !fuel--) return ended(run, pc, NO_FUEL);
    pc += <usize>(off << 3);
  }
}
