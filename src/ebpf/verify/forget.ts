/**
 * What a state need not remember: what no path reads again, and numbers that prove nothing.
 *
 * @module
 */
import { BOUNDS, DECIDES, LIVE } from "./flow/needs.ts";
import { isScalar, type Register } from "./pointer.ts";
import { type Scalar, UNKNOWN } from "./scalar/scalar.ts";
import type { Session } from "./session.ts";
import { SLOTS, type Slot, WRITTEN } from "./stack.ts";
import { changeAll, type Frame, KEPT_REGISTERS, type State } from "./state.ts";

/**
 * Forgets it, at a point where paths meet.
 *
 * @param atMost which uses of a number make it worth remembering
 */
export function forget(session: Session, state: State, atMost: number = BOUNDS | DECIDES): void {
  const { frames } = state;
  const ids = new Ids();
  for (let depth = 0; depth < frames.length; depth++) {
    const next = depth + 1 < frames.length ? frames[depth + 1].returnTo : session.pc;
    forgetIn(session, frames[depth], next, atMost, ids);
  }
  // An id that only one number has says nothing.
  if (ids.once.size === 0) return;
  changeAll(state, (register) =>
    isScalar(register) && ids.once.has(register.id) ? register.withId(0) : register,
  );
}

/** Which ids of numbers are there once, and which more often. */
class Ids {
  readonly once = new Set<number>();
  readonly #often = new Set<number>();

  note(register: Register | undefined): void {
    if (register === undefined || !isScalar(register) || register.id === 0 || this.#often.has(register.id))
      return;
    if (this.once.delete(register.id)) this.#often.add(register.id);
    else this.once.add(register.id);
  }
}

function forgetIn(
  session: Session,
  { registers, stack, callback }: Frame,
  pc: number,
  atMost: number,
  ids: Ids,
): void {
  const { liveness } = session;
  for (let r = 0; r < KEPT_REGISTERS; r++) {
    const register = registers[r];
    if (register === undefined) continue;
    const use = liveness.register(pc, r);
    if ((use & LIVE) === 0) registers[r] = undefined;
    else if ((use & atMost) === 0 && isScalar(register)) registers[r] = vague(register, use);
    ids.note(registers[r]);
  }
  for (let at = stack.lowest; at < SLOTS; at++) {
    const slot = stack.at(at);
    if (slot === undefined) continue;
    const use = liveness.slot(pc, at);
    const kept = (use & LIVE) === 0 ? undefined : (use & atMost) === 0 ? vagueSlot(slot) : slot;
    if (kept !== slot) stack.set(at, kept);
    ids.note(kept?.whole);
    ids.note(kept?.low);
    ids.note(kept?.high);
  }
  for (const parameter of callback?.parameters ?? []) ids.note(parameter);
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
