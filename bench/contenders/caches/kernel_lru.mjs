// The live kernel's BPF_MAP_TYPE_LRU_HASH with its common LRU, as a BPF program uses it: a lookup by bpf(2) protects nothing from
// eviction. The loops run in the kernel; `ownNs` gives what they took there. Needs root.
import { pick } from "../../data/random.mjs";
import { openBpf } from "../../kernel/bpf.mjs";
import { ProgramSubject } from "../../kernel/program_subject.mjs";

export const title = "kernel LRU_HASH in a BPF program";
export const kinds = ["u32"];
export const ownLoops = true;
export const bytesOf = (cache) => cache.bytes();

/** Keys that are picked and read in one go. */
const CHUNK = 1 << 16;

class KernelLru {
  #program;
  #ns = 0;

  constructor(bpf, capacity) {
    this.#program = new ProgramSubject(bpf, { maxEntries: capacity, keySize: 4 }, { lru: true });
  }

  /** It evicts before it is full: not all are there afterwards. */
  insert(keys) {
    this.#program.insert(keys);
  }

  evict(keys) {
    this.#program.insert(keys);
    this.#ns = this.#program.ownNs();
    return keys.length - 1;
  }

  replay({ keys, draws }) {
    let hits = 0;
    this.#ns = 0;
    for (let from = 0; from < draws.length; from += CHUNK) {
      hits += this.#program.readThrough(pick(keys, draws.subarray(from, from + CHUNK)));
      this.#ns += this.#program.ownNs();
    }
    return hits;
  }

  ownNs() {
    return this.#ns;
  }

  bytes() {
    return this.#program.bytes();
  }

  close() {
    this.#program.close();
  }
}

export async function load() {
  const bpf = await openBpf();
  return ({ capacity }) => new KernelLru(bpf, capacity);
}
