// Two threads in turn: one adds keys, the other deletes them, as in the kernel's `bench htab-mem --use-case add_del_on_diff_cpu`, where
// barriers do what a word in shared memory does here.

const EMPTY = 0;
const FULL = 1;
const STOPPED = 2;

/** Words of `count` pairs, in cache lines of their own. */
const STRIDE = 32;
export const newPairs = (count) => new Int32Array(new SharedArrayBuffer(count * STRIDE * 4));

function put(pairs, at, state) {
  Atomics.store(pairs, at, state);
  Atomics.notify(pairs, at);
}

/** Sleeps until the word has another value. A notification may be that of an earlier change, so the word is looked at again. */
function waitWhile(pairs, at, state) {
  while (Atomics.load(pairs, at) === state) Atomics.wait(pairs, at, state);
}

/**
 * What one of the threads does until the time is over, which the one that adds decides.
 *
 * @param {import("./contenders/map_subject.mjs").Subject} subject
 * @param {object} stream its first `group` keys are those of the pair
 * @param {number} group
 * @param {{ pairs: Int32Array, thread: number }} where   threads 0 and 1 are a pair: the first adds, the second deletes
 * @param {number} end    time of performance.now()
 * @returns {Promise<{ operations: number, result: number }>} result: how many keys were there to be deleted, or were added
 */
export async function runInPairs(subject, stream, group, { pairs, thread }, end) {
  const at = (thread >> 1) * STRIDE;
  let operations = 0;
  let result = 0;
  if (thread % 2 === 0) {
    while (performance.now() < end) {
      result += await subject.insert(stream, 0, group);
      operations += group;
      put(pairs, at, FULL);
      waitWhile(pairs, at, FULL);
    }
    put(pairs, at, STOPPED);
    return { operations, result };
  }
  for (;;) {
    waitWhile(pairs, at, EMPTY);
    if (Atomics.load(pairs, at) === STOPPED) break;
    result += await subject.remove(stream, 0, group);
    operations += group;
    put(pairs, at, EMPTY);
  }
  Atomics.store(pairs, at, EMPTY);
  return { operations, result };
}
