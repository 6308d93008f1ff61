// As kernel.mjs, with BPF_F_NO_PREALLOC: an insert allocates, a delete frees, and so does an update in place.
import { openBpf } from "../kernel/bpf.mjs";
import { ProgramSubject } from "../kernel/program_subject.mjs";

export const name = "kernel-bpf-noprealloc";
export const title = "kernel HASH in a BPF program, BPF_F_NO_PREALLOC";
/** Up to 1024 bytes, as in the kernel's own bpf-hashmap-lookup. */
export const anyKeySize = true;

export async function load() {
  const bpf = await openBpf();
  return (options) => new ProgramSubject(bpf, options, { preallocated: false });
}
