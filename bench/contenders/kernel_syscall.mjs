// The live kernel's BPF_MAP_TYPE_HASH, preallocated, as a process outside the kernel uses it: one bpf(2) call per operation, or
// per batch. The loops are C (bench/kernel/syscalls.c), and a pass is one call from JavaScript; what calls from JavaScript cost more
// is said in a note. Needs root and gcc.
import { openBpf } from "../kernel/bpf.mjs";
import { loadSyscalls, refusedCall } from "../kernel/syscalls.mjs";

export const name = "kernel-syscall";
export const title = "kernel HASH through bpf(2)";

const E2BIG = 7;

class SyscallSubject {
  constructor(bpf, syscalls, { maxEntries }) {
    this.bpf = bpf;
    this.syscalls = syscalls;
    this.map = bpf.createHash(4, maxEntries, { preallocated: true });
  }

  insert(keys) {
    const done = this.syscalls.update(this.map, keys, keys.length, 0);
    if (done !== keys.length) throw new Error(`BPF_MAP_UPDATE_ELEM failed for ${keys.length - done} keys`);
  }

  lookup(keys) {
    return this.syscalls.lookup(this.map, keys, keys.length);
  }

  miss(keys) {
    return this.syscalls.count(this.map, keys, keys.length);
  }

  overwrite(keys) {
    this.insert(keys);
  }

  remove(keys) {
    return this.syscalls.erase(this.map, keys, keys.length);
  }

  reject(keys) {
    return this.syscalls.update(this.map, keys, keys.length, -E2BIG);
  }

  insertMany(batches) {
    const { map, syscalls } = this;
    let first = 0;
    for (const keys of batches) first += syscalls.updateBatch(map, keys, keys.length, first);
  }

  removeMany(batches) {
    const { map, syscalls } = this;
    let removed = 0;
    for (const keys of batches) removed += syscalls.eraseBatch(map, keys, keys.length);
    return removed;
  }

  walkKeys() {
    return this.syscalls.walk(this.map);
  }

  walkBatch(size) {
    return this.syscalls.walkBatch(this.map, size, 0);
  }

  drain(size) {
    return this.syscalls.walkBatch(this.map, size, 1);
  }

  bytes() {
    return this.bpf.mapBytes(this.map);
  }

  close() {
    this.bpf.close(this.map);
  }
}

export async function load({ note }) {
  const bpf = await openBpf();
  const syscalls = await loadSyscalls();
  const { c, javaScript } = refusedCall(syscalls, bpf);
  note?.(
    `kernel-syscall loops in C: a bpf(2) call that the kernel refuses at once takes ${c.toFixed(0)} ns there, ` +
      `${javaScript.toFixed(0)} ns called from JavaScript through koffi`,
  );
  return (options) => new SyscallSubject(bpf, syscalls, options);
}
