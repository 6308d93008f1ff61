// What comes from elsewhere: memories and modules that are no host's, slots whose threads died while they took them, and paths that have no
// form in UTF-8.

import { EventEmitter } from "node:events";
import { fileURLToPath } from "node:url";
import { threadId, Worker } from "node:worker_threads";
import { build } from "rolldown";
import { afterEach, describe, expect, it, vi } from "vitest";
import { slotAddress, takeSlot } from "../../src/core/memory/shared_memory.ts";
import { unpack } from "../../src/core/wasm/unpack.ts";
import { HOST_CPUS, HOST_SEED, HOST_VERSION, SLOT_RECOVERED } from "../../src/generated/abi.js";
import { coreSource } from "../../src/generated/core.js";
import { attachHost, createHost, u32, useWasm } from "../../src/index.ts";
import { bpf_obj_pin } from "../../src/uapi/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { sharedHost } from "./hosts.ts";

const spec = { type: "hash", key: u32, value: u32, maxEntries: 8 } as const;

const sharedMemory = (pages: number) => new WebAssembly.Memory({ initial: pages, maximum: 64, shared: true });
/** A module with nothing in it, and one that exports a function "allocate". */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const FOREIGN = Uint8Array.from([
  ...EMPTY,
  ...[1, 5, 1, 0x60, 0, 1, 0x7f],
  ...[3, 2, 1, 0],
  ...[7, 12, 1, 8, ...new TextEncoder().encode("allocate"), 0, 0],
  ...[10, 6, 1, 4, 0, 0x41, 0, 0x0b],
]);
const core = () => unpack(coreSource() as string);

describe("attachHost", () => {
  it.each<[string, number, (words: Int32Array) => void]>([
    ["no page", 0, () => {}],
    ["zeros", 16, () => {}],
    ["ones", 16, (words) => words.fill(-1)],
    [
      "the words of a host, and nothing else",
      16,
      (words) => {
        words[HOST_CPUS >>> 2] = 4;
        words[HOST_SEED >>> 2] = 1;
      },
    ],
    ["noise", 16, (words) => words.set(words.map((_, i) => Math.imul(i + 1, 0x9e3779b9)))],
  ])("refuses a memory of %s", (_, pages, fill) => {
    const { module } = sharedHost().share();
    const memory = sharedMemory(pages);
    fill(new Int32Array(memory.buffer));
    const before = Buffer.from(new Int32Array(memory.buffer).slice().buffer);
    const error = caught(() => attachHost({ memory, module }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(
      /^attachHost: the memory is not that of a shared host; pass what share\(\)/,
    );
    expect(before.equals(new Uint8Array(memory.buffer))).toBe(true);
  });

  it("refuses the memory of another version", () => {
    const host = sharedHost();
    host.i32[HOST_VERSION >>> 2]++;
    const error = expectErrno(() => attachHost(host.share()), "EINVAL");
    expect(error.message).toMatch(
      /has a memory of layout \d+, and this version of bpfmap knows layout \d+ \(EINVAL\)/,
    );
    host.i32[HOST_VERSION >>> 2]--;
    expect(attachHost(host.share()).cpu).toBe(1);
  });

  it.each([
    ["an empty module", () => EMPTY],
    ["a foreign one", () => FOREIGN],
    ["the core for one thread", core],
  ])("refuses %s", (_, bytes) => {
    const host = sharedHost();
    const { memory } = host.share();
    const error = caught(() => attachHost({ memory, module: new WebAssembly.Module(bytes()) }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe("attachHost: the module is not the core that share() of a host gave");
    expect(attachHost(host.share()).cpu).toBe(1);
  });
});

describe("useWasm", () => {
  it.each([
    ["an empty module", EMPTY],
    ["a foreign one", FOREIGN],
  ])("refuses %s, and the core stays what it was", (_, bytes) => {
    for (const source of [bytes, new WebAssembly.Module(bytes)]) {
      const error = caught(() => useWasm(source));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(
        /^useWasm: the module is neither core\.wasm nor core\.shared\.wasm of this version/,
      );
    }
    expect(createHost({ seed: 1 }).createMap(spec).set(1, 2).get(1)).toBe(2);
    expect(sharedHost().createMap(spec).set(1, 2).get(1)).toBe(2);
  });
});

describe("a slot", () => {
  afterEach(() => vi.restoreAllMocks());

  it("is found when its thread dies as soon as it has taken it", () => {
    const host = sharedHost();
    const worker = Object.assign(new EventEmitter(), { threadId });
    host.watch(worker);
    // Nothing comes behind the step that takes it.
    const swap = Atomics.compareExchange.bind(Atomics) as (...args: unknown[]) => number;
    vi.spyOn(Atomics, "compareExchange").mockImplementation(((...args: unknown[]) => {
      if (swap(...args) === 0) throw new Error("killed");
      return 1;
    }) as never);
    expect(caught(() => takeSlot(host.i32)).message).toBe("killed");
    vi.restoreAllMocks();
    expect(host.slots()[1].state).toBe("live");
    worker.emit("exit");
    expect(host.slots().map(({ state }) => state)).toEqual(["live", "free", "free", "free"]);
  });

  it("is waited for in a worker while it is being cleared up", async () => {
    const host = sharedHost({ cpus: 2, lockTimeout: 20_000 });
    const slot = slotAddress(1) >>> 2;
    Atomics.store(host.i32, slot, SLOT_RECOVERED);
    const code = `
      import { workerData, parentPort } from "node:worker_threads";
      const { takeSlot } = await import(workerData.url);
      const wait = Atomics.wait;
      Atomics.wait = (words, ...rest) => {
        if (words.buffer === workerData.memory.buffer) parentPort.postMessage("waits");
        return wait(words, ...rest);
      };
      parentPort.postMessage(takeSlot(new Int32Array(workerData.memory.buffer)));`;
    const { memory } = host.share();
    // A worker runs no TypeScript.
    const input = fileURLToPath(new URL("../../src/core/memory/shared_memory.ts", import.meta.url));
    const { output } = await build({ input, write: false, tsconfig: false });
    const url = `data:text/javascript,${encodeURIComponent(output[0].code)}`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
      workerData: { url, memory },
    });
    try {
      const [answer] = await new Promise<unknown[]>((resolve, reject) => {
        worker.once("error", reject);
        worker.on("message", (message) => {
          // It has looked, and found no free slot.
          if (message === "waits") Atomics.store(host.i32, slot, 0);
          else resolve([message]);
        });
      });
      expect(answer).toBe(1);
    } finally {
      await worker.terminate();
    }
    // The main thread has to go on: it may be the one that clears up.
    Atomics.store(host.i32, slot, SLOT_RECOVERED);
    const wait = Atomics.wait.bind(Atomics) as (...args: unknown[]) => string;
    vi.spyOn(Atomics, "wait").mockImplementation(((...args: [Int32Array, ...unknown[]]) => {
      if (args[0].buffer === memory.buffer) throw new Error("the main thread waits");
      return wait(...args);
    }) as never);
    expectErrno(() => attachHost(host.share()), "ENOSPC");
  });
});

describe("paths with half of a surrogate pair", () => {
  it.each([
    ["a host", () => createHost({ seed: 1 })],
    ["a shared host", () => sharedHost()],
  ])("are refused by %s", (_, open) => {
    const host = open();
    const map = host.createMap(spec);
    const calls = [
      (path: string) => host.pin(path, map),
      (path: string) => host.open(path, { key: u32, value: u32 }),
      (path: string) => host.openKvStore(path),
      (path: string) => host.unpin(path),
      (path: string) => bpf_obj_pin(host, -1, path),
    ];
    for (const call of calls) {
      for (const path of ["/\ud800", "/\udc00x", "/\ud800\ud800"]) {
        const error = caught(() => call(path));
        expect(error).toBeInstanceOf(TypeError);
        expect(error.message).toMatch(/without lone surrogates/);
      }
    }
    host.pin("/\ud83d\ude00", map);
    expect(host.open("/\ud83d\ude00", { key: u32, value: u32 }).get(1)).toBeUndefined();
  });
});
