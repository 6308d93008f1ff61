import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
/** Frees what nothing refers to. */
export const collect: () => void = runInNewContext("gc");

const ROUNDS = 20;

/** Bytes of JavaScript heap per call of `run`, once it is compiled. */
export function bytesPerCall(run: () => void, calls = 5000): number {
  // Code is compiled when it is hot, and not when another thread has got to it: what is measured is the same on a busy machine.
  setFlagsFromString("--no-concurrent-recompilation");
  try {
    for (let i = 0; i < 3 * calls; i++) run();
    let least = Number.POSITIVE_INFINITY;
    // The least of several, since compilers allocate, too. Many, since V8 now and then throws code away that it has just compiled, and
    // compiles it again thousands of calls later.
    for (let round = 0; round < ROUNDS && least >= 1; round++) {
      collect();
      const before = process.memoryUsage().heapUsed;
      for (let i = 0; i < calls; i++) run();
      least = Math.min(least, (process.memoryUsage().heapUsed - before) / calls);
    }
    return least;
  } finally {
    setFlagsFromString("--concurrent-recompilation");
  }
}
