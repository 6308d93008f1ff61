/**
 * What is known at one point of one path: the registers and frames of the functions that are running.
 *
 * @module
 */

import type { Register } from "./pointer.ts";
import type { VerifiedMap } from "./program.ts";
import type { Scalar } from "./scalar/scalar.ts";
import { SLOTS, Stack } from "./stack.ts";

/** r0 .. r9. */
export const KEPT_REGISTERS = 10;

/** A callback that a helper is calling: it may call it again. */
export interface Callback {
  /** The slot of the helper's call. */
  readonly site: number;
  /** What the callback gets each time, by register. */
  readonly parameters: (Register | undefined)[];
  /** How many records were reserved when it was called. */
  readonly reservedBefore: number;
}

export interface Frame {
  /** Where the function begins. */
  readonly entry: number;
  /** Where it returns to; -1 for the program itself. */
  readonly returnTo: number;
  readonly callback?: Callback | undefined;
  /** r0 .. r9; undefined where a register may not be read. */
  readonly registers: (Register | undefined)[];
  readonly stack: Stack;
}

/** A ring buffer record that is neither submitted nor discarded yet. */
export interface Reservation {
  readonly id: number;
  /** The slot of the call that reserved it. */
  readonly site: number;
}

/** A spin lock that is held: of the value that a pointer with this id points to. */
export interface HeldLock {
  readonly map: VerifiedMap;
  readonly id: number;
}

/** The functions that are running, and from where each was called: what is learned at a point is kept for each of them apart. */
export class CallPath {
  readonly #callees = new Map<number, CallPath>();

  to(site: number): CallPath {
    let callee = this.#callees.get(site);
    if (callee === undefined) {
      callee = new CallPath();
      this.#callees.set(site, callee);
    }
    return callee;
  }
}

export interface State {
  /** The last one runs. */
  readonly frames: Frame[];
  /** As deep as `frames`. */
  readonly calls: CallPath[];
  lock: HeldLock | undefined;
  reservations: readonly Reservation[];
}

export const running = (state: State): Frame => state.frames[state.frames.length - 1];

export function newFrame(
  entry: number,
  returnTo: number,
  registers: (Register | undefined)[],
  callback?: Callback,
): Frame {
  return { entry, returnTo, callback, registers, stack: new Stack() };
}

export function copyOf(state: State): State {
  return {
    frames: state.frames.map((frame) => ({
      entry: frame.entry,
      returnTo: frame.returnTo,
      callback: frame.callback && { ...frame.callback, parameters: frame.callback.parameters.slice() },
      registers: frame.registers.slice(),
      stack: frame.stack.copy(),
    })),
    calls: state.calls.slice(),
    lock: state.lock,
    reservations: state.reservations,
  };
}

/** Replaces what is in registers and slots, of all frames. `change` gives the same register where nothing changes. */
export function changeAll(state: State, change: (register: Register) => Register): void {
  for (const { registers, stack, callback } of state.frames) {
    changeRegisters(registers, change);
    if (callback !== undefined) changeRegisters(callback.parameters, change);
    for (let at = stack.lowest; at < SLOTS; at++) {
      const slot = stack.at(at);
      if (slot === undefined) continue;
      const whole = slot.whole && change(slot.whole);
      const low = slot.low && (change(slot.low) as Scalar);
      const high = slot.high && (change(slot.high) as Scalar);
      if (whole !== slot.whole || low !== slot.low || high !== slot.high) {
        stack.set(at, { written: slot.written, whole, low, high });
      }
    }
  }
}

function changeRegisters(
  registers: (Register | undefined)[],
  change: (register: Register) => Register,
): void {
  for (let r = 0; r < registers.length; r++) {
    const register = registers[r];
    if (register !== undefined) registers[r] = change(register);
  }
}

/** What sets states apart that can not be compared: a held lock, records that are reserved. */
export function shapeOf(state: State): string {
  if (state.lock === undefined && state.reservations.length === 0) return "";
  return `${state.lock === undefined ? "" : "locked"} ${state.reservations.map(({ site }) => site).join()}`;
}
