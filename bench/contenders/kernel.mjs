// The live kernel's BPF_MAP_TYPE_HASH, as a BPF program uses it: the loops of bench/kernel/programs.mjs run in the kernel, by
// BPF_PROG_TEST_RUN, over the same keys in the same order as everybody's loops. Needs root.
//
// Its subject has the methods of every other, with the same results, and one more: `ownNs()`, the nanoseconds of the last pass as
// the kernel measured them. They are the figure to report, in place of the time of the call, which holds copies of the keys,
// system calls and, the first time, the verifier. What is in them besides the map's work is the loop itself, which a note
// publishes: so little, next to the calls, that net figures need no rows of their own.

import { keysFrom } from "../data/random.mjs";
import { openBpf } from "../kernel/bpf.mjs";
import { ProgramSubject } from "../kernel/program_subject.mjs";

export const name = "kernel-bpf";
export const title = "kernel HASH in a BPF program, preallocated";
/** Up to 1024 bytes, as in the kernel's own bpf-hashmap-lookup. */
export const anyKeySize = true;

const LOOP_KEYS = 1 << 17;

/** Nanoseconds per key of the loop that calls nothing. */
function loopNs(subject) {
  const keys = keysFrom(0, LOOP_KEYS);
  const times = Array.from({ length: 5 }, () => {
    subject.nothing(keys);
    return subject.ownNs() / LOOP_KEYS;
  });
  subject.close();
  return Math.min(...times);
}

export async function load({ note }) {
  const bpf = await openBpf();
  const open = (options) => new ProgramSubject(bpf, options, { preallocated: true });
  const loop = loopNs(open({ maxEntries: 1, keySize: 4 }));
  note?.(
    `kernel-bpf: the loop of its programs takes ${loop.toFixed(1)} ns per key by itself, which is in its figures`,
  );
  return open;
}
