// host.warmUp(map): a map as it was, whatever its layout. How fast it is then, `npm run bench -- warm-up` says.
import { describe, expect, it } from "vitest";
import { BPF_F_NO_PREALLOC, BPF_F_RDONLY } from "../../src/constants.ts";
import type { Host } from "../../src/host/host.ts";
import {
  array,
  bytes,
  createHost,
  cstring,
  f64,
  spinLock,
  struct,
  u8,
  u32,
  u53,
  u64,
} from "../../src/index.ts";
import { expectErrno } from "../support/caught.ts";

const pair = struct({ source: u32, name: cstring(12) });

describe.each([false, true])("warmUp, shared: %s", (shared) => {
  const open = () => createHost({ seed: 1, cpus: 2, shared, maxMemory: 2 ** 22 });

  it.each([
    ["numbers", { type: "rhash", key: u32, value: f64, maxEntries: 10 }],
    ["u53 and u64", { type: "hash", key: u53, value: u64, maxEntries: 10, flags: BPF_F_NO_PREALLOC }],
    ["structs", { type: "rhash", key: pair, value: struct({ lock: spinLock, bytes: u53 }), maxEntries: 10 }],
    ["texts", { type: "hash", key: cstring(16), value: array(u32, 3), maxEntries: 10 }],
    ["the least", { type: "rhash", key: u8, value: u8, maxEntries: 1 }],
    ["a text without room", { type: "rhash", key: cstring(1), value: cstring(1), maxEntries: 1 }],
    ["bytes", { type: "hash", key: bytes(37), value: bytes(100), maxEntries: 10 }],
    ["read-only", { type: "rhash", key: u32, value: u32, maxEntries: 10, flags: BPF_F_RDONLY }],
    ["array", { type: "array", key: u32, value: pair, maxEntries: 3 }],
    ["percpu_hash", { type: "percpu_hash", key: u64, value: u32, maxEntries: 10 }],
    ["percpu_array", { type: "percpu_array", key: u32, value: u53, maxEntries: 3 }],
  ] as const)("leaves a map as it was: %s", async (_, spec) => {
    const host = open();
    const map = host.createMap(spec as never);
    const before = [[...(map as Iterable<unknown>)], map.stats(), host.memoryUsage()];
    await host.warmUp(map);
    expect([[...(map as Iterable<unknown>)], map.stats(), host.memoryUsage()]).toEqual(before);
    expect(host.verify()).toEqual([]);
    host.close();
  });

  it("ends when the host is closed meanwhile", async () => {
    const host = open();
    const warm = host.warmUp(host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 8 }));
    host.close();
    await warm;
  });

  it("refuses what it cannot warm up", async () => {
    const host = open();
    const map = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 8 });
    const wrong = (of: Host, given: unknown) => expect(of.warmUp(given as never)).rejects;
    await wrong(createHost(), map).toThrow("warmUp: expected a map of this host");
    await wrong(host, undefined).toThrow(TypeError);
    await wrong(host, host.createMap({ type: "sockmap", maxEntries: 4 })).toThrow("got a sockmap");
    map.close();
    await wrong(host, map).toThrow("is closed");
    host.close();
    await wrong(host, map).toThrow("the host");
  });
});

it("without memory for a scratch map is ENOMEM, and leaves nothing behind", async () => {
  const host = createHost({ seed: 1, maxMemory: 2 ** 20 });
  const map = host.createMap({ type: "array", key: u32, value: bytes(2 ** 14), maxEntries: 30 });
  const before = host.memoryUsage();
  const error = await host.warmUp(map).catch((thrown: unknown) => thrown);
  expectErrno(() => {
    throw error;
  }, "ENOMEM");
  expect(host.memoryUsage()).toEqual(before);
});
