import { describe, expect, it } from "vitest";
import {
  BPF_F_LOCK,
  bytes,
  createHost,
  cstring,
  type HashMap,
  type HashType,
  spinLock,
  struct,
  u16,
  u32,
} from "../../../src/index.ts";
import { caught, expectErrno } from "../../support/caught.ts";
import { hostOf } from "../../support/host_of.ts";

const TYPES: HashType[] = ["hash", "rhash"];
const ENTRIES = 1000;

function filled(type: HashType, entries = ENTRIES): HashMap<number, number> {
  const map = createHost({ seed: 5, maxMemory: 64 * 1024 * 1024 }).createMap({
    type,
    name: "flows",
    key: u32,
    value: u32,
    maxEntries: 100_000,
    flags: 1,
  });
  for (let key = 0; key < entries; key++) map.set(key, key * 2);
  return map;
}

/** All entries that a scan of batches of `size` yields, checking each call. */
function scan(map: HashMap<number, number>, size: number, remove: boolean): Map<number, number> {
  const batch = map.createBatch(size);
  const seen = new Map<number, number>();
  let more = true;
  while (more) {
    more = remove ? map.lookupAndDeleteBatch(batch) : map.lookupBatch(batch);
    if (more) expect(batch.count, "a batch before the end is full").toBe(size);
    for (const [key, value] of batch.entries()) {
      if (seen.has(key)) throw new Error(`key ${key} comes twice`);
      seen.set(key, value);
    }
  }
  batch.close();
  return seen;
}

describe.each(TYPES)("%s", (type) => {
  it.each([1, 2, 3, 7, 10, 64, 100, 999, 1000, 1001, 5000])(
    "a scan in batches of %i gives every entry once",
    (size) => {
      const map = filled(type);
      expect(scan(map, size, false)).toEqual(new Map(map));
      expect(map.size).toBe(ENTRIES);
    },
  );

  it.each([1, 7, 100, 5000])("lookupAndDeleteBatch of %i empties the map", (size) => {
    const map = filled(type);
    const expected = new Map(map);
    expect(scan(map, size, true)).toEqual(expected);
    expect([map.size, [...map]]).toEqual([0, []]);
  });

  it("an empty map ends at once", () => {
    const map = filled(type, 0);
    const batch = map.createBatch(10);
    expect([map.lookupBatch(batch), batch.count]).toEqual([false, 0]);
    batch.count = 10;
    expect([map.lookupBatch(batch), batch.count]).toEqual([false, 0]);
    expect([...map.batches()]).toEqual([]);
  });

  it("entries present throughout come exactly once while the map grows and shrinks", () => {
    const map = filled(type, 500);
    const batch = map.createBatch(16);
    const seen = new Map<number, number>();
    let more = true;
    let next = 10_000;
    while (more) {
      more = map.lookupBatch(batch);
      for (const [key] of batch.entries()) seen.set(key, (seen.get(key) ?? 0) + 1);
      for (let i = 0; i < 300 && next < 16_000; i++) map.set(next++, 1);
      if (next >= 16_000) for (let key = 10_000; key < 16_000; key++) map.delete(key);
    }
    for (let key = 0; key < 500; key++) if (!seen.has(key)) seen.set(key, 0);
    expect([...seen].filter(([, times]) => times !== 1)).toEqual([]);
  });

  it("rewind starts over with a full count; count 0 does nothing", () => {
    const map = filled(type, 100);
    const batch = map.createBatch(30);
    map.lookupBatch(batch);
    const first = [...batch.entries()];
    batch.count = 0;
    expect([map.lookupBatch(batch), batch.count]).toEqual([true, 0]);
    batch.rewind();
    expect(batch.count).toBe(30);
    map.lookupBatch(batch);
    expect([...batch.entries()]).toEqual(first);
    batch.count = 5;
    expect([map.lookupBatch(batch), batch.count]).toEqual([true, 5]);
  });

  it("batches() scans with one batch and closes it, also on break and throw", () => {
    const map = filled(type);
    const before = map.host.memoryUsage().bytes;
    let entries = 0;
    const used = new Set<unknown>();
    for (const batch of map.batches({ size: 64 })) {
      used.add(batch);
      entries += batch.count;
    }
    expect([entries, used.size]).toEqual([ENTRIES, 1]);
    for (const batch of map.batches()) {
      expect(batch.count).toBe(ENTRIES);
      break;
    }
    expect(() => {
      for (const _ of map.batches({ size: 1 })) throw new Error("mine");
    }).toThrow("mine");
    expect(map.host.memoryUsage().bytes).toBe(before);
    for (const batch of used)
      expect(caught(() => (batch as { keys: Uint8Array }).keys).message).toContain("closed");
  });

  it("batches() may delete and insert meanwhile", () => {
    const map = filled(type);
    const seen = new Set<number>();
    for (const batch of map.batches({ size: 50 })) {
      for (const [key] of batch.entries()) {
        seen.add(key);
        map.delete(key);
      }
    }
    expect([seen.size, map.size]).toEqual([ENTRIES, 0]);
  });
});

describe("Batch", () => {
  it("shows packed keys and values of the codecs' sizes", () => {
    const host = createHost({ seed: 1 });
    const map = host.createMap({ type: "hash", key: bytes(5), value: cstring(7), maxEntries: 100 });
    for (let n = 0; n < 50; n++) map.set(new Uint8Array(5).fill(n), `v${n}`);
    const batch = map.createBatch(20);
    expect([batch.capacity, batch.count, batch.keys.length, batch.values.length]).toEqual([20, 20, 100, 140]);
    expect(batch.keys.buffer).toBe(host.u8.buffer);
    map.lookupBatch(batch);
    for (let i = 0; i < 20; i++) {
      const n = batch.keys[i * 5];
      expect(batch.key(i)).toEqual(new Uint8Array(5).fill(n));
      expect(batch.value(i)).toBe(`v${n}`);
      expect(String.fromCharCode(...batch.values.subarray(i * 7, i * 7 + 2))).toBe(
        `v${n}`.slice(0, 2).padEnd(2, "\0"),
      );
    }
  });

  it("set writes an entry into the buffers and nothing when one half does not fit", () => {
    const host = createHost({ seed: 1 });
    const map = host.createMap({ type: "hash", key: u16, value: struct({ a: u16, b: u32 }), maxEntries: 4 });
    const batch = map.createBatch(3);
    batch.set(1, 5, { a: 6, b: 7 });
    batch.set(2, 9, { a: 10, b: 11 });
    expect(() => batch.set(1, 70000, { a: 1, b: 1 })).toThrow(RangeError);
    expect(() => batch.set(1, 8, { a: 70000, b: 1 })).toThrow(RangeError);
    expect([batch.key(1), batch.value(1), batch.key(2), batch.value(2)]).toEqual([
      5,
      { a: 6, b: 7 },
      9,
      { a: 10, b: 11 },
    ]);
    expect(map.size).toBe(0);
  });

  it("gives new views after host memory has grown", () => {
    const map = filled("rhash");
    const batch = map.createBatch(10);
    map.lookupBatch(batch);
    const { keys } = batch;
    const copy = [...keys];
    const large = hostOf(map).createMap({ type: "rhash", key: u32, value: bytes(200), maxEntries: 100_000 });
    for (let key = 0; key < 50_000; key++) large.set(key, new Uint8Array(200));
    expect(keys.length, "the memory has grown").toBe(0);
    expect([...batch.keys]).toEqual(copy);
    expect(batch.keys).toBe(batch.keys);
    expect(map.lookupBatch(batch)).toBe(true);
  });

  it("is refused by another map, and after close", () => {
    const map = filled("rhash");
    const other = hostOf(map).createMap({
      type: "rhash",
      name: "other",
      key: u32,
      value: u32,
      maxEntries: 4,
    });
    const batch = map.createBatch(4);
    expect(expectErrno(() => other.lookupBatch(batch), "EINVAL").message).toBe(
      'lookupBatch: map "other" was given a batch of map "flows" (EINVAL)',
    );
    expect(other.lookupMany(batch.keys)).toBe(0);
    batch.close();
    batch.close();
    expectErrno(() => map.lookupBatch(batch), "EBADF");
    expectErrno(() => map.lookupAndDeleteBatch(batch), "EBADF");
    for (const call of [() => batch.keys, () => batch.values, () => batch.key(0), () => batch.set(0, 1, 1)]) {
      expect(expectErrno(call, "EBADF").message).toContain('a batch of map "flows" is closed');
    }
    expect(map.size).toBe(ENTRIES);
  });

  it("obeys flags and elemFlags as the kernel does", () => {
    const map = filled("rhash");
    const locked = hostOf(map).createMap({
      type: "rhash",
      key: u32,
      value: struct({ l: spinLock, n: u32 }),
      maxEntries: 4,
    });
    locked.set(1, { n: 2 });
    const batch = map.createBatch(4);
    for (const elemFlags of [1, 2, 4, 8]) {
      batch.elemFlags = elemFlags;
      expectErrno(() => map.lookupBatch(batch), "EINVAL");
      expectErrno(() => map.lookupAndDeleteBatch(batch), "EINVAL");
      // Argument errors leave the count as it was.
      expect(batch.count).toBe(4);
    }
    batch.elemFlags = 0;
    batch.flags = 1;
    expectErrno(() => map.lookupBatch(batch), "EINVAL");
    const other = locked.createBatch(4);
    other.elemFlags = BPF_F_LOCK;
    expect([locked.lookupBatch(other), other.count, other.value(0)]).toEqual([false, 1, { n: 2 }]);
    other.elemFlags = 1;
    expectErrno(() => locked.lookupBatch(other), "EINVAL");
  });

  it("goes with its map", () => {
    const map = filled("rhash", 0);
    map.createBatch(100);
    map.createBatch(200);
    map.close();
    expect(map.host.memoryUsage().bytes).toBe(0);
  });

  it("is ENOMEM when its buffers do not fit the host", () => {
    const host = createHost({ seed: 1, maxMemory: 1024 * 1024 });
    const map = host.createMap({ type: "rhash", name: "flows", key: u32, value: bytes(100), maxEntries: 10 });
    map.set(1, new Uint8Array(100));
    for (const capacity of [20_000, 2 ** 28, 2 ** 31]) {
      expect(expectErrno(() => map.createBatch(capacity), "ENOMEM").message).toContain('map "flows"');
    }
    expect(map.createBatch(10).capacity).toBe(10);
  });
});
