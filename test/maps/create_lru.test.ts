// What is accepted of maps that evict: the kernel's checks (tables 1.2 to 1.4 and 4.3 of the semantics study, columns LRU_HASH and
// LRU_PERCPU_HASH), and the options that the kernel has none of.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  attachHost,
  bytes,
  createHost,
  type ErrnoCode,
  type EvictionType,
  type Host,
  type MapSpec,
  spinLock,
  struct,
  text,
  u32,
  u64,
} from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";

const TYPES = ["lru_hash", "lru_percpu_hash"] as const;
const CPUS = 3;
type Spec = Partial<MapSpec<unknown, unknown>>;
type Expected = "OK" | ErrnoCode;

let host: Host;
beforeEach(() => {
  host = createHost({ seed: 1, cpus: CPUS, maxMemory: 64 * 1024 * 1024 });
});
afterEach(() => host.close());

function create(type: EvictionType, spec: object = {}) {
  const whole = { type, key: u32, value: u32, maxEntries: 4, ...spec };
  return host.createMap(whole as MapSpec<unknown, unknown, EvictionType>);
}

const locked = struct({ lock: spinLock, count: u32 });

describe.each<[string, Spec, Expected, Expected]>([
  ["no flags", {}, "OK", "OK"],
  ["NO_PREALLOC", { flags: 0x1 }, "ENOTSUPP", "ENOTSUPP"],
  ["NO_COMMON_LRU", { flags: 0x2 }, "OK", "OK"],
  ["NUMA_NODE", { flags: 0x4 }, "OK", "EINVAL"],
  ["RDONLY", { flags: 0x8 }, "OK", "OK"],
  ["ZERO_SEED", { flags: 0x40 }, "OK", "OK"],
  ["MMAPABLE", { flags: 0x400 }, "EINVAL", "EINVAL"],
  ["NO_PREALLOC and NO_COMMON_LRU", { flags: 0x3 }, "ENOTSUPP", "ENOTSUPP"],
  ["NO_COMMON_LRU and NUMA_NODE", { flags: 0x6 }, "EINVAL", "EINVAL"],
  ["NUMA_NODE and NO_PREALLOC", { flags: 0x5 }, "ENOTSUPP", "ENOTSUPP"],
  ["maxEntries 0", { maxEntries: 0 }, "EINVAL", "EINVAL"],
  ["maxEntries 0 and NO_COMMON_LRU", { maxEntries: 0, flags: 0x2 }, "EINVAL", "EINVAL"],
  ["maxEntries 2^27 + 1", { maxEntries: 2 ** 27 + 1 }, "E2BIG", "E2BIG"],
  // Three CPUs have 2^27 + 1 entries in equal parts.
  ["maxEntries 2^27 and NO_COMMON_LRU", { maxEntries: 2 ** 27, flags: 0x2 }, "E2BIG", "E2BIG"],
  ["value of 32769 bytes", { value: bytes(32769) }, "OK", "E2BIG"],
  ["mapExtra 4", { mapExtra: 4 }, "EINVAL", "EINVAL"],
  ["a spinLock in the value", { value: locked }, "EOPNOTSUPP", "EOPNOTSUPP"],
  ["a spinLock and RDONLY_PROG", { value: locked, flags: 0x80 }, "EACCES", "EACCES"],
])("%s", (_name, spec, lru, percpu) => {
  it.each([
    ["lru_hash", lru],
    ["lru_percpu_hash", percpu],
  ] as const)("%s", (type, expected) => {
    if (expected === "OK") create(type, spec).close();
    else expect(expectErrno(() => create(type, spec), expected).syscall).toBe("map_create");
    expect(host.memoryUsage().bytes).toBe(0);
  });
});

describe.each(TYPES)("%s", (type) => {
  it("has as many entries for each CPU with NO_COMMON_LRU", () => {
    const entries = [1, 3, 4, 100];
    expect(entries.map((maxEntries) => create(type, { maxEntries }).info.maxEntries)).toEqual(entries);
    expect(entries.map((maxEntries) => create(type, { maxEntries, flags: 2 }).info.maxEntries)).toEqual([
      3, 3, 6, 102,
    ]);
  });

  it("says what it evicts by", () => {
    expect(create(type).info).toMatchObject({ type, eviction: "value" });
    expect(create(type, { eviction: "recency" }).info).toMatchObject({ type, eviction: "recency" });
  });

  it("has no low-water mark, and does not grow", () => {
    const lowWater = { free: 1, grow: () => {} };
    const error = expectErrno(() => create(type, { lowWater }), "EINVAL");
    expect(error.message).toContain(`but an ${type} never grows`);
    const map = create(type);
    expect(expectErrno(() => map.grow(8), "EINVAL").message).toContain(`an ${type} never grows`);
  });

  it.each<[string, object, RegExp]>([
    [
      "a choice that is none",
      { eviction: "lru" },
      /eviction: expected "value" or "recency", got string "lru"/,
    ],
    ["a hook that is none", { onEvict: 5 }, /onEvict: expected a function, got number 5/],
    ["an async hook", { onEvict: async () => {} }, /onEvict: expected a plain function/],
    ["a filter", { absentFilter: true }, /absentFilter: a hash or an rhash has one/],
  ])("refuses %s", (_name, spec, message) => {
    const error = caught(() => create(type, spec));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(message);
    host.pin("/m", create(type));
    if ("absentFilter" in spec || "eviction" in spec) return;
    const opened = caught(() => host.open("/m", { key: u32, value: u32, type, ...spec }));
    expect(opened.message).toMatch(message);
  });

  it("is opened by other threads as what it is", () => {
    const shared = createHost({ shared: true, cpus: 2, maxMemory: 16 * 1024 * 1024 });
    const other = attachHost(shared.share());
    const spec = { key: u32, value: u64, maxEntries: 4 } as const;
    shared.pin("/recency", shared.createMap({ type, ...spec, eviction: "recency" }));
    shared.pin("/value", shared.createMap({ type, ...spec }));
    expect(other.open("/recency", { type, ...spec }).info).toMatchObject({ type, eviction: "recency" });
    expect(other.open("/value", { type, ...spec }).info).toMatchObject({ type, eviction: "value" });
    expect(() => other.open("/value", { ...spec, type: "hash" })).toThrow(
      `it is a map of type ${type}, not hash`,
    );
    other.detach();
    shared.close();
  });
});

it("no other type evicts", () => {
  for (const type of ["hash", "rhash", "percpu_hash", "array", "percpu_array", "sockmap"]) {
    for (const spec of [{ eviction: "value" }, { onEvict: () => {} }]) {
      const value = type === "sockmap" ? undefined : u32;
      const wrong = { type, key: u32, value, maxEntries: 4, ...spec } as unknown as MapSpec<number, number>;
      expect(caught(() => host.createMap(wrong)).message).toContain(
        `${Object.keys(spec)[0]}: an lru_hash or lru_percpu_hash has it, not a map of type ${type}`,
      );
    }
  }
});

it("an lru_hash has texts of any length, an lru_percpu_hash those of one", () => {
  const long = create("lru_hash", { key: text(1000) });
  const fixed = create("lru_percpu_hash", { key: text(1000) });
  expect([long.stats().layout, fixed.stats().layout]).toEqual(["texts", "out-of-line"]);
});

it("hooks are of the types of the map", () => {
  host.createMap({
    type: "lru_hash",
    key: u32,
    value: u64,
    maxEntries: 4,
    onEvict: (key, value, reason) => {
      const typed: [number, bigint, "evict" | "expire"] = [key, value, reason];
      void typed;
    },
  });
  host.createMap({
    type: "lru_percpu_hash",
    key: u32,
    value: u64,
    maxEntries: 4,
    onEvict: (key, value, reason) => {
      const typed: [number, bigint[], "evict" | "expire"] = [key, value, reason];
      void typed;
    },
  });
});
