// What the kernel accepts at MAP_CREATE: tables 1.2-1.4 and 1.6 of the semantics study, column HASH and RHASH.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  array,
  bytes,
  type Codec,
  createHost,
  type ErrnoCode,
  type HashType,
  type Host,
  type MapSpec,
  Scalar,
  spinLock,
  struct,
  u8,
  u32,
} from "../../src/index.ts";
import { refuseCreate } from "../../src/maps/validate.ts";
import { caught, expectErrno } from "../support/caught.ts";

type Expected = "OK" | ErrnoCode;
type Spec = Partial<MapSpec<unknown, unknown>>;

let host: Host;
beforeEach(() => {
  host = createHost({ seed: 1, maxMemory: 64 * 1024 * 1024 });
});
afterEach(() => host.close());

const locked = struct({ lock: spinLock, count: u32 });

/** Creates, or fails as expected: with the errno, in map_create, and without a byte left behind. */
function check(type: HashType, spec: Spec, expected: Expected): void {
  const create = () => host.createMap({ type, key: u32, value: u32, maxEntries: 4, ...spec });
  if (expected === "OK") {
    const map = create();
    expect(map.info.maxEntries).toBe(spec.maxEntries ?? 4);
    map.close();
  } else {
    const error = expectErrno(create, expected);
    expect(error.syscall).toBe("map_create");
    expect(error.message).toMatch(/^createMap: (map "|the r?hash map )/);
  }
  expect(host.memoryUsage().bytes).toBe(0);
}

describe.each<[string, number, Expected, Expected]>([
  ["none", 0, "OK", "OK"],
  ["NO_PREALLOC", 0x1, "OK", "OK"],
  ["NO_COMMON_LRU", 0x2, "EINVAL", "EINVAL"],
  ["NUMA_NODE", 0x4, "OK", "OK"],
  ["RDONLY", 0x8, "OK", "OK"],
  ["WRONLY", 0x10, "OK", "OK"],
  ["STACK_BUILD_ID", 0x20, "EINVAL", "EINVAL"],
  // The kernel's RHASH refuses ZERO_SEED because it reseeds on every resize; our tables keep their seed.
  ["ZERO_SEED", 0x40, "OK", "OK"],
  ["RDONLY_PROG", 0x80, "OK", "OK"],
  ["WRONLY_PROG", 0x100, "OK", "OK"],
  ["CLONE", 0x200, "EINVAL", "EINVAL"],
  ["MMAPABLE", 0x400, "EINVAL", "EINVAL"],
  ["PRESERVE_ELEMS", 0x800, "EINVAL", "EINVAL"],
  ["INNER_MAP", 0x1000, "EINVAL", "EINVAL"],
  ["LINK", 0x2000, "EINVAL", "EINVAL"],
  ["PATH_FD", 0x4000, "EINVAL", "EINVAL"],
  ["VTYPE_BTF_OBJ_FD", 0x8000, "EINVAL", "EINVAL"],
  ["TOKEN_FD", 0x10000, "EINVAL", "EINVAL"],
  ["SEGV_ON_FAULT", 0x20000, "EINVAL", "EINVAL"],
  ["NO_USER_CONV", 0x40000, "EINVAL", "EINVAL"],
  ["bit 19", 0x80000, "EINVAL", "EINVAL"],
  ["bit 20", 1 << 20, "EINVAL", "EINVAL"],
  ["bit 31", 2 ** 31, "EINVAL", "EINVAL"],
  ["RDONLY+WRONLY", 0x18, "EINVAL", "EINVAL"],
  ["RDONLY_PROG+WRONLY_PROG", 0x180, "EINVAL", "EINVAL"],
  ["NO_PREALLOC+ZERO_SEED", 0x41, "OK", "OK"],
  ["NO_PREALLOC+NO_COMMON_LRU", 0x3, "EINVAL", "EINVAL"],
  ["NO_COMMON_LRU+NUMA_NODE", 0x6, "EINVAL", "EINVAL"],
  ["NUMA_NODE+NO_PREALLOC", 0x5, "OK", "OK"],
  ["MMAPABLE+NUMA_NODE", 0x404, "EINVAL", "EINVAL"],
  ["MMAPABLE+RDONLY_PROG", 0x480, "EINVAL", "EINVAL"],
  ["MMAPABLE+INNER_MAP", 0x1400, "EINVAL", "EINVAL"],
  ["RDONLY+RDONLY_PROG", 0x88, "OK", "OK"],
])("flags %s (%i)", (_name, flags, hash, rhash) => {
  it("hash", () => check("hash", { flags }, hash));
  it("rhash", () => check("rhash", { flags }, rhash));
});

describe.each<[string, Spec, Expected, Expected]>([
  ["maxEntries 0", { maxEntries: 0 }, "EINVAL", "EINVAL"],
  ["maxEntries 1", { maxEntries: 1 }, "OK", "OK"],
  ["key of 1 byte", { key: u8 }, "OK", "OK"],
  ["key of 3 bytes", { key: bytes(3) }, "OK", "OK"],
  ["key of 513 bytes", { key: bytes(513) }, "OK", "OK"],
  ["key of 65535 bytes", { key: bytes(65535) }, "OK", "OK"],
  ["key of 65536 bytes", { key: bytes(65536) }, "OK", "E2BIG"],
  ["key of 2 GiB", { key: bytes(0x7fffffff) }, "E2BIG", "E2BIG"],
  ["value of 1 byte", { value: bytes(1) }, "OK", "OK"],
  ["value of 32769 bytes", { value: bytes(32769) }, "OK", "OK"],
  ["value of 2 GiB", { value: bytes(0x7fffffff) }, "E2BIG", "E2BIG"],
  ["key + value = 4194255", { value: bytes(4194251), maxEntries: 1 }, "OK", "OK"],
  ["key + value = 4194256", { value: bytes(4194252), maxEntries: 1 }, "E2BIG", "E2BIG"],
  ["maxEntries 2^27 + 1", { maxEntries: 2 ** 27 + 1, flags: 1 }, "E2BIG", "OK"],
  ["maxEntries 2^31", { maxEntries: 2 ** 31, flags: 1 }, "E2BIG", "OK"],
  ["maxEntries 2^31 + 1", { maxEntries: 2 ** 31 + 1, flags: 1 }, "E2BIG", "E2BIG"],
  ["maxEntries 2^32 - 1", { maxEntries: 2 ** 32 - 1, flags: 1 }, "E2BIG", "E2BIG"],
  ["name of 15", { name: "abcDEF_019.xyzw" }, "OK", "OK"],
  ["name of 16", { name: "abcDEF_019.xyzwv" }, "EINVAL", "EINVAL"],
  ["name with a dash", { name: "a-b" }, "EINVAL", "EINVAL"],
  ["name with a NUL", { name: "a\0b" }, "EINVAL", "EINVAL"],
  ["name outside ASCII", { name: "flüsse" }, "EINVAL", "EINVAL"],
  ["mapExtra 0", { mapExtra: 0 }, "OK", "OK"],
  ["mapExtra 4", { mapExtra: 4 }, "EINVAL", "OK"],
  ["mapExtra 5 above maxEntries 4", { mapExtra: 5 }, "EINVAL", "EINVAL"],
  ["mapExtra 65535", { mapExtra: 65535, maxEntries: 100_000 }, "EINVAL", "OK"],
  ["mapExtra 65536", { mapExtra: 65536, maxEntries: 100_000 }, "EINVAL", "E2BIG"],
  ["mapExtra 65536 above maxEntries 4", { mapExtra: 65536 }, "EINVAL", "E2BIG"],
  ["mapExtra 2^32", { mapExtra: 2 ** 32, maxEntries: 100_000 }, "EINVAL", "EINVAL"],
  ["spinLock in the value", { value: locked }, "OK", "OK"],
  ["spinLock and RDONLY_PROG", { value: locked, flags: 0x80 }, "EACCES", "EACCES"],
  ["spinLock and WRONLY_PROG", { value: locked, flags: 0x100 }, "OK", "OK"],
])("%s", (_name, spec, hash, rhash) => {
  it("hash", () => check("hash", spec, hash));
  it("rhash", () => check("rhash", spec, rhash));
});

describe("the first failing check decides", () => {
  it.each<[string, HashType, Spec, ErrnoCode]>([
    ["mapExtra before flags", "hash", { mapExtra: 1, flags: 0x20 }, "EINVAL"],
    ["the size of an rhash key before flags", "rhash", { key: bytes(65536), flags: 0x20 }, "E2BIG"],
    ["flags before sizes", "hash", { flags: 0x20, key: bytes(0x7fffffff) }, "EINVAL"],
    ["maxEntries 0 before sizes", "hash", { maxEntries: 0, key: bytes(0x7fffffff) }, "EINVAL"],
    ["RDONLY+WRONLY before sizes", "hash", { flags: 0x18, key: bytes(0x7fffffff) }, "EINVAL"],
    ["sizes before the name", "hash", { name: "a-b", key: bytes(0x7fffffff) }, "E2BIG"],
    ["maxEntries before the name", "hash", { name: "a-b", maxEntries: 2 ** 28 }, "E2BIG"],
    ["maxEntries before the spinLock", "hash", { flags: 0x80, value: locked, maxEntries: 2 ** 28 }, "E2BIG"],
    ["RDONLY+WRONLY before the spinLock", "hash", { flags: 0x98, value: locked }, "EINVAL"],
  ])("%s", (_name, type, spec, code) => check(type, spec, code));
});

it("refuses sizes that no codec has", () => {
  const good = {
    type: "hash",
    name: "",
    keySize: 4,
    valueSize: 4,
    maxEntries: 1,
    flags: 0,
    mapExtra: 0,
  };
  expect(refuseCreate(good)).toBeUndefined();
  expect(refuseCreate({ ...good, keySize: 0 })?.errno).toBe(22);
  expect(refuseCreate({ ...good, valueSize: 0 })?.errno).toBe(22);
  expect(refuseCreate({ ...good, keySize: 0xffffffff })?.errno).toBe(7);
  expect(refuseCreate({ ...good, valueSize: 0x80000000 })?.errno).toBe(7);
  expect(refuseCreate({ ...good, maxEntries: 2 ** 27 })).toBeUndefined();
});

it.each(["", "HASH", "stack", "lru"])("unknown type %j is EINVAL and named", (type) => {
  const create = () =>
    host.createMap({ type: type as HashType, name: "m", key: u32, value: u32, maxEntries: 1 });
  expect(expectErrno(create, "EINVAL").message).toContain(`unknown type ${JSON.stringify(type)}`);
});

describe("what JavaScript got wrong is a TypeError or RangeError that names it", () => {
  const fake: Codec<number> = { ...u32, size: 0 };
  it.each<[string, unknown, typeof TypeError | typeof RangeError, RegExp]>([
    ["no spec", undefined, TypeError, /createMap: expected \{ type, key, value, maxEntries \}/],
    ["no type", { type: undefined }, TypeError, /createMap: map "m": type: expected a string/],
    ["no key", { key: undefined }, TypeError, /createMap: map "m": key: expected a codec/],
    ["a key that is no codec", { key: "u32" }, TypeError, /map "m": key: expected a codec, got string "u32"/],
    ["a codec without bytes", { key: fake }, TypeError, /key: expected a codec/],
    ["no value", { value: null }, TypeError, /map "m": value: expected a codec/],
    ["a spinLock in the key", { key: locked }, TypeError, /key: a spinLock is allowed only in the value/],
    [
      "maxEntries as text",
      { maxEntries: "12" },
      TypeError,
      /maxEntries: expected an integer .* got string "12"/,
    ],
    ["no maxEntries", { maxEntries: undefined }, TypeError, /maxEntries: expected an integer/],
    ["fractional maxEntries", { maxEntries: 1.5 }, RangeError, /maxEntries/],
    ["negative maxEntries", { maxEntries: -1 }, RangeError, /maxEntries/],
    ["maxEntries NaN", { maxEntries: Number.NaN }, RangeError, /maxEntries/],
    ["maxEntries 2^32", { maxEntries: 2 ** 32 }, RangeError, /maxEntries/],
    ["flags as text", { flags: "0" }, TypeError, /flags/],
    ["flags 2^32", { flags: 2 ** 32 }, RangeError, /flags/],
    ["negative mapExtra", { mapExtra: -1 }, RangeError, /mapExtra/],
    ["fractional mapExtra", { mapExtra: 0.5 }, RangeError, /mapExtra/],
    ["mapExtra as bigint", { mapExtra: 1n }, TypeError, /mapExtra/],
    ["name as number", { name: 5 }, TypeError, /name: expected a string/],
  ])("%s", (_name, wrong, Kind, message) => {
    const good = { type: "rhash", name: "m", key: u32, value: u32, maxEntries: 4 };
    const spec = wrong === undefined ? undefined : { ...good, ...(wrong as object) };
    const error = caught(() => host.createMap(spec as unknown as MapSpec<number, number>));
    expect(error).toBeInstanceOf(Kind);
    expect(error.message).toMatch(message);
    expect(host.memoryUsage().bytes).toBe(0);
  });
});

it("ENOMEM for a hash whose preallocated entries do not fit the host, which stays usable", () => {
  const before = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 10 }).set(1, 2);
  const used = host.memoryUsage().bytes;
  const create = () =>
    host.createMap({ type: "hash", name: "huge", key: u32, value: bytes(64), maxEntries: 2 ** 27 });
  const error = expectErrno(create, "ENOMEM");
  expect(error.message).toContain('map "huge" could not get memory');
  expect(host.memoryUsage().bytes).toBe(used);
  expect(before.get(1)).toBe(2);
});

it("info tells the flags of the map, not those of the handle", () => {
  const read = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 4, flags: 0x8 | 0x40 });
  expect(read.info.flags).toBe(0x40);
  const resizable = host.createMap({
    type: "rhash",
    key: u32,
    value: u8,
    maxEntries: 40,
    mapExtra: 7,
    name: "r",
  });
  expect(resizable.info).toEqual({
    id: 2,
    type: "rhash",
    name: "r",
    keySize: 4,
    valueSize: 1,
    maxEntries: 40,
    flags: 1,
    mapExtra: 7,
  });
});

it("a hint is room at the start: inserts up to it split nothing", () => {
  const map = host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 10_000, mapExtra: 5000 });
  for (let key = 0; key < 5000; key++) map.set(key, key);
  expect(map.stats().splits).toBe(0);
  for (let key = 5000; key < 10_000; key++) map.set(key, key);
  expect(map.stats().splits).toBeGreaterThan(0);
});

it("ZERO_SEED gives the same order on every host", () => {
  const order = (seed: number, flags: number): number[] => {
    using other = createHost({ seed });
    const map = other.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 100, flags });
    for (let key = 0; key < 100; key++) map.set(key, key);
    return [...map.keys()];
  };
  expect(order(1, 0x40)).toEqual(order(2, 0x40));
  expect(order(1, 0)).not.toEqual(order(2, 0));
});

it("takes codecs of every shape", () => {
  const shapes: Codec<unknown>[] = [u8, u32, bytes(16), array(u8, 5), struct({ a: u8, b: array(u32, 3) })];
  for (const key of shapes) {
    for (const value of shapes) {
      expect(key.scalar === Scalar.NONE || key.size <= 8).toBe(true);
      host.createMap({ type: "hash", key, value, maxEntries: 3 }).close();
    }
  }
  expect(host.memoryUsage().bytes).toBe(0);
});
