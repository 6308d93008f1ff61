/**
 * Loads, stores and atomic instructions.
 *
 * @module
 */
import type { Instruction } from "../isa/decode.ts";
import { ATOMIC, accessBytes, CLASS, classOf, isAtomic, MODE, modeOf } from "../isa/opcodes.ts";
import { checkAtomic, type Touch, unprovenIn } from "./bounds.ts";
import { fieldAt } from "./contexts.ts";
import {
  isPointer,
  isScalar,
  mayBe,
  type Pointer,
  pointerTo,
  type Register,
  target,
  typeName,
} from "./pointer.ts";
import { readRegister, writeRegister } from "./registers.ts";
import { signExtended } from "./scalar/relations.ts";
import { constant, constant64, loaded } from "./scalar/scalar.ts";
import type { Session } from "./session.ts";
import { FRAME_BYTES } from "./stack.ts";
import type { State } from "./state.ts";
import { targetOfField } from "./targets.ts";

/** An instruction of the classes LDX, ST and STX. */
export function access(session: Session, state: State, instruction: Instruction): void {
  const { opcode } = instruction;
  if (isAtomic(opcode)) atomic(session, state, instruction);
  else if (classOf(opcode) === CLASS.LDX) loadRegister(session, state, instruction);
  else {
    const value =
      classOf(opcode) === CLASS.ST ? constant(instruction.imm) : readForStore(session, state, instruction);
    storeRegister(session, state, instruction, value);
  }
}

function readForStore(session: Session, state: State, { src }: Instruction): Register {
  const value = readRegister(session, state, src);
  if (!isScalar(value) || value.id !== 0 || value.isConstant) return value;
  // The copy in the frame is known to be one.
  const copied = value.withId(session.newId());
  writeRegister(state, src, copied);
  return copied;
}

/** A register as a pointer to memory. */
function memory(session: Session, state: State, register: number): Pointer {
  const pointer = readRegister(session, state, register);
  if (isPointer(pointer)) return pointer;
  session.refuse(`R${register} invalid mem access '${typeName(pointer)}'`);
}

/** Checks one access, and notes what is known of it. */
function touch(session: Session, touched: Touch): void {
  const reason = unprovenIn(session, touched);
  const { pointer, register, offset, bytes } = touched;
  const seen = session.access(pointer, register, bytes, reason);
  const base = session.frameOffset(register);
  if (base !== undefined) seen.frameOffset = base + offset;
}

function loadRegister(session: Session, state: State, instruction: Instruction): void {
  const { opcode, dst, src, offset } = instruction;
  const isSigned = modeOf(opcode) === MODE.MEMSX;
  const bytes = accessBytes(opcode);
  const pointer = memory(session, state, src);
  touch(session, { pointer, register: src, offset, bytes, isStore: false });
  writeRegister(state, dst, valueAt(session, state, pointer, src, offset, bytes, isSigned));
}

/** What a load gives. */
function valueAt(
  session: Session,
  state: State,
  pointer: Pointer,
  register: number,
  offset: number,
  bytes: number,
  isSigned: boolean,
): Register {
  switch (pointer.kind) {
    case "stack":
      return fromFrame(session, state, pointer, register, offset, bytes, isSigned);
    case "context":
      return fromContext(session, offset, bytes) ?? loaded(bytes, isSigned);
    case "meta":
      return fromMeta(session, pointer, offset, bytes) ?? loaded(bytes, isSigned);
    case "value":
      return frozen(pointer, offset, bytes, isSigned) ?? loaded(bytes, isSigned);
    case "mixed":
      if (mayBe(pointer, "stack")) session.readsUnwritten = true;
      return loaded(bytes, isSigned);
  }
  return loaded(bytes, isSigned);
}

function fromFrame(
  session: Session,
  state: State,
  pointer: Pointer,
  register: number,
  offset: number,
  bytes: number,
  isSigned: boolean,
): Register {
  const { stack } = state.frames[pointer.target.place];
  const at = pointer.least + offset;
  if (at !== pointer.most + offset) {
    noteUnwritten(session, state, pointer, offset, bytes);
    return loaded(bytes, isSigned);
  }
  if (!stack.isWritten(at, bytes)) session.readsUnwritten = true;
  const value = stack.load(at, bytes, isSigned);
  // A pointer keeps its window in locals of the function, which belong to a slot of its own frame.
  const keepsWindow = isScalar(value) || session.frameOffset(register) !== undefined;
  return keepsWindow ? value : (value as Pointer).with({ hasWindow: false });
}

/** Whether bytes may be read that were never written, somewhere between the bounds of a pointer into a frame. */
export function noteUnwritten(
  session: Session,
  state: State,
  pointer: Pointer,
  offset: number,
  bytes: number,
): void {
  const { stack } = state.frames[pointer.target.place];
  const from = Math.max(pointer.least + offset, -FRAME_BYTES);
  const to = Math.min(pointer.most + offset + bytes, 0);
  if (from >= to || !stack.isWritten(from, to - from)) session.readsUnwritten = true;
}

function fromContext(session: Session, offset: number, bytes: number): Register | undefined {
  const field = fieldAt(session.layout!, offset, bytes, false)!;
  if (field.gives === "number") return undefined;
  session.accesses.get(session.pc)!.gives = field.gives;
  const given = targetOfField(session, field.gives);
  const isOptional = field.gives === "key" || field.gives === "value";
  return pointerTo(given, isOptional ? { nullable: true, id: session.newId() } : {});
}

function fromMeta(session: Session, pointer: Pointer, offset: number, bytes: number): Register | undefined {
  if (bytes !== 8 || !pointer.isUnmoved || offset !== 0) return undefined;
  session.accesses.get(session.pc)!.gives = "seq";
  return pointerTo(target("seq"));
}

/** The bytes of a value that never changes. */
function frozen(pointer: Pointer, offset: number, bytes: number, isSigned: boolean): Register | undefined {
  const content = pointer.target.map?.frozen;
  const at = pointer.least + offset;
  if (content === undefined || at !== pointer.most + offset || at < 0 || at + bytes > content.length)
    return undefined;
  let value = 0n;
  for (let k = bytes - 1; k >= 0; k--) value = (value << 8n) | BigInt(content[at + k]);
  return isSigned ? signExtended(constant64(value), bytes * 8) : constant64(value);
}

function storeRegister(session: Session, state: State, instruction: Instruction, value: Register): void {
  const { opcode, dst, offset } = instruction;
  const bytes = accessBytes(opcode);
  const pointer = memory(session, state, dst);
  touch(session, { pointer, register: dst, offset, bytes, isStore: true });
  if (pointer.kind === "stack") toFrame(session, state, pointer, dst, offset, bytes, value);
  else if (mayBe(pointer, "stack")) {
    checkSpilled(session, value, 0);
    spoilAll(state);
  }
}

function toFrame(
  session: Session,
  state: State,
  pointer: Pointer,
  register: number,
  offset: number,
  bytes: number,
  value: Register,
): void {
  const { stack } = state.frames[pointer.target.place];
  const at = pointer.least + offset;
  checkSpilled(session, value, pointer.target.place);
  if (at !== pointer.most + offset) {
    spoilBetween(session, state, pointer, offset, bytes);
    return;
  }
  const keepsWindow = isScalar(value) || session.frameOffset(register) !== undefined;
  stack.store(at, bytes, keepsWindow ? value : (value as Pointer).with({ hasWindow: false }));
}

/** The address of a frame must not outlive it in one below. */
function checkSpilled(session: Session, value: Register, place: number): void {
  if (!isPointer(value) || !mayBe(value, "stack")) return;
  if (value.target.place <= place) return;
  session.invalid("cannot spill pointers to stack into stack frame of the caller");
}

/** A store somewhere between the bounds of a pointer; when they are not proven, somewhere in the frame. */
function spoilBetween(session: Session, state: State, pointer: Pointer, offset: number, bytes: number): void {
  const { stack } = state.frames[pointer.target.place];
  const isProven = session.accesses.get(session.pc)?.proven === true;
  const least = pointer.least + offset;
  const most = pointer.most + offset + bytes;
  const inside = isProven && least >= -FRAME_BYTES && most <= 0;
  stack.spoil(inside ? least : -FRAME_BYTES, inside ? most : 0);
}

/** A store into one of the frames, or elsewhere. */
export function spoilAll(state: State): void {
  for (const { stack } of state.frames) stack.spoil(-FRAME_BYTES, 0);
}

/** Memory that a helper writes: its bytes are written, and nothing is known of them. */
export function writtenByHelper(state: State, pointer: Pointer, leastBytes: number, mostBytes: number): void {
  if (pointer.kind !== "stack") {
    if (mayBe(pointer, "stack")) spoilAll(state);
    return;
  }
  const { stack } = state.frames[pointer.target.place];
  const { least, most } = pointer;
  const isInside = least >= -FRAME_BYTES && most + mostBytes <= 0;
  if (!isInside) stack.spoil(-FRAME_BYTES, 0);
  else if (least === most && leastBytes === mostBytes) stack.overwrite(least, mostBytes);
  else stack.spoil(least, most + mostBytes);
}

function atomic(session: Session, state: State, instruction: Instruction): void {
  const { opcode, dst, src, offset, imm } = instruction;
  const bytes = accessBytes(opcode);
  if (imm === ATOMIC.LOAD_ACQ) {
    checkAtomic(session, {
      pointer: memory(session, state, src),
      register: src,
      offset,
      bytes,
      isStore: false,
    });
    loadRegister(session, state, instruction);
    return;
  }
  const pointer = memory(session, state, dst);
  const value = readRegister(session, state, src);
  const touched: Touch = { pointer, register: dst, offset, bytes, isStore: true };
  checkAtomic(session, touched);
  if (imm === ATOMIC.STORE_REL) {
    storeRegister(session, state, instruction, value);
    return;
  }
  if (!isScalar(value)) session.refuse(`R${src} leaks addr into mem`);
  if (pointer.target.map?.readable === false) session.refuse("read from map forbidden");
  touch(session, touched);
  if (imm === ATOMIC.CMPXCHG) readRegister(session, state, 0);
  if (pointer.kind === "stack") {
    noteUnwritten(session, state, pointer, offset, bytes);
    toFrame(session, state, pointer, dst, offset, bytes, loaded(8));
  }
  if (imm === ATOMIC.CMPXCHG) writeRegister(state, 0, loaded(bytes));
  else if ((imm & ATOMIC.FETCH) !== 0) writeRegister(state, src, loaded(bytes));
}

/** What r4 of a callback, or r1 of a program without a layout, points to. */
export const givenMemory = (size: number): Pointer => pointerTo(target("memory", { size, writable: true }));
