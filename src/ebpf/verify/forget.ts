/**
 * What a state need not remember: what no path reads again, and numbers that prove nothing.
 *
 * @module
 */
import { BOUNDS, DECIDES, LIVE } from "./flow/liveness.ts";
import { isScalar, type Register } from "./pointer.ts";
import { type Scalar, UNKNOWN } from "./scalar/scalar.ts";
import type { Session } from "./session.ts";
import { type Slot, WRITTEN } from "./stack.ts";
import { changeAll, type Frame, KEPT_REGISTERS, type State } from "./state.ts";

/**
 * Forgets it, at a point where paths meet.
 *
 * @param atMost which uses of a number make it worth remembering
 */
export function forget(session: Session, state: State, atMost: number = BOUNDS | DECIDES): void {
  const { frames } = state;
  for (let depth = 0; depth < frames.length; depth++) {
    const next = depth + 1 < frames.length ? frames[depth + 1].returnTo : session.pc;
    forgetIn(session, frames[depth], next, atMost);
  }
  dropSingleIds(state);
}

function forgetIn(session: Session, { registers, slots }: Frame, pc: number, atMost: number): void {
  const { liveness } = session;
  for (let r = 0; r < KEPT_REGISTERS; r++) {
    const register = registers[r];
    if (register === undefined) continue;
    const use = liveness.register(pc, r);
    if ((use & LIVE) === 0) registers[r] = undefined;
    else if ((use & atMost) === 0 && isScalar(register)) registers[r] = vague(register, use);
  }
  for (let at = 0; at < slots.length; at++) {
    const slot = slots[at];
    if (slot === undefined) continue;
    const use = liveness.slot(pc, at);
    if ((use & LIVE) === 0) slots[at] = undefined;
    else if ((use & atMost) === 0) slots[at] = vagueSlot(slot);
  }
}

/** A number that is compared later still tells something about its copies. */
function vague(register: Scalar, use: number): Scalar {
  return (use & DECIDES) !== 0 && register.id !== 0 ? UNKNOWN.withId(register.id) : UNKNOWN;
}

function vagueSlot(slot: Slot): Slot {
  if (slot.whole !== undefined && !isScalar(slot.whole)) return slot;
  if (slot.whole === undefined && slot.low === undefined && slot.high === undefined) return slot;
  return slot.written === 0xff ? WRITTEN : { written: slot.written };
}

/** An id that only one number has says nothing. */
function dropSingleIds(state: State): void {
  const seen = new Map<number, number>();
  changeAll(state, (register) => {
    if (isScalar(register) && register.id !== 0) seen.set(register.id, (seen.get(register.id) ?? 0) + 1);
    return register;
  });
  if (seen.size === 0) return;
  changeAll(state, (register: Register) =>
    isScalar(register) && register.id !== 0 && seen.get(register.id) === 1 ? register.withId(0) : register,
  );
}
