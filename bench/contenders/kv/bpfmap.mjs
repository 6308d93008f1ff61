// A KV store of values of 64 bytes, and of one pair.
import { createHost, u32 } from "../../../dist/index.js";
import { HALF, SIZE } from "./value.mjs";

/** The one host of the process: see bench/contenders/bench_host.mjs. */
let host;

class KvSubject {
  constructor({ maxEntries }) {
    this.store = host.createKvStore({
      maxKeys: maxEntries + 1,
      maxPages: 128,
      manifest: { pairs: { hits: { codec: u32 } } },
    });
    this.hits = this.store.pair("hits");
    this.value = new Uint8Array(SIZE);
    this.half = new Uint8Array(HALF);
  }

  /** The pair has key 0. */
  insert(keys) {
    this.put(keys);
  }

  put(keys) {
    const { store, value } = this;
    for (let i = 0; i < keys.length; i++) {
      value[0] = keys[i];
      store.put(keys[i] + 1, value);
    }
  }

  get(keys) {
    const { store } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) total += store.get(keys[i] + 1)[0];
    return total;
  }

  copy(keys) {
    const { store, value } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) {
      store.copy(keys[i] + 1, value);
      total += value[0];
    }
    return total;
  }

  resize(keys) {
    const { store, value, half } = this;
    for (let i = 0; i < keys.length; i++) {
      half[0] = value[0] = keys[i];
      store.put(keys[i] + 1, half);
      store.put(keys[i] + 1, value);
    }
  }

  count(keys) {
    const { hits } = this;
    hits.set(0);
    for (let i = 0; i < keys.length; i++) hits.set(hits.get() + 1);
    return hits.get();
  }

  close() {
    this.store.close();
  }
}

export function load({ seed, shared = false }) {
  host = createHost(shared ? { seed, shared, cpus: 2, maxMemory: 64 * 1024 * 1024 } : { seed });
  return (options) => new KvSubject(options);
}
