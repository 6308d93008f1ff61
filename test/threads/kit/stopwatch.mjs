// How long something kept a thread of Node, with and without the time in which the system ran others: on a busy machine a thread that waits
// for nobody stands still for tens of milliseconds, too. Linux counts that for each thread (Documentation/scheduler/sched-stats.rst).
import { readFileSync } from "node:fs";

/** ms for which the calling thread could have run and did not; 0 where the system does not say. */
function queued() {
  try {
    return Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}

/** Starts; the function that comes back gives `ms`, and `own`: the same without what others ran. */
export function stopwatch() {
  const before = queued();
  const begin = performance.now();
  return () => {
    const ms = performance.now() - begin;
    return { ms, own: Math.max(0, ms - (queued() - before)) };
  };
}

/** Measurements of one kind. */
export class Times {
  #all = [];

  add(time) {
    this.#all.push(time);
  }

  run(call) {
    const stop = stopwatch();
    call();
    this.add(stop());
  }

  /** Of both: the 99th percentile and the longest, in ms. */
  get summary() {
    const of = (name) => {
      const sorted = this.#all.map((time) => time[name]).toSorted((a, b) => a - b);
      const at = (share) => Number((sorted[Math.ceil(sorted.length * share) - 1] ?? 0).toFixed(2));
      return { median: at(0.5), p99: at(0.99), most: at(1) };
    };
    return { count: this.#all.length, ms: of("ms"), own: of("own") };
  }
}
