// One thread of test/kv/threads.test.ts: does what its role says until the flag is set, and tells what it has done.
import { parentPort, workerData } from "node:worker_threads";
import { attachHost } from "bpfmap";
import { Random } from "bpfmap/testing";
import { v1, v2 } from "./manifests.mjs";

const { handle, role, flags, seed } = workerData;
const words = new Int32Array(flags);
const host = attachHost(handle);
const random = new Random(seed);
const KEYS = 12;

/** Binds a store to whichever manifest is in force. */
function bindToAny(store) {
  for (;;) {
    for (const manifest of [v1, v2]) {
      try {
        store.bind(manifest);
        return manifest;
      } catch (error) {
        if (error.name !== "ManifestMismatchError") throw error;
      }
    }
  }
}

const roles = {
  /** Values of one byte, over and over, of sizes that make them move. */
  write(store) {
    const key = random.below(KEYS);
    if (random.chance(10)) store.delete(key);
    else {
      try {
        store.put(
          key,
          new Uint8Array(random.between(1, random.chance(30) ? 2000 : 60)).fill(random.below(256)),
        );
      } catch (error) {
        if (error.code !== "ENOSPC") throw error;
      }
    }
  },
  read(store) {
    const value = store.get(random.below(KEYS));
    if (value?.some((byte) => byte !== value[0])) throw new Error(`torn: ${value}`);
  },
  /** Sees all pairs of one manifest. */
  watch(store) {
    const manifest = bindToAny(store);
    try {
      for (let i = 0; i < 100; i++) {
        const { x, y, z, only1, only2 } = store.read();
        const expected = manifest === v1 ? x < 1000 && only1 === "v1" : x >= 1000 && only2 === "v2";
        if (x !== y || y !== z || !expected) throw new Error(`a mix: ${x} ${y} ${z} ${only1} ${only2}`);
      }
    } catch (error) {
      if (error.code !== "ESTALE") throw error;
    }
  },
  /** Counts in a pair of its own. */
  count(store, state) {
    bindToAny(store);
    try {
      const pair = store.pair(`n${workerData.number}`);
      for (let i = 0; i < 100; i++) {
        const value = pair.get();
        if (value !== state.done) throw new Error(`an update was lost: ${value} after ${state.done}`);
        pair.set(value + 1);
        state.done++;
      }
    } catch (error) {
      if (error.code !== "ESTALE") throw error;
    }
  },
  /** Never gets to the end of a rollout. */
  stick(store) {
    const manifest = bindToAny(store);
    const convert = () => {
      Atomics.add(words, 1 + host.cpu, 1);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    };
    const z = { ...v2.pairs.z, convert };
    store.rollout({ pairs: { ...(manifest === v1 ? v2 : v1).pairs, z } });
  },
  /** Rolls back and forth, by rollouts and by undos. */
  roll(store) {
    const manifest = bindToAny(store);
    const plan = store.rollout(manifest === v1 ? v2 : v1);
    const luck = random.below(3);
    if (luck === 0) plan.undo();
    if (luck === 1) plan.seal();
  },
};

const store = host.openKvStore("/store");
const state = { done: 0, rounds: 0 };
parentPort.postMessage({ ready: host.cpu });
try {
  while (Atomics.load(words, 0) === 0) {
    roles[role](store, state);
    state.rounds++;
    Atomics.add(words, 1 + host.cpu, 1);
  }
  host.detach();
  parentPort.postMessage({ done: state });
} catch (error) {
  parentPort.postMessage({ error: `${role}: ${error.stack}` });
}
