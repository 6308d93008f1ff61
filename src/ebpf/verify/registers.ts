/**
 * Registers of the function that runs.
 *
 * @module
 */
import { FRAME_POINTER } from "../isa/opcodes.ts";
import { pointerTo, type Register, target } from "./pointer.ts";
import type { Session } from "./session.ts";
import { running, type State } from "./state.ts";

const FRAMES = [0, 1, 2, 3, 4, 5, 6, 7].map((place) => pointerTo(target("stack", { place, writable: true })));

export function readRegister(session: Session, state: State, register: number): Register {
  if (register === FRAME_POINTER) return FRAMES[state.frames.length - 1];
  const found = running(state).registers[register];
  if (found === undefined) session.refuse(`R${register} !read_ok`);
  return found;
}

/** r10 is never written: the structural checks see to it. */
export function writeRegister(state: State, register: number, value: Register): void {
  running(state).registers[register] = value;
}

/** What helpers and functions leave of the registers. */
export function forgetCallerSaved(state: State): void {
  running(state).registers.fill(undefined, 0, 6);
}
