/**
 * Functions of the program: how they begin, and what they leave when they end.
 *
 * @module
 */
import type { CalledBack } from "./calls.ts";
import { isPointer, isScalar, mayBe, type Register, typeName } from "./pointer.ts";
import { forgetCallerSaved, writeRegister } from "./registers.ts";
import { type Scalar, UNKNOWN } from "./scalar/scalar.ts";
import type { Session } from "./session.ts";
import { type Callback, KEPT_REGISTERS, newFrame, running, type State } from "./state.ts";

/** MAX_CALL_FRAMES. */
const MOST_FRAMES = 8;

function enter(session: Session, state: State, site: number): void {
  if (state.frames.length >= MOST_FRAMES) {
    session.refuse(`the call stack of ${MOST_FRAMES + 1} frames is too deep`);
  }
  state.calls.push(state.calls[state.calls.length - 1].to(site));
}

/** Calls a function of the program: r1 to r5 are its arguments. */
export function enterFunction(session: Session, state: State, entry: number, returnTo: number): void {
  if (state.lock !== undefined) session.invalid("function calls are not allowed while holding a lock");
  enter(session, state, session.pc);
  const registers: (Register | undefined)[] = new Array(KEPT_REGISTERS).fill(undefined);
  const given = running(state).registers;
  for (let r = 1; r <= 5; r++) registers[r] = given[r];
  forgetCallerSaved(state);
  state.frames.push(newFrame(entry, returnTo, registers));
}

/** Has a helper call a function back. */
export function enterCallback(session: Session, state: State, site: number, called: CalledBack): void {
  enter(session, state, site);
  // Each time it is another value: a lock of the one is not one of the other.
  const parameters = called.parameters.map((parameter) =>
    isPointer(parameter) && parameter.kind === "value" && parameter.id !== 0 && !parameter.nullable
      ? parameter.with({ id: session.newId() })
      : parameter,
  );
  const callback: Callback = {
    site,
    parameters: called.parameters.slice(),
    reservedBefore: state.reservations.length,
  };
  state.frames.push(newFrame(called.entry, site + 1, parameters, callback));
}

/** The end of a function, or of the program itself: -1. Otherwise the slot where the caller goes on. */
export function leaveFunction(session: Session, state: State): number {
  const frame = running(state);
  const result = frame.registers[0];
  if (state.lock !== undefined) session.invalid("bpf_spin_unlock is missing");
  if (state.frames.length === 1) {
    checkReservations(session, state, 0);
    checkResult(session, result);
    return -1;
  }
  state.frames.pop();
  state.calls.pop();
  if (frame.callback === undefined) returnResult(session, state, result);
  else {
    checkReservations(session, state, frame.callback.reservedBefore);
    checkRange(session, result, 1, "callback return");
    writeRegister(state, 0, UNKNOWN);
  }
  return frame.returnTo;
}

function returnResult(session: Session, state: State, result: Register | undefined): void {
  if (result === undefined) return;
  if (!isPointer(result)) {
    writeRegister(state, 0, result);
    return;
  }
  if (mayBe(result, "stack") && result.target.place >= state.frames.length) {
    session.invalid("cannot return stack pointer to the caller");
  }
  writeRegister(state, 0, result.with({ hasWindow: false }));
}

function checkReservations(session: Session, { reservations }: State, allowed: number): void {
  const left = reservations[allowed];
  if (left !== undefined) session.invalid(`Unreleased reference id=${left.id} alloc_insn=${left.site}`);
}

function checkResult(session: Session, result: Register | undefined): void {
  if (result === undefined) session.refuse("R0 !read_ok");
  const { type } = session.program;
  if (session.isTimer) {
    checkRange(session, result, 0, "async callback return");
    return;
  }
  if (type === "iter") checkRange(session, result, 1, "program exit");
  if (type === "cgroup_skb") checkRange(session, result, 3, "program exit");
}

function checkRange(session: Session, result: Register | undefined, most: number, when: string): void {
  if (result === undefined) session.refuse("R0 !read_ok");
  if (!isScalar(result))
    session.invalid(`At ${when} the register R0 is not a known value (${typeName(result)})`);
  if (result.most > most) {
    session.invalid(`At ${when} the register R0 has ${boundsOf(result)} should have been in [0, ${most}]`);
  }
}

const boundsOf = ({ signedLeast, signedMost }: Scalar): string => `smin=${signedLeast} smax=${signedMost}`;
