/**
 * What is to be done on a host when its time comes, and the one JavaScript timer that waits for the earliest of it.
 *
 * @module
 */

/** What tells the time. */
export interface TimeSource {
  /** Whether time passes by itself, so that waiting helps. */
  readonly passes: boolean;
  now(): number;
  /** ms to wait for a time. */
  until(time: number): number;
}

/** Things to do, each at a time of its own. */
export interface Schedule {
  /** When the first of them is due. Only asked while there is one. */
  readonly due: number;
  /** Which of the alarm's {@link Alarm.nextOrder} it was given. */
  readonly order: number;
  /** Does the first, or drops it. */
  runFirst(): void;
}

/** The longest that setTimeout waits: more is taken for 1 ms. */
const LONGEST_MS = 2 ** 31 - 1;

/** What Node has and browsers have not. */
interface Immediates {
  setImmediate?(fn: () => void): unknown;
  clearImmediate?(handle: unknown): void;
}

/** A time that stands still, at which everything is due at once: after the current task. */
export const STANDING: TimeSource = { passes: true, now: () => 0, until: () => 0 };

/** Calls a function after some ms, or some time before that: what keeps it from being called. */
function callAfter(ms: number, fn: () => void): () => void {
  const { setImmediate, clearImmediate } = globalThis as Immediates;
  if (ms <= 0 && setImmediate !== undefined) {
    const handle = setImmediate(fn);
    return () => clearImmediate?.(handle);
  }
  const timer = setTimeout(fn, Math.min(Math.ceil(ms), LONGEST_MS));
  // A process that has nothing else to do need not wait for it. Browsers have a number here.
  (timer as { unref?(): void }).unref?.();
  return () => clearTimeout(timer);
}

export class Alarm {
  readonly #time: TimeSource;
  /** Those that have something to do. */
  readonly #schedules = new Set<Schedule>();
  /** Counts what was scheduled: of what is due at the same time, the first comes first. */
  #order = 0;
  #cancel: (() => void) | undefined;
  /** When the JavaScript timer wakes us. */
  #wakesAt = Number.POSITIVE_INFINITY;

  constructor(time: TimeSource) {
    this.#time = time;
  }

  now(): number {
    return this.#time.now();
  }

  nextOrder(): number {
    return ++this.#order;
  }

  /** A schedule has something that is due at a time. */
  set(schedule: Schedule, due: number): void {
    this.#schedules.add(schedule);
    if (due < this.#wakesAt) this.#wakeAt(due);
  }

  /** A schedule has nothing more to do. */
  drop(schedule: Schedule): void {
    this.#schedules.delete(schedule);
    if (this.#schedules.size === 0) this.#sleep();
  }

  /** Does what is due at a time, the earliest first; but not what is scheduled meanwhile. */
  run(now: number): void {
    const last = this.#order;
    for (let first = this.#first(); first !== undefined; first = this.#first()) {
      if (first.due > now || first.order > last) break;
      first.runFirst();
    }
  }

  #first(): Schedule | undefined {
    let first: Schedule | undefined;
    for (const schedule of this.#schedules) {
      const isEarlier =
        first === undefined ||
        schedule.due < first.due ||
        (schedule.due === first.due && schedule.order < first.order);
      if (isEarlier) first = schedule;
    }
    return first;
  }

  #wakeAt(due: number): void {
    if (!this.#time.passes) return;
    this.#cancel?.();
    this.#wakesAt = due;
    this.#cancel = callAfter(this.#time.until(due), () => this.#wake());
  }

  #wake(): void {
    this.#sleep();
    try {
      this.run(this.#time.now());
    } finally {
      const first = this.#first();
      if (first !== undefined && first.due < this.#wakesAt) this.#wakeAt(first.due);
    }
  }

  #sleep(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#wakesAt = Number.POSITIVE_INFINITY;
  }
}
