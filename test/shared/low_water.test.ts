// Low-water hooks of several threads, as hosts on one memory: of all that come to a mark, one is told.
import { afterAll, describe, expect, it } from "vitest";
import {
  type ArrayMap,
  attachHost,
  createHost,
  type HashMap,
  type Host,
  type LowWater,
  u32,
} from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { hostOf } from "../support/host_of.ts";

const hosts: Host[] = [];
afterAll(() => {
  for (const host of hosts) host.close();
});

describe("several threads", () => {
  function threads(free = 5) {
    const host = createHost({ shared: true, seed: 1, cpus: 3, maxMemory: 64 * 1024 * 1024 });
    hosts.push(host);
    const calls: string[] = [];
    const hook = (name: string) => ({ free, grow: () => void calls.push(name) });
    const map = host.createMap({
      type: "rhash",
      name: "m",
      key: u32,
      value: u32,
      maxEntries: 1000,
      lowWater: hook("first"),
    });
    host.pin("/m", map);
    const join = (lowWater?: LowWater<HashMap<number, number>>) => {
      const other = attachHost(host.share());
      return other.open("/m", { key: u32, value: u32, type: "rhash", lowWater });
    };
    return { host, map, calls, hook, join };
  }

  it("the thread that crosses calls its own hook, and nobody else does", () => {
    const { map, calls, hook, join } = threads();
    const second = join(hook("second"));
    for (let key = 0; key < 995; key++) map.set(key, key);
    second.set(995, 1);
    map.set(996, 1);
    second.set(997, 1);
    expect(calls).toEqual(["second"]);
    for (let key = 995; key < 998; key++) map.delete(key);
    map.set(995, 1);
    second.set(996, 1);
    expect(calls).toEqual(["second", "first"]);
    expect(map.verify()).toEqual([]);
    hostOf(second).detach();
  });

  it("two at the mark at the same time: one calls", () => {
    const { map, calls, join } = threads();
    const second = join({
      free: 5,
      grow(same) {
        calls.push("second");
        // Another thread inserts while this one's hook runs.
        map.set(2000, 1);
        map.set(2001, 1);
        same.grow(2000);
      },
    });
    for (let key = 0; key < 995; key++) map.set(key, key);
    second.set(995, 1);
    expect([calls, map.size, map.info.maxEntries]).toEqual([["second"], 998, 2000]);
    hostOf(second).detach();
  });

  it("a thread without a hook leaves the mark to the next one that has", () => {
    const { map, calls, join } = threads();
    const bare = join();
    for (let key = 0; key < 998; key++) bare.set(key, key);
    expect(calls).toEqual([]);
    map.set(998, 1);
    map.set(999, 1);
    expect(calls).toEqual(["first"]);
    expectErrno(() => bare.set(1000, 1), "E2BIG");
    for (let key = 990; key < 1000; key++) bare.delete(key);
    for (let key = 990; key < 1000; key++) map.set(key, 1);
    expect(calls).toEqual(["first", "first"]);
    hostOf(bare).detach();
  });

  it("the mark of an array is claimed once for each length", () => {
    const host = createHost({ shared: true, seed: 1, cpus: 3, maxMemory: 64 * 1024 * 1024 });
    hosts.push(host);
    const calls: string[] = [];
    const map = host.createMap({
      type: "array",
      key: u32,
      value: u32,
      maxEntries: 100,
      lowWater: {
        free: 10,
        grow(same) {
          calls.push("first");
          second.set(95, 95);
          same.grow(200);
        },
      },
    });
    host.pin("/m", map);
    const other = attachHost(host.share());
    const second: ArrayMap<number> = other.open("/m", {
      key: u32,
      value: u32,
      type: "array",
      lowWater: { free: 10, grow: () => void calls.push("second") },
    });
    map.set(99, 99);
    expect([calls, map.get(95)]).toEqual([["first"], 95]);
    second.set(150, 1);
    expect(calls).toEqual(["first"]);
    second.set(195, 1);
    map.set(196, 1);
    expect(calls).toEqual(["first", "second"]);
    other.detach();
  });

  it("a hook that throws gives the mark back", () => {
    const { host, map, calls, join } = threads();
    const second = join({
      free: 5,
      grow() {
        throw new Error("not now");
      },
    });
    for (let key = 0; key < 995; key++) map.set(key, key);
    expect(caught(() => second.set(995, 1)).message).toBe("not now");
    map.set(995, 1);
    expect([calls, map.size]).toEqual([["first"], 996]);
    expect(host.verify()).toEqual([]);
    hostOf(second).detach();
  });

  it("counts exactly on from the mark, however many credits others hold", () => {
    const { map, calls, hook, join } = threads(500);
    const second = join(hook("second"));
    for (let key = 0; key < 300; key++) (key % 2 === 0 ? map : second).set(key, key);
    for (let key = 300; key < 500; key++) second.set(key, key);
    expect([map.size, calls]).toEqual([500, []]);
    map.set(500, 1);
    expect(calls).toEqual(["first"]);
    for (let key = 500; key < 1000; key++) (key % 2 === 0 ? map : second).set(key, key);
    expectErrno(() => map.set(1000, 1), "E2BIG");
    expectErrno(() => second.set(1000, 1), "E2BIG");
    expect([calls, map.size]).toEqual([["first"], 1000]);
    map.grow(100_000);
    for (let key = 1000; key < 99_500; key++) map.set(key, key);
    expect(calls).toEqual(["first"]);
    second.set(99_500, 1);
    expect(calls).toEqual(["first", "second"]);
    expect(map.verify()).toEqual([]);
    hostOf(second).detach();
  });
});
