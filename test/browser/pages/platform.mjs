// What differs from platform to platform: memory, workers, the ways to compile the core.
import { createHost, createMap, u32, u53, useWasm } from "bpfmap";
import { check, equal, ready, test, thrown } from "./define.mjs";

const ENTRIES = 200_000;

test("200000 entries on the default memory limit, with the memory growing under live views", () => {
  const host = createHost({ seed: 1 });
  const map = host.createMap({ type: "rhash", key: u32, value: u53, maxEntries: ENTRIES });
  const before = host.u8;
  let grown = 0;
  for (let key = 0, { length } = host.u8; key < ENTRIES; key++) {
    map.set(key, key * 2 ** 20);
    if (host.u8.length !== length) {
      grown++;
      length = host.u8.length;
    }
  }
  check("the memory grew several times", grown > 2);
  equal("length of the old view, which is detached", 0, before.length);
  check("the views cover all that is in use", host.u8.length >= host.memoryUsage().bytes);
  equal("size", ENTRIES, map.size);
  for (let key = 0; key < ENTRIES; key++) {
    if (map.get(key) !== key * 2 ** 20) throw new Error(`key ${key} holds ${map.get(key)}`);
  }
  let sum = 0;
  for (const key of map.keys()) sum += key;
  equal("sum of the keys", (ENTRIES * (ENTRIES - 1)) / 2, sum);
  map.close();
  equal("bytes in use after close", 0, host.memoryUsage().bytes);
});

test("300 hosts, one after another", () => {
  for (let seed = 0; seed < 300; seed++) {
    const host = createHost({ seed });
    const map = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 10 });
    equal("value", seed, map.set(1, seed).get(1));
    host.close();
  }
});

test("a memory limit gives ENOMEM, and the map goes on", () => {
  const host = createHost({ maxMemory: 1024 * 1024 });
  const map = host.createMap({ type: "rhash", key: u32, value: u53, maxEntries: 10_000_000 });
  let key = 0;
  const error = thrown(() => {
    for (; ; key++) map.set(key, key);
  });
  equal("code", "ENOMEM", error.code);
  equal("size", key, map.size);
  for (let i = 0; i < key; i++) if (map.get(i) !== i) throw new Error(`key ${i} holds ${map.get(i)}`);
});

test("useWasm takes bytes", async () => {
  const response = await fetch("/dist/core.wasm");
  useWasm(await response.arrayBuffer());
  const map = createMap({ type: "rhash", key: u32, value: u32, maxEntries: 10 });
  equal("value", 2, map.set(1, 2).get(1));
});

test("useWasm takes a module that was compiled while it was fetched", async () => {
  useWasm(await WebAssembly.compileStreaming(fetch("/dist/core.wasm")));
  const map = createMap({ type: "rhash", key: u32, value: u32, maxEntries: 10 });
  equal("value", 2, map.set(1, 2).get(1));
});

test("useWasm refuses what is no module", () => {
  check("a TypeError", thrown(() => useWasm("core.wasm")) instanceof TypeError);
});

/** What a module worker answers to a message. */
function ask(url, message) {
  const worker = new Worker(url, { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message ?? `${url} did not load`));
    worker.postMessage(message);
  }).finally(() => worker.terminate());
}

test("a module worker runs a replay", async (seed) => {
  const answer = await ask("/resolved/pages/replay_worker.mjs", { seed, steps: 20_000 });
  equal("answer", { steps: 20_000 }, answer);
});

ready();
