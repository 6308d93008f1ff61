/**
 * Bytecode to instructions, and back.
 *
 *   0 u8 opcode | 1 u8 dst (lower half), src (upper half) | 2 i16 offset | 4 i32 imm
 *
 * A 64-bit immediate load takes two such slots: the second has nothing but `imm`, the upper half of the value.
 *
 * @module
 */
import { LD_IMM64, SLOT_BYTES } from "./opcodes.ts";

/** One instruction; a 64-bit immediate load takes two slots and is one Instruction. */
export interface Instruction {
  readonly opcode: number;
  readonly dst: number;
  readonly src: number;
  /** An i16. */
  readonly offset: number;
  /** An i32. */
  readonly imm: number;
  /** Of LD_IMM64: the whole value, as an u64. Undefined where the second slot is missing or has more than `imm`. */
  readonly imm64?: bigint;
}

/** The instructions of a program by slot. The second slot of a 64-bit immediate load is undefined. */
export type Code = readonly (Instruction | undefined)[];

/** Decodes any bytes: what they may not be is for `checkStructure` to say. */
export function decode(code: Uint8Array): (Instruction | undefined)[] {
  if (code.length % SLOT_BYTES !== 0) {
    throw new RangeError(
      `bytecode: ${code.length} bytes are not a whole number of instructions, 8 bytes each`,
    );
  }
  const view = new DataView(code.buffer, code.byteOffset, code.length);
  const slots: (Instruction | undefined)[] = [];
  for (let at = 0; at < code.length; at += SLOT_BYTES) {
    const registers = code[at + 1];
    const instruction = {
      opcode: code[at],
      dst: registers & 15,
      src: registers >> 4,
      offset: view.getInt16(at + 2, true),
      imm: view.getInt32(at + 4, true),
    };
    if (instruction.opcode === LD_IMM64 && isUpperHalf(view, at + SLOT_BYTES)) {
      const upper = BigInt(view.getUint32(at + SLOT_BYTES + 4, true));
      slots.push({ ...instruction, imm64: (upper << 32n) | BigInt(instruction.imm >>> 0) }, undefined);
      at += SLOT_BYTES;
    } else slots.push(instruction);
  }
  return slots;
}

function isUpperHalf(view: DataView, at: number): boolean {
  return at < view.byteLength && view.getUint32(at, true) === 0;
}

/** The bytes of instructions. */
export function encode(code: Code): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(code.length * SLOT_BYTES);
  const view = new DataView(bytes.buffer);
  code.forEach((instruction, slot) => {
    if (instruction === undefined) return;
    const at = slot * SLOT_BYTES;
    bytes[at] = instruction.opcode;
    bytes[at + 1] = (instruction.src << 4) | instruction.dst;
    view.setInt16(at + 2, instruction.offset, true);
    view.setInt32(at + 4, instruction.imm, true);
    if (instruction.imm64 !== undefined) {
      view.setUint32(at + SLOT_BYTES + 4, Number(BigInt.asUintN(64, instruction.imm64) >> 32n), true);
    }
  });
  return bytes;
}
