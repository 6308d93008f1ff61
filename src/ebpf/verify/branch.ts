/**
 * What a conditional jump tells where it is taken, and where it is not.
 *
 * @module
 */
import type { Instruction } from "../isa/decode.ts";
import { CLASS, classOf, hasRegisterSource, JMP, operationOf } from "../isa/opcodes.ts";
import { isPointer, isScalar, type Pointer, type Register } from "./pointer.ts";
import { readRegister, writeRegister } from "./registers.ts";
import { compared, MIRRORED, OPPOSITE } from "./scalar/compare.ts";
import { truncated } from "./scalar/relations.ts";
import { constant, EXACT, type Scalar, scalarWhere, U32_MAX, ZERO } from "./scalar/scalar.ts";
import type { Session } from "./session.ts";
import { changeAll, copyOf, type State } from "./state.ts";

/** The states where a jump is taken and where it is not, the given one changed; undefined where that cannot be. */
export interface Branches {
  readonly taken: State | undefined;
  readonly notTaken: State | undefined;
}

export function branches(session: Session, state: State, jump: Instruction): Branches {
  const bits = classOf(jump.opcode) === CLASS.JMP ? 64 : 32;
  const left = readRegister(session, state, jump.dst);
  const right = hasRegisterSource(jump.opcode)
    ? readRegister(session, state, jump.src)
    : bits === 64
      ? constant(jump.imm)
      : truncated(constant(jump.imm));
  const taken = refined(() => copyOf(state), jump, left, right, true, bits);
  const notTaken = refined(() => state, jump, left, right, false, bits);
  return { taken, notTaken };
}

/** @param make the state to change, once it is known that there is one */
function refined(
  make: () => State,
  jump: Instruction,
  left: Register,
  right: Register,
  taken: boolean,
  bits: 32 | 64,
): State | undefined {
  const operation = operationOf(jump.opcode);
  if (isScalar(left) && isScalar(right)) return numbers(make, jump, left, right, taken, bits);
  const holds = taken ? operation : OPPOSITE.get(operation);
  const copy = make();
  if (bits === 32 || holds === undefined) return copy;
  if (isPointer(left) && isScalar(right)) return right.isZero ? againstNull(copy, left, holds) : copy;
  if (isPointer(right) && isScalar(left)) {
    const mirrored = MIRRORED.get(holds);
    return left.isZero && mirrored !== undefined ? againstNull(copy, right, mirrored) : copy;
  }
  packetBounds(copy, left as Pointer, right as Pointer, holds);
  return copy;
}

function numbers(
  make: () => State,
  jump: Instruction,
  left: Scalar,
  right: Scalar,
  taken: boolean,
  bits: 32 | 64,
): State | undefined {
  const result = compared(operationOf(jump.opcode), left, right, taken, bits);
  if (result === undefined) return undefined;
  const copy = make();
  sharpen(copy, jump.dst, left, result.left);
  if (hasRegisterSource(jump.opcode) && jump.src !== jump.dst) sharpen(copy, jump.src, right, result.right);
  return copy;
}

/** More is known of a number now, and of its copies. */
function sharpen(state: State, register: number, before: Scalar, now: Scalar): void {
  if (now === before) return;
  const known = now.withId(before.id);
  if (before.id === 0) writeRegister(state, register, known);
  else changeAll(state, (other) => (isScalar(other) && other.id === before.id ? known : other));
}

/** A pointer is compared with NULL. */
function againstNull(state: State, pointer: Pointer, holds: number): State | undefined {
  if (holds !== JMP.JEQ && holds !== JMP.JNE) return state;
  const isNull = holds === JMP.JEQ;
  if (!pointer.nullable) {
    const isAddress = pointer.isMemory && pointer.kind !== "mixed" && pointer.isUnmoved;
    return isNull && isAddress ? undefined : state;
  }
  changeAll(state, (other) => {
    if (!isPointer(other) || !other.nullable || other.id !== pointer.id) return other;
    return isNull ? ZERO : other.with({ nullable: false });
  });
  if (isNull) state.reservations = state.reservations.filter(({ id }) => id !== pointer.id);
  return state;
}

/** A pointer into the packet is compared with its end: so much of the packet is there. */
function packetBounds(state: State, left: Pointer, right: Pointer, holds: number): void {
  const isEndOf = (end: Pointer, start: Pointer): boolean =>
    (start.kind === "packet" && end.kind === "packet_end") ||
    (start.kind === "packet_meta" && end.kind === "packet" && end.isUnmoved && end.id === 0);
  const order = isEndOf(right, left) ? holds : isEndOf(left, right) ? MIRRORED.get(holds) : undefined;
  const pointer = isEndOf(right, left) ? left : right;
  // Nothing that is not far below its base goes round at 2^64: an address that is not above the end is below it, so its offset is small.
  if (order === undefined || pointer.least <= -EXACT) return;
  let range: number;
  if (order === JMP.JLE || order === JMP.JEQ) range = pointer.fixed;
  else if (order === JMP.JLT) range = pointer.fixed + 1;
  else return;
  const variable = atMost(pointer.variable, U32_MAX - pointer.fixed);
  changeAll(state, (other) => {
    if (!isPointer(other) || other.kind !== pointer.kind || other.id !== pointer.id) return other;
    return other.range < range || other.variable !== variable
      ? other.with({ range: Math.max(other.range, range), variable })
      : other;
  });
}

function atMost(variable: Scalar, most: number): Scalar {
  if (variable.signedMost <= most) return variable;
  const { signedLeast, bits } = variable;
  return scalarWhere(variable.least, variable.most, signedLeast, most, bits) ?? variable;
}
