// Batches that write: what they do, and how far they got when an entry fails.
import { describe, expect, it } from "vitest";
import {
  type Batch,
  BPF_ANY,
  BPF_EXIST,
  BPF_F_LOCK,
  BPF_F_NO_PREALLOC,
  BPF_NOEXIST,
  bytes,
  createHost,
  ERRNO,
  spinLock,
  struct,
  u32,
} from "../../../src/index.ts";
import { caught, expectErrno } from "../../support/caught.ts";
import {
  type AnyMap,
  ARRAYS,
  batchOf,
  EVERY_TYPE,
  EVICTING,
  HASHES,
  isPerCpu,
  openAny,
  outcome,
  refuses,
} from "../../support/every_type.ts";
import { hostOf } from "../../support/host_of.ts";

describe.each(EVERY_TYPE)("%s: updateBatch", (type) => {
  it("writes the entries in order; the last of equal keys wins", () => {
    const any = openAny(type, 10);
    const batch = batchOf(any, [
      [1, 10],
      [2, 20],
      [1, 30],
    ]);
    any.map.updateBatch(batch);
    expect([batch.count, any.map.get(1), any.map.get(2)]).toEqual([3, any.value(30), any.value(20)]);
  });

  it("takes only batch.count entries, none for 0", () => {
    const any = openAny(type, 10);
    const batch = batchOf(any, [
      [1, 10],
      [2, 20],
    ]);
    batch.count = 0;
    any.map.updateBatch(batch);
    expect(batch.count).toBe(0);
    batch.count = 1;
    any.map.updateBatch(batch);
    const untouched = type.endsWith("array") ? any.value(0) : undefined;
    expect(any.map.get(1)).toEqual(any.value(10));
    if (type === "array" || untouched === undefined) expect(any.map.get(2)).toEqual(untouched);
    else expect(any.map.get(2)).toEqual([0, 0, 0]);
  });

  it.runIf(refuses(type))("ends with E2BIG where there is no room, and says how far it got", () => {
    const any = openAny(type, 3);
    const batch = batchOf(any, [
      [0, 1],
      [1, 2],
      [2, 3],
      [7, 4],
      [0, 5],
    ]);
    const error = expectErrno(() => any.map.updateBatch(batch), "E2BIG");
    expect([error.count, batch.count, error.syscall]).toEqual([3, 3, "map_update_batch"]);
    expect(error.message).toMatch(/^updateBatch: map "m" .*at entry 3 of 5 \(E2BIG\); /);
    expect([0, 1, 2, 7].map((key) => any.map.get(key))).toEqual([
      any.value(1),
      any.value(2),
      any.value(3),
      undefined,
    ]);
    // The same batch goes on behind it.
    batch.count = 5;
    expect(expectErrno(() => any.map.updateBatch(batch), "E2BIG").count).toBe(3);
  });

  it("refuses unknown elemFlags and flags before anything is written", () => {
    const any = openAny(type, 10);
    const batch = batchOf(any, [[1, 10]]);
    const before = any.map.get(1);
    for (const elemFlags of [3, 4, 5, 6, 8, 2 ** 31, 2 ** 40]) {
      batch.elemFlags = elemFlags;
      expect(expectErrno(() => any.map.updateBatch(batch), "EINVAL").count).toBeUndefined();
    }
    for (const elemFlags of [-1, 0.5, Number.NaN]) {
      batch.elemFlags = elemFlags;
      expect(caught(() => any.map.updateBatch(batch)).message).toMatch(/^updateBatch: map "m": flags/);
    }
    batch.elemFlags = 0;
    batch.flags = 1;
    expectErrno(() => any.map.updateBatch(batch), "EINVAL");
    expect([batch.count, any.map.get(1)]).toEqual([1, before]);
    for (const count of [2, -1, 0.5]) {
      batch.flags = 0;
      batch.count = count;
      expect(caught(() => any.map.updateBatch(batch))).toBeInstanceOf(RangeError);
    }
  });

  it("is EPERM on a frozen map, for an empty batch, too", () => {
    const any = openAny(type, 10);
    const batch = batchOf(any, [[1, 10]]);
    any.map.updateBatch(batch);
    any.map.freeze();
    for (const count of [1, 0]) {
      batch.count = count;
      const error = expectErrno(() => any.map.updateBatch(batch), "EPERM");
      expect([error.count, batch.count]).toEqual([undefined, count]);
    }
    expect(any.map.get(1)).toEqual(any.value(10));
  });

  it("is seen by an iterator that has fetched the entry before", () => {
    const any = openAny(type, 4);
    const batch = batchOf(
      any,
      [0, 1, 2, 3].map((key) => [key, key] as const),
    );
    any.map.updateBatch(batch);
    const iterator = any.map.entries();
    const first = iterator.next().value?.[0] as number;
    const changed = [0, 1, 2, 3].map((key) => [key, key + 100] as const);
    any.map.updateBatch(batchOf(any, changed));
    const rest = [...iterator].map(([key, value]) => [key, any.count(value)]);
    expect(new Map(rest as [number, number][])).toEqual(new Map(changed.filter(([key]) => key !== first)));
  });
});

describe.each(HASHES)("%s: batches with conditions and deletes", (type) => {
  it("BPF_NOEXIST and BPF_EXIST hold for each entry", () => {
    const any = openAny(type, 10);
    any.map.set(2, any.value(0));
    const batch = batchOf(any, [
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
    batch.elemFlags = BPF_NOEXIST;
    const exists = expectErrno(() => any.map.updateBatch(batch), "EEXIST");
    expect([exists.count, batch.count, any.map.get(1), any.map.get(2), any.map.has(3)]).toEqual([
      1,
      1,
      any.value(10),
      any.value(0),
      false,
    ]);
    expect(exists.message).toContain("at entry 1 of 3, which BPF_NOEXIST forbids (EEXIST)");
    batch.count = 3;
    batch.elemFlags = BPF_EXIST;
    const absent = expectErrno(() => any.map.updateBatch(batch), "ENOENT");
    expect([absent.count, any.map.get(2), any.map.has(3)]).toEqual([2, any.value(20), false]);
  });

  it.runIf(refuses(type))("the flag is looked at before the room", () => {
    const any = openAny(type, 1);
    any.map.set(1, any.value(0));
    const batch = batchOf(any, [[2, 20]]);
    for (const [flags, code] of [
      [BPF_EXIST, "ENOENT"],
      [BPF_NOEXIST, "E2BIG"],
      [BPF_ANY, "E2BIG"],
    ] as const) {
      batch.elemFlags = flags;
      batch.count = 1;
      expect(expectErrno(() => any.map.updateBatch(batch), code).count).toBe(0);
    }
  });

  it("deleteBatch deletes up to the first absent key", () => {
    const any = openAny(type, 10);
    for (const key of [1, 2, 3]) any.map.set(key, any.value(key));
    const all = batchOf(
      any,
      [1, 2, 3].map((key) => [key, 0] as const),
    );
    const missing = batchOf(any, [
      [1, 0],
      [9, 0],
      [2, 0],
    ]);
    const error = expectErrno(() => any.map.deleteBatch(missing), "ENOENT");
    expect([error.count, missing.count, error.syscall]).toEqual([1, 1, "map_delete_batch"]);
    expect(error.message).toBe('deleteBatch: map "m" does not have the key at entry 1 of 3 (ENOENT)');
    expect([...any.map.keys()].sort()).toEqual([2, 3]);
    expect(expectErrno(() => any.map.deleteBatch(all), "ENOENT").count).toBe(0);
    any.map.set(1, any.value(1));
    all.count = 3;
    any.map.deleteBatch(all);
    expect([all.count, any.map.size]).toEqual([3, 0]);
  });

  it("a key that stands twice in deleteBatch is absent the second time", () => {
    const any = openAny(type, 10);
    for (const key of [1, 2]) any.map.set(key, any.value(key));
    const batch = batchOf(any, [
      [1, 0],
      [1, 0],
      [2, 0],
    ]);
    expect(expectErrno(() => any.map.deleteBatch(batch), "ENOENT").count).toBe(1);
    expect([...any.map.keys()]).toEqual([2]);
  });

  it("deleteBatch takes no elemFlags, no frozen map and no batch of another map", () => {
    const any = openAny(type, 10);
    any.map.set(1, any.value(1));
    const batch = batchOf(any, [[1, 0]]);
    for (const elemFlags of [1, 2, 4]) {
      batch.elemFlags = elemFlags;
      expectErrno(() => any.map.deleteBatch(batch), "EINVAL");
    }
    batch.elemFlags = 0;
    const other = hostOf(any.map).createMap({
      type: "hash",
      name: "other",
      key: u32,
      value: u32,
      maxEntries: 4,
    });
    for (const call of [
      () => other.deleteBatch(batch as Batch<number, number>),
      () => other.updateBatch(batch as Batch<number, number>),
    ]) {
      expect(expectErrno(call, "EINVAL").message).toContain('map "other" was given a batch of map "m"');
    }
    any.map.freeze();
    expect(expectErrno(() => any.map.deleteBatch(batch), "EPERM").count).toBeUndefined();
    expect(any.map.has(1)).toBe(true);
    batch.close();
    expectErrno(() => any.map.deleteBatch(batch), "EBADF");
    expectErrno(() => any.map.updateBatch(batch), "EBADF");
  });

  it("large batches grow the map and the memory under it, and shrink it again", () => {
    const host = createHost({ seed: 3, cpus: 2 });
    // Those that evict have all their memory from the start.
    const grows = !EVICTING.includes(type);
    const map = host.createMap({
      type,
      key: u32,
      value: bytes(64),
      maxEntries: 50_000,
      flags: grows ? BPF_F_NO_PREALLOC : 0,
    }) as AnyMap["map"];
    const batch = map.createBatch(50_000);
    const words = new Uint32Array(batch.keys.buffer, batch.keys.byteOffset, 50_000);
    for (let i = 0; i < 50_000; i++) words[i] = i * 7;
    batch.values.fill(9);
    map.updateBatch(batch);
    expect([batch.count, map.size, words.length]).toEqual([50_000, 50_000, grows ? 0 : 50_000]);
    expect(map.get(7 * 49_999)).toEqual(
      isPerCpu(type) ? [new Uint8Array(64).fill(9), new Uint8Array(64).fill(9)] : new Uint8Array(64).fill(9),
    );
    map.deleteBatch(batch);
    expect([batch.count, map.size]).toEqual([50_000, 0]);
  });
});

describe.each(ARRAYS)("%s: conditions and deletes", (type) => {
  it("every index exists: BPF_EXIST is as BPF_ANY, BPF_NOEXIST fails at once", () => {
    const any = openAny(type, 2);
    const batch = batchOf(any, [
      [1, 10],
      [5, 50],
    ]);
    batch.elemFlags = BPF_EXIST;
    expect(expectErrno(() => any.map.updateBatch(batch), "E2BIG").count).toBe(1);
    expect(any.map.get(1)).toEqual(any.value(10));
    batch.elemFlags = BPF_NOEXIST;
    batch.count = 2;
    expect(expectErrno(() => any.map.updateBatch(batch), "EEXIST").count).toBe(0);
    const outside = batchOf(any, [[5, 50]]);
    outside.elemFlags = BPF_NOEXIST;
    expect(expectErrno(() => any.map.updateBatch(outside), "E2BIG").count).toBe(0);
    outside.count = 0;
    any.map.updateBatch(outside);
  });

  it("nothing deletes", () => {
    const any = openAny(type, 2);
    const batch = batchOf(any, [[1, 10]]);
    expect(expectErrno(() => any.map.deleteBatch(batch), "ENOTSUPP").count).toBeUndefined();
    expectErrno(() => any.map.lookupAndDeleteBatch(batch), "ENOTSUPP");
    expect(batch.count).toBe(1);
    any.map.freeze();
    expectErrno(() => any.map.deleteBatch(batch), "EPERM");
    expectErrno(() => any.map.lookupAndDeleteBatch(batch), "EPERM");
  });
});

it("ENOMEM says how many entries were done, in updateBatch and addMany", () => {
  const host = createHost({ seed: 1, maxMemory: 1024 * 1024 });
  const value = struct({ n: u32, rest: bytes(200) });
  const map = host.createMap({ type: "rhash", name: "m", key: u32, value, maxEntries: 1_000_000 });
  const batch = map.createBatch(100);
  const keys = Uint32Array.from({ length: 100 }, (_, i) => i);
  const failure = (call: (first: number) => void) => {
    for (let first = 0; first < 1_000_000; first += 100) {
      const before = map.size;
      const got = outcome(100, () => call(first));
      expect(map.size - before).toBe(got.done);
      if (got.errno !== 0) return got.errno;
    }
    return 0;
  };
  expect(
    failure((first) => {
      for (let i = 0; i < 100; i++) batch.set(i, first + i, { n: first + i, rest: new Uint8Array(200) });
      batch.count = 100;
      map.updateBatch(batch);
    }),
  ).toBe(ERRNO.ENOMEM);
  for (let key = 0; key < map.size; key++) expect(map.get(key)?.n).toBe(key);
  map.clear();
  const byAddition = failure((first) =>
    map.addMany(
      keys.map((key) => key + first),
      keys,
      { field: "n" },
    ),
  );
  expect(byAddition).toBe(ERRNO.ENOMEM);
  for (let key = 0; key < map.size; key++) expect(map.get(key)?.n).toBe(key % 100);
});

it("BPF_F_LOCK is taken with a spinLock in the value, with a condition, too", () => {
  const value = struct({ lock: spinLock, n: u32 });
  const map = createHost({ seed: 1 }).createMap({ type: "hash", key: u32, value, maxEntries: 4 });
  const batch = map.createBatch(1);
  batch.set(0, 1, { n: 5 });
  batch.elemFlags = BPF_F_LOCK | BPF_EXIST;
  expectErrno(() => map.updateBatch(batch), "ENOENT");
  batch.count = 1;
  batch.elemFlags = BPF_F_LOCK;
  map.updateBatch(batch);
  expect(map.get(1)).toEqual({ n: 5 });
  map.deleteBatch(batch);
  expect(map.size).toBe(0);
});
