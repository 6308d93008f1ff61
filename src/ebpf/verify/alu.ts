/**
 * Arithmetic on registers: numbers, and pointers that move.
 *
 * @module
 */
import type { Instruction } from "../isa/decode.ts";
import { ALU, CLASS, classOf, hasRegisterSource, operationOf } from "../isa/opcodes.ts";
import { ALU_SIGNS } from "../isa/symbols.ts";
import { isPointer, isScalar, NO_RANGE, type Pointer, type Register, typeName } from "./pointer.ts";
import { readRegister, writeRegister } from "./registers.ts";
import { add, byteOrdered, calculate, negate, subtract } from "./scalar/arithmetic.ts";
import { signExtended, truncated } from "./scalar/relations.ts";
import { between, constant, loaded, type Scalar, U32_MAX, UNKNOWN } from "./scalar/scalar.ts";
import type { Session } from "./session.ts";
import type { State } from "./state.ts";

/** So far a pointer may be moved by a constant, BPF_MAX_VAR_OFF. */
const MOST_OFFSET = 1 << 29;

const ANY_U32 = between(0, U32_MAX);

/** An instruction of the classes ALU and ALU64. */
export function arithmetic(session: Session, state: State, instruction: Instruction): void {
  const { opcode, dst, src, imm, offset } = instruction;
  const operation = operationOf(opcode);
  const bits = classOf(opcode) === CLASS.ALU64 ? 64 : 32;
  if (operation === ALU.MOV) {
    move(session, state, instruction, bits);
    return;
  }
  const left = readRegister(session, state, dst);
  if (operation === ALU.NEG || operation === ALU.END) {
    writeRegister(state, dst, unary(session, instruction, left, bits));
    return;
  }
  const right = hasRegisterSource(opcode) ? readRegister(session, state, src) : constant(imm);
  const result =
    isScalar(left) && isScalar(right)
      ? calculate(operation, left, right, bits, offset === 1)
      : moved(session, instruction, left, right, bits);
  writeRegister(state, dst, result);
}

function move(session: Session, state: State, instruction: Instruction, bits: 32 | 64): void {
  const { opcode, dst, src, imm, offset } = instruction;
  if (!hasRegisterSource(opcode)) {
    writeRegister(state, dst, bits === 64 ? constant(imm) : truncated(constant(imm)));
    return;
  }
  const value = readRegister(session, state, src);
  if (isPointer(value)) {
    if (bits === 64 && offset === 0) {
      writeRegister(state, dst, value);
      return;
    }
    if (session.isStrict) session.refuse(`R${src} partial copy of pointer`);
    writeRegister(state, dst, bits === 64 ? UNKNOWN : ANY_U32);
    return;
  }
  if (offset !== 0) {
    const extended = signExtended(value, offset).withId(0);
    writeRegister(state, dst, bits === 64 ? extended : truncated(extended));
    return;
  }
  const isSame = bits === 64 || value.most <= U32_MAX;
  if (!isSame) {
    writeRegister(state, dst, truncated(value).withId(0));
    return;
  }
  // What is learned of one of the two later is true of the other.
  const copied = value.isConstant || value.id !== 0 ? value : value.withId(session.newId());
  writeRegister(state, src, copied);
  writeRegister(state, dst, copied);
}

function unary(session: Session, { opcode, imm }: Instruction, value: Register, bits: 32 | 64): Scalar {
  const isNegation = operationOf(opcode) === ALU.NEG;
  if (isPointer(value)) {
    if (session.isStrict) session.refuse("pointer arithmetic with neg or byte swap prohibited");
    return bits === 64 ? UNKNOWN : isNegation || imm === 32 ? ANY_U32 : loaded(imm / 8);
  }
  if (isNegation) return negate(value, bits);
  return byteOrdered(value, imm, bits === 64 || hasRegisterSource(opcode));
}

/** Arithmetic in which at least one operand is a pointer. */
function moved(
  session: Session,
  { opcode, dst, src }: Instruction,
  left: Register,
  right: Register,
  bits: 32 | 64,
): Register {
  const operation = operationOf(opcode);
  if (bits === 64 && operation === ALU.ADD) {
    if (isPointer(left) && isScalar(right)) {
      session.addition("dst");
      return moveBy(session, dst, left, right, false);
    }
    if (isPointer(right) && isScalar(left)) {
      session.addition("src");
      return moveBy(session, src, right, left, false);
    }
    return number(session, `R${dst} pointer += pointer prohibited`, bits);
  }
  if (bits === 64 && operation === ALU.SUB) {
    if (isPointer(left) && isScalar(right)) return moveBy(session, dst, left, right, true);
    if (isPointer(left) && isPointer(right)) return distance(left, right);
    return number(session, `R${dst} tried to subtract pointer from scalar`, bits);
  }
  if (bits === 32) return number(session, `R${dst} 32-bit pointer arithmetic prohibited`, bits);
  const isBitwise = operation === ALU.AND || operation === ALU.OR || operation === ALU.XOR;
  const sign = ALU_SIGNS.get(operation);
  const text = isBitwise
    ? `R${dst} bitwise operator ${sign} on pointer prohibited`
    : `R${dst} pointer arithmetic with ${sign} operator prohibited`;
  return number(session, text, bits);
}

/** A pointer is used as a number. The kernel refuses that; it does no harm here, where addresses are no secret. */
function number(session: Session, text: string, bits: 32 | 64): Scalar {
  if (session.isStrict) session.refuse(text);
  return bits === 64 ? UNKNOWN : ANY_U32;
}

/** How far two pointers are from each other. */
function distance(left: Pointer, right: Pointer): Scalar {
  if (right.kind === "packet" && left.kind === "packet_end") return subtract(ANY_U32, right.offset);
  if (right.isPacket && left.kind === right.kind) return subtract(left.offset, right.offset);
  return UNKNOWN;
}

function moveBy(
  session: Session,
  register: number,
  pointer: Pointer,
  by: Scalar,
  backwards: boolean,
): Pointer {
  if (pointer.nullable) {
    session.refuse(`R${register} pointer arithmetic on ${typeName(pointer)} prohibited, null-check it first`);
  }
  if (!pointer.isMemory) session.refuse(`R${register} pointer arithmetic on ${typeName(pointer)} prohibited`);
  if (pointer.kind === "mixed") return pointer;
  if (by.isConstant && Math.abs(by.signedLeast) < MOST_OFFSET) {
    const fixed = pointer.fixed + (backwards ? -by.signedLeast : by.signedLeast);
    if (Math.abs(fixed) < MOST_OFFSET) return pointer.with({ fixed });
  }
  if (session.isStrict) refuseUnbounded(session, pointer, by);
  const variable = backwards ? subtract(pointer.variable, by) : add(pointer.variable, by);
  return pointer.isPacket
    ? pointer.with({ variable, id: session.newId(), range: NO_RANGE })
    : pointer.with({ variable });
}

function refuseUnbounded(session: Session, pointer: Pointer, by: Scalar): void {
  const { signedLeast, signedMost } = by;
  if (by.isConstant) {
    session.refuse(`math between ${typeName(pointer)} pointer and ${signedLeast} is not allowed`);
  }
  if (signedLeast <= -MOST_OFFSET || signedMost >= MOST_OFFSET) {
    session.refuse(
      `math between ${typeName(pointer)} pointer and register with unbounded min value is not allowed`,
    );
  }
}
