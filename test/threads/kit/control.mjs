// How the threads of a job meet. Waits have limits: a thread that nobody wakes is a failed test.

/** Words of the control array. */
export const CLOCK = 0;
export const STOP = 1;
export const BARRIER = 2; // and 3: how many have come, and the turn
export const PAUSE = 4; // and 5: whether to stand still, and how many do
export const TOGETHER = 6;
export const FREE = 8; // the first word for the jobs themselves

const WAIT_MS = 20_000;

/** Waits until all `threads` members have come here. Not for the main thread of a page, which may not wait. */
export function barrier(control, threads) {
  const turn = Atomics.load(control, BARRIER + 1);
  if (Atomics.add(control, BARRIER, 1) + 1 === threads) {
    Atomics.store(control, BARRIER, 0);
    Atomics.add(control, BARRIER + 1, 1);
    Atomics.notify(control, BARRIER + 1);
    return;
  }
  for (let spin = 0; spin < 200; spin++) if (Atomics.load(control, BARRIER + 1) !== turn) return;
  while (Atomics.load(control, BARRIER + 1) === turn) {
    if (Atomics.wait(control, BARRIER + 1, turn, WAIT_MS) === "timed-out") {
      throw new Error(`only ${Atomics.load(control, BARRIER)} of ${threads} threads came to the barrier`);
    }
  }
}

/**
 * After a barrier: waits a moment for one more thread to run, since those that slept there wake up one after the other, and what
 * is to happen at the same time would be over.
 */
export function together(control, threads) {
  const come = Atomics.add(control, TOGETHER, 1);
  const enough = come - (come % threads) + 2;
  for (let spin = 0; spin < 100_000 && Atomics.load(control, TOGETHER) < enough; spin++);
}

/** A moment: every call gives a later one, on all threads. */
export const now = (control) => Atomics.add(control, CLOCK, 1);

export const stopped = (control) => Atomics.load(control, STOP) !== 0;
export const stop = (control) => Atomics.store(control, STOP, 1);

/** Members call this between two operations: stands still as long as the coordinator wants it. */
export function standStill(control) {
  if (Atomics.load(control, PAUSE) === 0) return;
  Atomics.add(control, PAUSE + 1, 1);
  while (Atomics.load(control, PAUSE) !== 0) Atomics.wait(control, PAUSE, 1, WAIT_MS);
  Atomics.sub(control, PAUSE + 1, 1);
}

/** The coordinator calls this; resolves when `threads` members stand still. */
export async function pause(control, threads) {
  Atomics.store(control, PAUSE, 1);
  const limit = performance.now() + WAIT_MS;
  while (Atomics.load(control, PAUSE + 1) !== threads) {
    if (performance.now() > limit) {
      throw new Error(
        `${Atomics.load(control, PAUSE + 1)} of ${threads} threads stand still after ${WAIT_MS} ms`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
}

export async function resume(control) {
  Atomics.store(control, PAUSE, 0);
  Atomics.notify(control, PAUSE);
  // Whoever stood still has left before the next pause counts anew.
  while (Atomics.load(control, PAUSE + 1) !== 0) await new Promise((resolve) => setTimeout(resolve));
}
