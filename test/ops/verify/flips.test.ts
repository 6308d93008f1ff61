// Bits of host memory that turn over: whatever comes of it, no call goes on for ever, none throws what is not documented, and verify sees
// what does harm. test/slow/flips.test.ts turns over ten thousand.
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { BpfError, bytes, createHost, DamagedError, u32, u53 } from "../../../src/index.ts";
import { BUILD_MS, builtRoot } from "../../support/built.ts";
import { caught } from "../../support/caught.ts";
import { CoreConstants, invariant } from "../../support/core/constants.ts";
import { circles, flips, harmOf, sizes, tableOf } from "../../support/flips/flips.mjs";
import { huntingSeed } from "../../support/seed.ts";
import { bySize } from "../../support/size.ts";

const FLIPS = bySize(8, 30);

let entry = "";
beforeAll(() => {
  entry = pathToFileURL(`${builtRoot()}dist/index.js`).href;
}, BUILD_MS);

test("some bits", async () => {
  const outcomes = await flips(entry, huntingSeed("ops/verify/flips.test.ts"), FLIPS);
  expect(outcomes).toHaveLength(FLIPS);
  expect(harmOf(outcomes), tableOf(outcomes)).toEqual([]);
});

// Seeds of runs that met a loop. 3589512434: a scan that stops inside a bucket, and finds it without memory when it goes on.
test.each([3589512434])("bits that made a loop: seed %s", async (seed) => {
  const outcomes = await flips(entry, seed, 8);
  expect(harmOf(outcomes), tableOf(outcomes)).toEqual([]);
});

// Copies of keys or values that are too long reach the header of the map itself, and a scan finds no position behind another.
test("sizes that are damaged end every call with an error, and verify sees them", async () => {
  const outcomes = await sizes(entry);
  expect(outcomes.length).toBeGreaterThan(1);
  expect(outcomes.filter(({ kind, seen }) => kind !== "typed" || !seen)).toEqual([]);
});

test("a circle in a chain ends every call with an error, and verify sees it", async () => {
  const outcomes = await circles(entry);
  expect(outcomes.length).toBeGreaterThan(5);
  expect(outcomes.filter(({ kind, seen }) => kind !== "typed" || !seen)).toEqual([]);
});

describe.each([false, true])("a trap, shared: %s", (shared) => {
  const constants = new CoreConstants(shared);
  const open = () => {
    const host = createHost({
      seed: 3,
      shared,
      cpus: 2,
      maxMemory: 16 * 1024 * 1024,
      ...(shared ? { lockTimeout: 20 } : {}),
    });
    const map = host.createMap({ type: "rhash", name: "m", key: u32, value: u53, maxEntries: 1000 });
    for (let n = 0; n < 100; n++) map.set(n, n);
    const other = host.createMap({ type: "rhash", key: bytes(5), value: u32, maxEntries: 1000 });
    return { host, map, other };
  };

  test("of a single call or of one over many is a DamagedError with the trap as its cause", () => {
    const { host, map } = open();
    host.u32[(map.table.handle + constants.header("BUCKET_SEGMENTS")) >>> 2] = 0xffff_ff00;
    expect(caught(() => map.get(1)).message).toMatch(/^get: map "m" cannot go on/);
    for (const call of [
      () => map.get(1),
      () => map.has(1),
      () => map.set(1, 1),
      () => map.delete(1),
      () => map.add(1, 1),
      () => map.lookupMany(Uint32Array.of(1)),
      () => [...map.keys()],
      () => [...map.drain()],
      () => map.process({ filter: () => 0 }),
      () => map.clear(),
      () => map.get(1),
      () => map.close(),
    ]) {
      const error = caught(call) as DamagedError;
      expect(error).toBeInstanceOf(DamagedError);
      expect(error).toBeInstanceOf(BpfError);
      expect(error).toMatchObject({ name: "DamagedError", code: "EUCLEAN", errno: 117 });
      expect(error.message).toContain("the memory is damaged (EUCLEAN); verify() on the host says where");
      expect(error.cause).toBeInstanceOf(WebAssembly.RuntimeError);
    }
  });

  test("leaves nothing behind that other maps would wait for", () => {
    const { host, map, other } = open();
    host.u32[(map.table.handle + constants.header("BUCKET_SEGMENTS")) >>> 2] = 0xffff_ff00;
    for (const call of [() => map.set(1000, 1), () => map.clear(), () => map.process({ filter: () => 0 })]) {
      expect(caught(call)).toBeInstanceOf(DamagedError);
    }
    for (let n = 0; n < 200; n++) other.set(Uint8Array.of(n, 0, 0, 0, 0), n);
    for (let n = 0; n < 150; n++) other.delete(Uint8Array.of(n, 0, 0, 0, 0));
    expect([...other.keys()]).toHaveLength(50);
    expect(other.verify()).toEqual([]);
    host.section(() => {});
    host.synchronize();
    const another = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 10 });
    expect(another.set(1, 1).get(1)).toBe(1);
  });

  test("inside verify is one of the problems that it finds", () => {
    const { host } = open();
    // The list of free blocks of 64 bytes leads out of the memory.
    const problems = host.verify();
    expect(problems).toEqual([]);
    host.u32[(constants.region("ARENA") + 20) >>> 2] = 0xffff_ffc0;
    expect(host.verify()).not.toEqual([]);
  });
});

test.each([
  ["FLAG_WORDS", "FROZEN", 2],
  ["FLAG_WORDS", "FLAGS", 1 << 20],
  ["AS_CREATED", "MAX_ENTRIES", 1 << 20],
  ["AS_CREATED", "VALUE_SIZE", 1],
] as const)("%s: a bit of %s", (name, word, bit) => {
  const constants = new CoreConstants(false);
  const host = createHost({ seed: 3 });
  const map = host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 100 });
  map.set(1, 1);
  const at = (map.table.handle + constants.header(word)) >>> 2;
  host.u32[at] ^= bit;
  expect(map.verify()[0]).toContain(`invariant ${invariant(name)},`);
});

// By offset in the book: the low bits of a unit and of the ttl, and whether a get renews.
test.each([8, 16, 28])("BOOK_WORDS: a bit of the word %i that expiry goes by", (offset) => {
  const host = createHost({ seed: 3, clock: () => 0 });
  const map = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 100, ttl: 700 });
  const book = host.word(map.table.handle + new CoreConstants(false).header("BOOK"));
  host.u32[(book + offset) >>> 2] ^= 1;
  expect(map.verify()[0]).toContain(`invariant ${invariant("BOOK_WORDS")},`);
});

test("a damaged count of events tells of no more than there is room for", () => {
  const host = createHost({ seed: 3 });
  let told = 0;
  const onEvict = () => {
    told++;
  };
  const map = host.createMap({ type: "lru_hash", key: u32, value: u32, maxEntries: 10, onEvict });
  const book = host.word(map.table.handle + new CoreConstants(false).header("BOOK"));
  const buffer = host.word(book + 60);
  expect(map.verify()).toEqual([]);
  host.u32[buffer >>> 2] = 2 ** 31;
  expect(map.verify()[0]).toContain(`invariant ${invariant("BOOK_WORDS")},`);
  map.set(1, 1);
  expect([told, map.verify()]).toEqual([128, []]);
});

test("ARRAY_ROOM: a value in the room that growth has not shown yet", () => {
  const host = createHost({ seed: 3 });
  const map = host.createMap({ type: "array", key: u32, value: u53, maxEntries: 10 });
  map.grow(15);
  const last = host.core.arrayElement(map.table.handle, 14) >>> 0;
  expect(map.verify()).toEqual([]);
  host.u8[last + 8] = 1;
  expect(map.verify()[0]).toContain(`invariant ${invariant("ARRAY_ROOM")},`);
});

test("OPEN_SECTIONS: a thread that is in none, and on a host of its own, one more than there are", () => {
  const shared = createHost({ seed: 3, shared: true, cpus: 2, maxMemory: 16 * 1024 * 1024 });
  expect(shared.section(() => shared.verify())).toEqual([]);
  shared.u32[new CoreConstants(true).region("SECTION_MASK") >>> 2] = 2;
  expect(shared.verify()[0]).toContain(`invariant ${invariant("OPEN_SECTIONS")},`);
  const own = createHost({ seed: 3 });
  expect(own.section(() => own.verify())).toEqual([]);
  own.u32[new CoreConstants(false).region("SECTION_DEPTH") >>> 2] = 1;
  expect(own.verify()).toEqual(["the host: 0 sections are open, and it counts 1"]);
});

describe("what is damaged does not lead to stores elsewhere", () => {
  const open = () =>
    createHost({ seed: 3, shared: true, cpus: 2, lockTimeout: 20, maxMemory: 16 * 1024 * 1024 });
  const constants = new CoreConstants(true);

  test("the place of the spin lock in a value", () => {
    const host = open();
    const map = host.createMap({ type: "percpu_array", key: u32, value: u53, maxEntries: 40 });
    for (let n = 0; n < 40; n++) map.set(n, [n, n]);
    const address = (map.table.handle + constants.header("LOCK_OFFSET")) >>> 2;
    const before = host.u8.slice();
    const scratch = host.u32[address]!;
    // 4097 and 8 bytes before the value, and behind its end.
    for (const offset of [0xffff_efff, 0xffff_fff8, 16]) {
      host.u32[address] = offset;
      for (const call of [() => map.get(1), () => map.set(1, [1, 1]), () => [...map.entries()]])
        expect(caught(call), String(offset)).toBeInstanceOf(DamagedError);
      expect(map.verify()[0]).toContain(`invariant ${invariant("MEASURES")},`);
    }
    host.u32[address] = scratch;
    expect(host.verify()).toEqual([]);
    const { handle } = map.table;
    const header = (bytes: Uint8Array) => bytes.slice(handle, handle + constants.named("HEADER_BYTES"));
    expect(header(host.u8)).toEqual(header(before));
    expect(map.get(1)).toEqual([1, 1]);
  });

  test("a page of a KV store", () => {
    const host = open();
    const store = host.createKvStore({ name: "kv", maxKeys: 20 });
    for (let key = 0; key < 10; key++) store.put(key, new Uint8Array(900).fill(key));
    const pages = store.table.handle >>> 2;
    const words = host.u8.slice(constants.region("HOST_CPUS"), 1024);
    host.u32[pages] = host.u32[pages]! + 8; // an entry's bytes in use and longest run stand where the page and its bitmap should
    for (const size of [900, 901, 5])
      expect(caught(() => store.put(3, new Uint8Array(size)))).toBeInstanceOf(DamagedError);
    expect(caught(() => store.put(15, new Uint8Array(5)))).toBeInstanceOf(DamagedError);
    expect(caught(() => store.delete(4))).toBeInstanceOf(DamagedError);
    // The arena's lock has another version: other allocations have taken it.
    expect(host.u8.slice(constants.region("HOST_CPUS"), 448)).toEqual(
      words.slice(0, 448 - constants.region("HOST_CPUS")),
    );
    host.u32[pages] = host.u32[pages]! - 8;
    expect(host.verify()).toEqual([]);
    expect(store.get(3)).toEqual(new Uint8Array(900).fill(3));
  });
});
