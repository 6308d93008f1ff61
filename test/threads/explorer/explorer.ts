/**
 * Explores the interleavings of two short programs: every schedule with at most so many preemptions (Musuvathi and Qadeer, "Iterative
 * context bounding for systematic testing of multithreaded programs", 2007), depth first and always in the same order. The calling
 * thread is the first of the two, a worker the second; exactly one of them runs at a time (turns.mjs).
 */

import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { slotAddress } from "../../../src/core/memory/shared_memory.ts";
import { STEP_BLOCKED, STEP_HAZARD, STEP_INDEX, STEP_UNLOCK } from "../../../src/generated/abi.js";
import type { Call } from "./calls.mjs";
import { pointName } from "./core.ts";
import {
  CLOCK,
  COMMAND,
  CONTROL_WORDS,
  DEADLOCK,
  ENDLESS,
  ERROR_BYTES,
  ERROR_TEXT,
  EXIT,
  FAILED,
  FINISHED,
  FINISHED_AT,
  IN_ROW,
  LOAD,
  MOST_CALLS,
  MOST_SWITCHES,
  NEXT,
  RESULTS,
  RUN,
  SPANS,
  STEPS,
  STOPPED,
  SWITCHES,
  TIME,
  TRACE,
  Turns,
} from "./turns.mjs";
import { FIRST, SECOND, type World } from "./world.ts";

const SECOND_BIT = 64;
const TEXT_WORDS = 32;

/** What a schedule is: who begins, and at which steps the running thread is preempted. */
export interface Schedule {
  readonly first: number;
  readonly switches: readonly number[];
}

/** What came out of a schedule. */
export interface Run {
  readonly results: readonly [Int32Array, Int32Array];
  /** When each call of a thread began; one more for the end of the last. */
  readonly spans: readonly [Int32Array, Int32Array];
}

export interface Bounds {
  readonly preemptions: number;
  /** Points at which a thread may be preempted; all when it is not given. */
  readonly points?: readonly number[] | undefined;
}

export class Explorer {
  readonly #control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
  readonly #turns = new Turns(this.#control, FIRST);
  readonly #worker: Worker;
  readonly #port: MessagePort;
  #world: World | undefined;
  #calls: readonly Call[] = [];

  constructor(module: WebAssembly.Module) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#worker = new Worker(new URL("partner.mjs", import.meta.url), {
      workerData: { control: this.#control, port: port2, module },
      transferList: [port2],
    });
  }

  async close(): Promise<void> {
    this.#control[COMMAND] = EXIT;
    this.#turns.hand();
    this.#port.close();
    await this.#worker.terminate();
  }

  /** Sets up a program: the calls of both threads, from the memory of the world as it is now. */
  load(world: World, first: readonly Call[], second: readonly Call[]): void {
    if (Math.max(first.length, second.length) > MOST_CALLS) throw new Error("too many calls");
    this.#world = world;
    this.#calls = first;
    world.save();
    this.#port.postMessage({ memory: world.memory, slot: slotAddress(SECOND), calls: second });
    this.#control[COMMAND] = LOAD;
    this.#turns.hand();
    this.#turns.awaitTurn();
    this.#control[COMMAND] = RUN;
  }

  /** Runs one schedule. Throws when it does not come to its end. */
  run({ first, switches }: Schedule): Run {
    const world = this.#world;
    if (!world) throw new Error("no program is loaded");
    const control = this.#control;
    world.restore();
    for (const word of [STEPS, NEXT, IN_ROW, TIME, CLOCK, STOPPED, FINISHED, FINISHED + 1, ERROR_BYTES])
      control[word] = 0;
    control.fill(-1, SWITCHES, SWITCHES + MOST_SWITCHES + 1);
    control.set(switches, SWITCHES);
    world.clock = () => this.#turns.now();
    world.onStep = (cpu, point) => {
      if (cpu === FIRST) this.#turns.step(point);
    };
    if (first === SECOND) {
      this.#turns.hand();
      this.#turns.awaitTurn();
    }
    this.#turns.run(world.cores[FIRST], world.memory, this.#calls);
    this.#turns.awaitTurn();
    if (control[FINISHED + SECOND] === 0) throw new Error("the second thread has not finished");
    world.onStep = (cpu, point) => {
      if (point === STEP_BLOCKED) throw new Error(`slot ${cpu} waits for a lock that nobody will release`);
    };
    if (control[STOPPED] !== 0) throw new Error(this.#reason());
    const part = (at: number, length: number) => control.slice(at, at + length);
    return {
      results: [part(RESULTS, MOST_CALLS), part(RESULTS + MOST_CALLS, MOST_CALLS)],
      spans: [part(SPANS, MOST_CALLS + 1), part(SPANS + MOST_CALLS + 1, MOST_CALLS + 1)],
    };
  }

  #reason(): string {
    const control = this.#control;
    if (control[STOPPED] === DEADLOCK) return "deadlock: neither thread can go on";
    if (control[STOPPED] === ENDLESS) return "the programs do not end";
    if (control[STOPPED] !== FAILED) return `stopped: ${control[STOPPED]}`;
    return Buffer.from(control.buffer).toString(
      "utf8",
      ERROR_TEXT * 4,
      ERROR_TEXT * 4 + control[ERROR_BYTES],
    );
  }

  /** The steps of the last run around its switches, as text. */
  trace(): string {
    const control = this.#control;
    const parts: string[] = [];
    let thread = -1;
    for (let step = 0; step < control[STEPS]; step++) {
      const word = control[TRACE + step];
      if (word >> 6 !== thread) {
        thread = word >> 6;
        parts.push(`\n  ${"AB"[thread]}:`);
      }
      parts.push(`${step}:${pointName(word & (SECOND_BIT - 1))}`);
    }
    return parts.length > TEXT_WORDS * 20
      ? `${parts.slice(0, TEXT_WORDS * 20).join(" ")} ...`
      : parts.join(" ");
  }

  /** Steps of the last run behind `from` at which it makes sense to preempt the running thread. */
  #preemptible(from: number, points: readonly number[] | undefined): number[] {
    const control = this.#control;
    const steps: number[] = [];
    /** Whether a thread was last seen waiting for the other, and that has let go of nothing since. */
    const waiting = [false, false];
    let before = -1;
    for (let step = 0; step < control[STEPS]; step++) {
      const word = control[TRACE + step];
      const thread = word >> 6;
      const point = word & (SECOND_BIT - 1);
      const other = 1 - thread;
      const useful = point !== STEP_BLOCKED && !waiting[other] && control[FINISHED_AT + other] > step;
      // A reader that finds a bucket locked looks again and again.
      const again = point === STEP_INDEX && word === before;
      if (step >= from && useful && !again && (!points || points.includes(point))) steps.push(step);
      if (point === STEP_BLOCKED) waiting[thread] = true;
      else waiting[thread] = false;
      if (point === STEP_UNLOCK || point === STEP_HAZARD) waiting[other] = false;
      before = word;
    }
    return steps;
  }

  /** Runs all schedules within the bounds. `check` sees each; what it throws comes with the schedule. How many there were. */
  explore(bounds: Bounds, check: (run: Run) => void): number {
    let schedules = 0;
    const visit = (schedule: Schedule) => {
      const { first, switches } = schedule;
      schedules++;
      try {
        check(this.run(schedule));
      } catch (error) {
        const what = `schedule ${schedules}, ${"AB"[first]} begins, switches at steps [${switches}]`;
        throw new Error(`${what}: ${(error as Error).message}${this.trace()}`, { cause: error });
      }
      if (switches.length === bounds.preemptions) return;
      const from = switches.length === 0 ? 0 : switches[switches.length - 1] + 1;
      for (const step of this.#preemptible(from, bounds.points))
        visit({ first, switches: [...switches, step] });
    };
    for (const first of [FIRST, SECOND]) visit({ first, switches: [] });
    return schedules;
  }
}
