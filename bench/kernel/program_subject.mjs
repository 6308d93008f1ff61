// One BPF_MAP_TYPE_HASH or BPF_MAP_TYPE_LRU_HASH, and the programs that work on it as they are needed.
import { fillTail } from "../data/key_bytes.mjs";
import { count, INBOX, lookup, MAX_KEYS, mixed, nothing, readThrough, remove, update } from "./programs.mjs";

const E2BIG = 7;

const PROGRAMS = {
  nothing,
  lookup,
  count,
  update: (inbox, map) => update(inbox, map, 0),
  refusedUpdate: (inbox, map) => update(inbox, map, -E2BIG),
  remove,
  mixed,
  readThrough,
};

export class ProgramSubject {
  #bpf;
  #inbox;
  #programs = new Map();
  /** The inbox on this side. */
  #memory = new ArrayBuffer(INBOX.size);
  #head = new BigUint64Array(this.#memory, 0, INBOX.numbers / 8);
  #numbers = new Uint32Array(this.#memory, INBOX.numbers, MAX_KEYS);
  #writes = new Uint32Array(this.#memory, INBOX.writes, MAX_KEYS);
  /** The key of an array map's element 0. */
  #index = new ArrayBuffer(4);
  #ns = 0;

  /**
   * For bench/run: empty this map instead of opening another, for which the verifier would take some 100 ms per program. A
   * preallocated map is as new then; one that allocates finds its allocator as it is after a while of use.
   */
  emptyIsNew = true;

  constructor(bpf, { maxEntries, keySize }, kind) {
    fillTail(new Uint8Array(this.#memory, INBOX.key, keySize));
    this.#bpf = bpf;
    this.map = bpf.createHash(keySize, maxEntries, kind);
    this.#inbox = bpf.createArray(INBOX.size);
  }

  insert(keys) {
    const done = this.#pass("update", keys);
    if (done !== keys.length) throw new Error(`bpf_map_update_elem failed for ${keys.length - done} keys`);
  }

  lookup(keys) {
    return this.#pass("lookup", keys);
  }

  miss(keys) {
    return this.#pass("count", keys);
  }

  overwrite(keys) {
    this.insert(keys);
  }

  reject(keys) {
    return this.#pass("refusedUpdate", keys);
  }

  remove(keys) {
    return this.#pass("remove", keys);
  }

  mixed({ keys, values, writes }) {
    return this.#pass("mixed", keys, (first, length) => {
      for (let i = 0; i < length; i++) this.#writes[i] = (values[first + i] << 1) | writes[first + i];
    });
  }

  /** As a cache is read: what is not there is put there. How many were there. */
  readThrough(keys) {
    return this.#pass("readThrough", keys);
  }

  /** The loop of all the others and no call: what is in their times besides the map's work. The sum of the keys. */
  nothing(keys) {
    return this.#pass("nothing", keys);
  }

  /** Nanoseconds that the last pass took, as the kernel measured them. */
  ownNs() {
    return this.#ns;
  }

  bytes() {
    return this.#bpf.mapBytes(this.map);
  }

  close() {
    for (const fd of [...this.#programs.values(), this.#inbox, this.map]) this.#bpf.close(fd);
  }

  /** Runs a program over all keys. @returns the sum of its results */
  #pass(name, keys, prepare) {
    const program = this.#program(name);
    let ns = 0;
    let total = 0;
    for (let first = 0; first < keys.length; first += MAX_KEYS) {
      const part = keys.subarray(first, first + MAX_KEYS);
      this.#head[INBOX.first / 8] = BigInt(first);
      this.#head[INBOX.bytes / 8] = BigInt(part.byteLength);
      this.#numbers.set(part);
      prepare?.(first, part.length);
      this.#copy("update");
      ns += this.#bpf.testRun(program);
      this.#copy("lookup");
      total += Number(this.#head[INBOX.result / 8]);
    }
    this.#ns = ns;
    return total;
  }

  /** Copies the inbox to the kernel ("update") or from there ("lookup"). */
  #copy(direction) {
    const result = this.#bpf[direction](this.#inbox, this.#index, this.#memory);
    if (result !== 0) throw new Error(`inbox, ${direction}: errno ${-result}`);
  }

  /** Loaded when it is first asked for: the verifier goes through every iteration of its loop. */
  #program(name) {
    let fd = this.#programs.get(name);
    if (fd === undefined) {
      fd = this.#bpf.loadProgram(PROGRAMS[name](this.#inbox, this.map));
      this.#programs.set(name, fd);
    }
    return fd;
  }
}
