import { attachHost, createHost, u32, u53 } from "../../../dist/index.js";
import { BpfSubject } from "./bpf_subject.mjs";

export const name = "bpfmap";
export const title = "one map of a shared host, in which every thread is attached; u32 to u53";

const PATH = "/bench";

const TYPES = { values: "rhash", counters: "percpu_hash" };

/** A slot of its own for every thread, and one for the main thread, which looks on. */
class Table {
  #host;
  #map;
  #spec;

  constructor({ size, keys, threads, seed, kind, type = TYPES[kind], maxEntries = size, flags = 0 }) {
    this.#host = createHost({ shared: true, cpus: threads + 1, seed });
    this.#spec = { type, key: u32, value: u53 };
    this.#map = this.#host.createMap({ ...this.#spec, maxEntries, flags });
    this.#host.pin(PATH, this.#map);
    if (kind === "values") for (let i = 0; i < size; i++) this.#map.set(keys[i], i);
  }

  ticket() {
    return { data: { handle: this.#host.share(), type: this.#spec.type } };
  }

  started(worker) {
    this.#host.watch(worker);
  }

  counts(keys) {
    return Float64Array.from(keys, (key) => sum(this.#map.get(key)));
  }

  bytes() {
    return this.#map.memoryUsage();
  }

  close() {
    this.#host.close();
  }
}

const sum = (slots = []) => slots.reduce((total, count) => total + count, 0);

export const open = (options) => new Table(options);

class Subject extends BpfSubject {
  #host;

  constructor(host, map) {
    super(map);
    this.#host = host;
  }

  close() {
    this.#host.detach();
  }
}

/** Of counters: with a call for reading and one for writing the thread's slot, in place of one that adds. */
class CountingSubject extends Subject {
  addLocal({ keys }, from, to) {
    const { local } = this.map;
    for (let i = from; i < to; i++) local.set(keys[i], (local.get(keys[i]) ?? 0) + 1);
    return to - from;
  }
}

export function attach({ handle, type }) {
  const host = attachHost(handle);
  const map = host.open(PATH, { type, key: u32, value: u53 });
  return type === TYPES.counters ? new CountingSubject(host, map) : new Subject(host, map);
}
