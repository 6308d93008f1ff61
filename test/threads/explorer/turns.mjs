// Two threads that run one at a time: at each step of the core the running one may hand over to the other, as a list of step numbers
// says. That list is all there is to a schedule, so the controller need not be asked at every step. A control block in shared memory
// has the list, whose turn it is, and what happened.
import { makeCalls } from "./calls.mjs";

export const TURN = 0;
export const STEPS = 1; // made so far, by both
export const NEXT = 2; // place in SWITCHES
export const IN_ROW = 3; // steps in a row at which a thread could not go on
export const TIME = 4; // counts beginnings and ends of calls
export const CLOCK = 5;
export const STOPPED = 6; // why the schedule was given up, or 0
export const COMMAND = 7;
export const FINISHED = 8; // [2]
export const FINISHED_AT = 10; // [2] steps made by then
export const ERROR_BYTES = 12;
export const SWITCHES = 16; // numbers of steps at which the running thread hands over, then -1
export const MOST_SWITCHES = 15;
export const MOST_CALLS = 256;
export const RESULTS = 32; // [2][MOST_CALLS]
export const SPANS = RESULTS + 2 * MOST_CALLS; // [2][MOST_CALLS + 1] TIME when a call began
export const ERROR_TEXT = SPANS + 2 * (MOST_CALLS + 1);
const ERROR_MOST = 512;
export const TRACE = ERROR_TEXT + ERROR_MOST; // of each step: point, and 64 for the second thread
export const MOST_STEPS = 8192;
export const CONTROL_WORDS = TRACE + MOST_STEPS;

export const DEADLOCK = 1;
export const ENDLESS = 2;
export const FAILED = 3;

export const RUN = 0;
export const LOAD = 1;
export const EXIT = 2;

const BLOCKED = 13;
const SECOND = 64;
/** Steps in a row without one at which anything could change. */
const MOST_IN_ROW = 8;
const TICK_MS = 3;
/** Looks at the turn before a thread sleeps: a handover takes less than a microsecond when both have a processor. */
const SPINS = 3000;
const HUNG_MS = 20_000;

class Stopped extends Error {}

export class Turns {
  constructor(control, me) {
    this.control = control;
    this.me = me;
    this.other = 1 - me;
  }

  step(point) {
    const { control } = this;
    if (control[STOPPED] !== 0) throw new Stopped();
    const step = control[STEPS];
    if (step === MOST_STEPS) this.stop(ENDLESS);
    control[TRACE + step] = point + this.me * SECOND;
    control[STEPS] = step + 1;
    if (point === BLOCKED) {
      if (++control[IN_ROW] > MOST_IN_ROW) this.stop(DEADLOCK);
      this.pass();
      return;
    }
    control[IN_ROW] = 0;
    if (step !== control[SWITCHES + control[NEXT]]) return;
    control[NEXT]++;
    this.pass();
  }

  stop(reason) {
    this.control[STOPPED] = reason;
    throw new Stopped();
  }

  now() {
    this.control[CLOCK] += TICK_MS;
    return this.control[CLOCK];
  }

  pass() {
    if (this.control[FINISHED + this.other]) return;
    this.hand();
    this.awaitTurn();
    if (this.control[STOPPED] !== 0) throw new Stopped();
  }

  hand() {
    Atomics.store(this.control, TURN, this.other);
    Atomics.notify(this.control, TURN);
  }

  awaitTurn(limit = HUNG_MS) {
    const { control, me, other } = this;
    for (let i = 0; i < SPINS; i++) if (Atomics.load(control, TURN) === me) return;
    while (Atomics.load(control, TURN) !== me) {
      if (Atomics.wait(control, TURN, other, limit) === "timed-out")
        throw new Error("the other thread hangs");
    }
  }

  run(core, memory, calls) {
    const { control, me } = this;
    const results = control.subarray(RESULTS + me * MOST_CALLS, RESULTS + (me + 1) * MOST_CALLS);
    const spans = control.subarray(SPANS + me * (MOST_CALLS + 1), SPANS + (me + 1) * (MOST_CALLS + 1));
    try {
      makeCalls(core, memory, calls, results, (index) => {
        spans[index] = control[TIME]++;
      });
    } catch (error) {
      if (!(error instanceof Stopped)) this.fail(error);
    }
    control[FINISHED + me] = 1;
    control[FINISHED_AT + me] = control[STEPS];
    // The first thread is the controller, too: it has the turn in the end.
    if (me === 1 || control[FINISHED + this.other] === 0) this.hand();
  }

  fail(error) {
    const { control } = this;
    const text = new TextEncoder().encode(String(error?.stack ?? error)).subarray(0, ERROR_MOST * 4);
    new Uint8Array(control.buffer).set(text, ERROR_TEXT * 4);
    control[ERROR_BYTES] = text.length;
    control[STOPPED] = FAILED;
  }
}
