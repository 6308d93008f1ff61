import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import type { HashMap, Host } from "../../src/index.ts";
import { lib, uapi } from "./kit.ts";

const { ACT_KEEP, bytes, createHost, struct, u32, u53 } = lib;

/** Writes random words below 5000 over a part of a memory until it is told to stop. */
const WRITER = `
const { workerData: { memory, first, words, state } } = require("node:worker_threads");
const target = new Uint32Array(memory, first, words);
const told = new Int32Array(state);
let seed = 1;
while (Atomics.load(told, 0) === 0) {
  for (let i = 0; i < words; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    target[i] = (seed >>> 16) % 5000;
  }
  Atomics.store(told, 1, 1);
}
`;

/** Runs something while another thread writes to words of host memory. */
async function whileWritten(words: Uint32Array, run: () => void): Promise<void> {
  const state = new SharedArrayBuffer(8);
  const told = new Int32Array(state);
  const { buffer, byteOffset, length } = words;
  const workerData = { memory: buffer, first: byteOffset, words: length, state };
  const worker = new Worker(WRITER, { eval: true, workerData });
  try {
    while (Atomics.load(told, 1) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    run();
  } finally {
    Atomics.store(told, 0, 1);
    await worker.terminate();
  }
}

const KEYS = 1024;
const ROUNDS = 60;

function counters(host: Host): HashMap<number, number> {
  return host.createMap({ type: "rhash", key: u32, value: u53, maxEntries: 5000 });
}

function wordsOf(array: Uint8Array): Uint32Array {
  return new Uint32Array(array.buffer, array.byteOffset, array.byteLength >>> 2);
}

describe("another thread that writes to the keys of a call", () => {
  it("adds each delta once, to one key", async () => {
    const host = createHost({ shared: true, cpus: 2, maxMemory: 2 ** 23 });
    const map = counters(host);
    const keys = host
      .createMap({ type: "array", key: u32, value: bytes(8), maxEntries: KEYS / 2 })
      .view(Uint32Array);
    const ones = new Array<number>(KEYS).fill(1);
    await whileWritten(keys, () => {
      for (let i = 0; i < ROUNDS; i++) map.addMany(keys as never, ones);
    });
    expect(host.verify()).toEqual([]);
    expect(map.size).toBeLessThanOrEqual(5000);
    expect([...map.values()].reduce((sum, count) => sum + count)).toBe(ROUNDS * KEYS);
    host.close();
  });

  it("writes and deletes keys that are whole", async () => {
    const host = createHost({ shared: true, cpus: 2, maxMemory: 2 ** 23 });
    const map = counters(host);
    const batch = map.createBatch(KEYS);
    await whileWritten(wordsOf(batch.keys), () => {
      for (let i = 0; i < ROUNDS; i++) {
        batch.count = KEYS;
        map.updateBatch(batch);
        batch.count = 8;
        try {
          map.deleteBatch(batch);
        } catch (error) {
          expect(error).toHaveProperty("code", "ENOENT");
        }
      }
    });
    expect(host.verify()).toEqual([]);
    expect(map.size).toBeLessThanOrEqual(5000);
    host.close();
  });

  it("is seen once by a system call", async () => {
    const host = createHost({ shared: true, cpus: 2, maxMemory: 2 ** 23 });
    const map = counters(host);
    const batch = map.createBatch(KEYS);
    host.pin("/m", map);
    const path = new Uint8Array(16);
    path.set(new TextEncoder().encode("/m\0"), 8);
    const fd = host.bpf(uapi.BPF_OBJ_GET, uapi.writeStruct(uapi.BPF_ATTR_OBJ, { pathname: 8 }), path.buffer);
    const fields = { map_fd: fd, keys: batch.keys.byteOffset, values: batch.values.byteOffset, count: KEYS };
    await whileWritten(wordsOf(batch.keys), () => {
      for (let i = 0; i < ROUNDS; i++) {
        expect(host.bpf(uapi.BPF_MAP_UPDATE_BATCH, uapi.writeStruct(uapi.BPF_ATTR_BATCH, fields))).toBe(0);
      }
    });
    expect(host.verify()).toEqual([]);
    host.close();
  });
});

describe("a call that fails", () => {
  for (const shared of [false, true]) {
    it(`leaves no key of a u53 that would go below 0${shared ? ", on a shared host" : ""}`, () => {
      const host = createHost({ shared, cpus: 2, maxMemory: 2 ** 23 });
      for (const type of ["hash", "rhash", "percpu_hash"] as const) {
        for (const key of [u32, u53, bytes(16), bytes(5)]) {
          const map = host.createMap({
            type,
            key: key as never,
            value: u53,
            maxEntries: 8,
          }) as unknown as HashMap<unknown, number>;
          const absent = key === u32 || key === u53 ? 1 : new Uint8Array(key.size);
          expect(() => map.add(absent, -5)).toThrow(RangeError);
          expect(map.size).toBe(0);
          expect(map.has(absent)).toBe(false);
          map.add(absent, 5);
          expect(() => map.add(absent, -6)).toThrow(RangeError);
          expect(map.add(absent, -5)).toBe(0);
        }
      }
      host.close();
    });
  }
});

describe("an iterator", () => {
  it("sees what a filter has written, in the run and after it", () => {
    const host = createHost();
    for (const value of [u53, struct({ a: u32, b: bytes(40) })]) {
      const map = host.createMap({
        type: "rhash",
        key: u32,
        value: value as never,
        maxEntries: 64,
      }) as unknown as HashMap<number, unknown>;
      const valueFrom = (n: number) => (value === u53 ? n : { a: n, b: new Uint8Array(40).fill(n) });
      for (let key = 0; key < 40; key++) map.set(key, valueFrom(0));
      const inside = map.values();
      const after = map.values();
      inside.next();
      after.next();
      let visited = 0;
      map.process({
        filter: (entry) => {
          entry.value = valueFrom(7);
          if (++visited < 40) return ACT_KEEP;
          expect([...inside]).toEqual(new Array(39).fill(valueFrom(7)));
          return ACT_KEEP;
        },
      });
      expect([...after]).toEqual(new Array(39).fill(valueFrom(7)));
    }
    host.close();
  });
});

/** The names of the properties that a call reads of an object, each as often as it is read. */
function reads<T extends object>(object: T, names: string[]): T {
  return new Proxy(object, {
    get: (target, name) => {
      if (typeof name === "string") names.push(name);
      return Reflect.get(target, name, target);
    },
  });
}

describe("a spec", () => {
  const twice = (names: readonly string[]) => names.filter((name, i) => names.indexOf(name) !== i);

  it("is read once", () => {
    const host = createHost();
    const names: string[] = [];
    const lowWater = reads({ free: 1, grow: () => {} }, names);
    const spec = {
      type: "rhash",
      name: "m",
      key: u32,
      value: u32,
      maxEntries: 8,
      flags: 0,
      mapExtra: 1,
      lowWater,
    } as const;
    host.pin("/m", host.createMap(reads(spec, names)));
    expect(twice(names)).toEqual([]);
    names.length = 0;
    host.open("/m", reads({ key: u32, value: u32, type: "rhash", lowWater } as const, names));
    expect(twice(names)).toEqual([]);
    names.length = 0;
    const pair = reads({ codec: u32, default: 3, version: 1 }, names);
    host.createKvStore(reads({ name: "s", maxKeys: 8, maxPages: 1, manifest: { pairs: { pair } } }, names));
    expect(twice(names)).toEqual([]);
    host.close();
  });

  it("that closes the host is refused", () => {
    for (const name of ["type", "maxEntries", "lowWater"]) {
      const host = createHost();
      const spec = { type: "rhash", key: u32, value: u32, maxEntries: 8, lowWater: undefined };
      const closing = new Proxy(spec, {
        get: (target, asked) => {
          if (asked === name) host.close();
          return Reflect.get(target, asked);
        },
      });
      expect(() => host.createMap(closing as never)).toThrow(/closed/);
      expect(host.u8).toHaveLength(0);
    }
  });
});
