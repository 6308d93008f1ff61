/**
 * What time it is on a host.
 *
 * @module
 */
import { describe } from "../arguments/mismatch.ts";
import type { TimeSource } from "./alarm.ts";

/** Gives ms from an origin of its choice. */
export type ClockSource = () => number;

/** ms since 1970 at which the clock of this thread began. To ask for it costs a fifth of asking for the time. */
const THREAD_START = performance.timeOrigin;

/** ms since 1970, by a clock that nobody sets back: workers count from another start, and add it. */
function systemTime(): number {
  return THREAD_START + performance.now();
}

/** The clock of a host in one thread. It never goes back, whatever its source does. */
export class Clock implements TimeSource {
  /** Whether time passes by itself: the source is the system. A source of the caller's is asked, and followed by `tick`. */
  readonly passes: boolean;
  readonly #source: ClockSource;
  #last = Number.NEGATIVE_INFINITY;

  constructor(source: ClockSource | undefined) {
    this.passes = source === undefined;
    this.#source = source ?? systemTime;
  }

  /** ms */
  now(): number {
    const time = this.#read();
    if (time > this.#last) this.#last = time;
    return this.#last;
  }

  /** Moves the clock on to a time, if that is not past; what it shows then. */
  advance(time: number): number {
    if (time > this.#last) this.#last = time;
    return this.#last;
  }

  /** ms to wait for a time, which are more than are missing on a clock that was moved on. */
  until(time: number): number {
    return time - this.#read();
  }

  #read(): number {
    if (this.passes) return this.#source();
    const time: unknown = this.#source();
    if (typeof time === "number" && Number.isFinite(time)) return time;
    throw new TypeError(`clock: expected a function that gives ms as a number, got ${describe(time)}`);
  }
}

/** Checks the option of {@link createHost} and {@link attachHost}. */
export function checkClock(operation: string, clock: unknown): ClockSource | undefined {
  if (clock === undefined || typeof clock === "function") return clock as ClockSource | undefined;
  throw new TypeError(`${operation}: clock: expected a function that gives ms, got ${describe(clock)}`);
}
