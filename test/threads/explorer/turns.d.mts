import type { Call, Exports } from "./calls.mjs";

/** Words of the control block. */
export const TURN: number;
export const STEPS: number;
export const NEXT: number;
export const IN_ROW: number;
export const TIME: number;
export const CLOCK: number;
export const STOPPED: number;
export const COMMAND: number;
export const FINISHED: number;
export const FINISHED_AT: number;
export const ERROR_BYTES: number;
export const SWITCHES: number;
export const MOST_SWITCHES: number;
export const RESULTS: number;
export const SPANS: number;
export const MOST_CALLS: number;
export const ERROR_TEXT: number;
export const TRACE: number;
export const MOST_STEPS: number;
export const CONTROL_WORDS: number;

/** Why no schedule goes on: values of STOPPED. */
export const DEADLOCK: number;
export const ENDLESS: number;
export const FAILED: number;

/** Values of COMMAND, for the worker. */
export const RUN: number;
export const LOAD: number;
export const EXIT: number;

/** One of the two threads of an exploration. */
export class Turns {
  constructor(control: Int32Array, me: number);
  readonly control: Int32Array;
  /** A step of the core: another thread may go on here. */
  step(point: number): void;
  now(): number;
  /** Lets the other thread go on until it is this one's turn again. */
  pass(): void;
  /** Lets the other thread go on. */
  hand(): void;
  /** Throws when it takes longer than `limit` ms. */
  awaitTurn(limit?: number): void;
  /** Makes the calls of this thread's program, then lets the other one go on. */
  run(core: Exports, memory: WebAssembly.Memory, calls: readonly Call[]): void;
}
