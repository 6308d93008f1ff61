/**
 * Calls of helpers, and what they leave.
 *
 * @module
 */
import { broughtHelper, HELPER, PROTOTYPES, type Prototype } from "../helpers/prototypes.ts";
import type { Instruction } from "../isa/decode.ts";
import { helperName } from "../isa/helper_names.ts";
import { CALLEE } from "../isa/opcodes.ts";
import { givenMemory } from "./access.ts";
import { type Arguments, checkArguments } from "./arguments.ts";
import type { SeenCall } from "./plans.ts";
import { isPointer, mayBe, type Pointer, pointerTo, type Register, target } from "./pointer.ts";
import type { ProgramType, VerifiedMap } from "./program.ts";
import { forgetCallerSaved, readRegister, writeRegister } from "./registers.ts";
import { between, U32_MAX, UNKNOWN, ZERO } from "./scalar/scalar.ts";
import type { Session } from "./session.ts";
import { changeAll, type State } from "./state.ts";
import { targetLike, targetOfKey, targetOfValue } from "./targets.ts";

/** A function that a helper calls back, and with what. */
export interface CalledBack {
  readonly entry: number;
  readonly parameters: (Register | undefined)[];
}

/** Checks the call of a helper and makes the state that it leaves. Gives the function that it calls back before it returns, if any. */
export function callHelper(session: Session, state: State, instruction: Instruction): CalledBack | undefined {
  if (instruction.src === CALLEE.KFUNC)
    session.invalid(`calling kernel function #${instruction.imm} is not allowed`);
  const prototype = prototypeOf(session, instruction.imm);
  checkLocked(session, state, prototype);
  const seen = session.call(prototype.id);
  const found = checkArguments(session, state, prototype, seen);
  const called = calledBack(session, state, prototype, found, seen);
  if (prototype.id === HELPER.SPIN_LOCK) takeLock(session, state, found.lock!);
  if (prototype.id === HELPER.SPIN_UNLOCK) giveLock(session, state, found.lock!);
  if (prototype.id === HELPER.TIMER_INIT && found.timer!.target.map !== found.map!.target.map) {
    session.invalid("bpf_timer pointer in R1 doesn't match map pointer in R2");
  }
  if (prototype.id === HELPER.TAIL_CALL) checkTailCall(session, state);
  if (found.record !== undefined) release(session, state, found.record);
  if (prototype.movesPacket) forgetPacket(state);
  forgetCallerSaved(state);
  writeRegister(state, 0, resultOf(session, state, prototype, found));
  return called;
}

function prototypeOf(session: Session, id: number): Prototype {
  const name = helperName(id);
  if (session.program.helpers?.has(id)) return broughtHelper(id, name ?? `helper#${id}`);
  const prototype = PROTOTYPES.get(id);
  if (prototype === undefined) {
    session.invalid(name === undefined ? `invalid func unknown#${id}` : `unknown func ${name}#${id}`);
  }
  if (prototype.programs !== undefined && !has(session.program.type, prototype.programs)) {
    session.invalid(`program of this type cannot use helper ${name}#${id}`);
  }
  const locks = id === HELPER.SPIN_LOCK || id === HELPER.SPIN_UNLOCK;
  if (locks && session.program.type === "socket_filter") {
    session.invalid("socket filter progs cannot use bpf_spin_lock yet");
  }
  return prototype;
}

function has(type: ProgramType, programs: NonNullable<Prototype["programs"]>): boolean {
  return programs === "skb"
    ? type === "tc" || type === "cgroup_skb" || type === "socket_filter"
    : type === programs;
}

function checkLocked(session: Session, state: State, { id }: Prototype): void {
  if (state.lock === undefined || id === HELPER.SPIN_UNLOCK) return;
  if (id === HELPER.SPIN_LOCK) session.invalid("Locking two bpf_spin_locks are not allowed");
  session.invalid("function calls are not allowed while holding a lock");
}

function takeLock(session: Session, state: State, { target: { map }, id }: Pointer): void {
  if (state.lock !== undefined) session.invalid("Locking two bpf_spin_locks are not allowed");
  state.lock = { map: map!, id };
}

function giveLock(session: Session, state: State, { target: { map }, id }: Pointer): void {
  const { lock } = state;
  if (lock === undefined) session.invalid("bpf_spin_unlock without taking a lock");
  if (lock.map !== map || lock.id !== id) session.invalid("bpf_spin_unlock of different lock");
  state.lock = undefined;
}

/** The called program ends this one: what it would have given back stays taken. */
function checkTailCall(session: Session, state: State): void {
  if (state.reservations.length > 0) session.invalid("tail_call would lead to reference leak");
  if (state.frames.some(({ callback }) => callback !== undefined)) {
    session.invalid("tail_call is not allowed in callbacks");
  }
}

/** A record is submitted or discarded: nobody may touch it any more. */
function release(session: Session, state: State, record: Pointer): void {
  if (!state.reservations.some(({ id }) => id === record.id)) {
    session.invalid(`release of unowned reference id=${record.id}`);
  }
  state.reservations = state.reservations.filter(({ id }) => id !== record.id);
  changeAll(state, (register) => {
    if (!isPointer(register)) return register;
    const isIt = register.kind === "record" && register.id === record.id;
    return isIt || (register.kind === "mixed" && mayBe(register, "record")) ? UNKNOWN : register;
  });
}

/** The packet may be elsewhere now, or have other ends. */
export function forgetPacket(state: State): void {
  changeAll(state, (register) => {
    const dies =
      isPointer(register) &&
      (mayBe(register, "packet") || mayBe(register, "packet_meta") || register.kind === "packet_end");
    return dies ? UNKNOWN : register;
  });
}

function resultOf(session: Session, state: State, prototype: Prototype, found: Arguments): Register {
  switch (prototype.result) {
    case "u32":
      return between(0, U32_MAX);
    case "value_or_null":
      return lookedUp(session, found.map!.target.map!);
    case "record_or_null": {
      const id = session.newId();
      state.reservations = [...state.reservations, { id, site: session.pc }];
      const record = target("record", { size: found.size!, writable: true });
      return pointerTo(record, { nullable: true, id });
    }
  }
  return UNKNOWN;
}

function lookedUp(session: Session, map: VerifiedMap): Register {
  const id = session.newId();
  if (!map.type.endsWith("_of_maps")) return pointerTo(targetOfValue(map), { nullable: true, id });
  if (map.inner === undefined)
    session.invalid(`map '${map.name ?? map.type}' does not say what its maps are like`);
  return pointerTo(targetLike(map.inner), { nullable: true, id });
}

function calledBack(
  session: Session,
  state: State,
  { id }: Prototype,
  found: Arguments,
  seen: SeenCall,
): CalledBack | undefined {
  const { callback } = found;
  if (callback === undefined) return undefined;
  const entry = callback.target.place;
  if (seen.callback !== undefined && seen.callback !== entry) {
    session.invalid("the function that is called back differs between paths");
  }
  seen.callback = entry;
  if (id === HELPER.TIMER_SET_CALLBACK) return undefined;
  const parameters: (Register | undefined)[] = new Array(10).fill(undefined);
  const given = readRegister(session, state, 3);
  if (id === HELPER.LOOP) {
    parameters[1] = between(0, U32_MAX);
    parameters[2] = given;
  } else {
    parametersOfElement(session, parameters, found.map!);
    parameters[4] = given;
  }
  return { entry, parameters };
}

/** What a callback gets for each element of a map. Ids make values of different calls different. */
export function parametersOfElement(session: Session, into: (Register | undefined)[], map: Pointer): void {
  const like = map.target.map!;
  into[1] = map;
  into[2] = pointerTo(targetOfKey(like));
  into[3] = pointerTo(targetOfValue(like), { id: session.newId() });
}

/** The registers that a program begins with. */
export function firstRegisters(session: Session): (Register | undefined)[] {
  const { type, contextSize, map } = session.program;
  const registers: (Register | undefined)[] = new Array(10).fill(undefined);
  const memory = contextSize === 0 ? UNKNOWN : givenMemory(contextSize);
  if (type === "callback") {
    if (map === undefined) session.invalid("a callback needs its map");
    parametersOfElement(session, registers, pointerTo(target("map", { map })));
    registers[4] = memory;
  } else if (session.layout === undefined) {
    registers[1] = memory;
    if (type === "raw") registers[2] = contextSize === 0 ? ZERO : between(contextSize, contextSize);
  } else registers[1] = pointerTo(target("context"));
  return registers;
}
