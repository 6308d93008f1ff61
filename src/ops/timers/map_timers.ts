/**
 * What the entries of a map have in their timer and workqueue fields: the handles that users see.
 *
 * @module
 */
import { describe } from "../../arguments/mismatch.ts";
import type { Table, TableTimers } from "../../core/tables/table.ts";
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import { subjectOf } from "../failure.ts";
import { type TimedHandle, Timers } from "./timers.ts";

/** What this thread has started in a table. */
class MapTimers implements TableTimers {
  /** Where the values have the field. */
  readonly timer: Timers | undefined;
  readonly work: Timers | undefined;

  constructor({ host, table }: TimedHandle<never>) {
    const { timerOffset, workqueueOffset } = table;
    if (timerOffset !== undefined) this.timer = new Timers(host, table, timerOffset, host.alarm);
    if (workqueueOffset !== undefined) this.work = new Timers(host, table, workqueueOffset, host.work);
  }

  release(): void {
    this.timer?.release();
    this.work?.release();
  }
}

/** Those of a field that a map has, or EINVAL. */
function timersOf<K>(map: TimedHandle<K>, operation: "timer" | "workqueue"): Timers {
  if (map.closed) map.refuse(operation);
  const table: Table = map.table;
  table.timers ??= new MapTimers(map as TimedHandle<never>);
  const timers = (table.timers as MapTimers)[operation === "timer" ? "timer" : "work"];
  if (timers !== undefined) return timers;
  throw bpfError(ERRNO.EINVAL, operation, subjectOf(map), `has no ${operation} in its value`);
}

function checkCallback(map: TimedHandle<never>, operation: Operation, callback: unknown): void {
  if (typeof callback === "function") return;
  throw new TypeError(`${operation}: ${subjectOf(map)}: expected a function, got ${describe(callback)}`);
}

/** The timer of an entry: `map.timer(key)`. Made anew by each call; what it does is in the map. */
export class MapTimer<K, M> {
  readonly #map: TimedHandle<K>;
  readonly #timers: Timers;
  readonly #key: K;

  /** @internal Use `map.timer()`. */
  constructor(map: TimedHandle<K>, key: K) {
    this.#timers = timersOf(map, "timer");
    this.#map = map;
    this.#key = key;
  }

  /**
   * Has `callback(key, map)` called once, when so many ms have passed: never before, and never after the entry is gone. A timer that
   * is running starts anew, with this callback.
   *
   * The callback may do anything with the map, and start the timer again. What it throws nobody catches, as with `setTimeout`.
   *
   * @param ms from 0; no number is too large
   * @throws BpfError ENOENT when the key is absent; EPERM for a handle that is read-only; RangeError or TypeError for other arguments.
   */
  start(ms: number, callback: (key: K, map: M) => void): void {
    const map = this.#map;
    if (map.writing === 0) map.refuse("timer.start");
    if (typeof ms !== "number" || !(ms >= 0 && ms < Number.POSITIVE_INFINITY)) {
      const problem = `timer.start: ${subjectOf(map)}: expected ms from 0, got ${describe(ms)}`;
      throw typeof ms === "number" ? new RangeError(problem) : new TypeError(problem);
    }
    checkCallback(map as TimedHandle<never>, "timer.start", callback);
    this.#timers.start(map as TimedHandle<unknown>, "timer.start", this.#key, ms, callback, false);
  }

  /** Stops the timer, whichever thread has started it: whether it was running. */
  cancel(): boolean {
    const map = this.#map;
    if (map.writing === 0) map.refuse("timer.cancel");
    return this.#timers.cancel(map as TimedHandle<unknown>, "timer.cancel", this.#key);
  }
}

/** The workqueue of an entry: `map.workqueue(key)`. Made anew by each call; what it does is in the map. */
export class MapWorkqueue<K, M> {
  readonly #map: TimedHandle<K>;
  readonly #timers: Timers;
  readonly #key: K;

  /** @internal Use `map.workqueue()`. */
  constructor(map: TimedHandle<K>, key: K) {
    this.#timers = timersOf(map, "workqueue");
    this.#map = map;
    this.#key = key;
  }

  /**
   * Has `callback(key, map)` called once, after the current task, unless the entry is gone by then. Work that waits already keeps its
   * turn, and gets this callback. Else as {@link MapTimer.start}.
   *
   * @throws BpfError ENOENT when the key is absent; EPERM for a handle that is read-only; TypeError for what is no function.
   */
  start(callback: (key: K, map: M) => void): void {
    const map = this.#map;
    if (map.writing === 0) map.refuse("workqueue.start");
    checkCallback(map as TimedHandle<never>, "workqueue.start", callback);
    this.#timers.start(map as TimedHandle<unknown>, "workqueue.start", this.#key, 0, callback, true);
  }
}
