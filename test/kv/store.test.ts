// KV stores: what calls give and throw, on hosts of both kinds.
import { describe, expect, test } from "vitest";
import { attachHost, createHost, u32 } from "../../src/index.ts";
import {
  BPF_ATTR_ID,
  BPF_ATTR_OBJ,
  BPF_MAP_GET_FD_BY_ID,
  BPF_MAP_GET_NEXT_ID,
  BPF_OBJ_GET,
  writeStruct,
} from "../../src/uapi/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { HOSTS } from "./hosts.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const filled = (length: number, value = 1) => new Uint8Array(length).fill(value);

describe.each(HOSTS)("on %s", (_, create) => {
  test("a value is what was put, until something else is", () => {
    const store = create().createKvStore();
    expect(store.get(5)).toBe(undefined);
    store.put(5, bytes(1, 2, 3));
    const value = store.get(5)!;
    store.put(5, bytes(9, 9, 9));
    expect(value).toEqual(bytes(1, 2, 3));
    expect(value.buffer).toBeInstanceOf(ArrayBuffer);
    expect(value.byteLength).toBe(value.buffer.byteLength);
    expect([store.delete(5), store.delete(5), store.get(5)]).toEqual([true, false, undefined]);
  });

  test.each([1, 4095, 4096])("a value of %i bytes", (size) => {
    const store = create().createKvStore({ maxPages: 1 });
    store.put(0, filled(size, 7));
    expect(store.get(0)).toEqual(filled(size, 7));
    expect(store.sizeOf(0)).toBe(size);
    expect(store.verify()).toEqual([]);
  });

  test("values of no bytes and of 4097 are refused, and leave what was there", () => {
    const store = create().createKvStore({ name: "s" });
    store.put(1, bytes(5));
    const empty = expectErrno(() => store.put(1, new Uint8Array(0)), "EINVAL");
    expect(empty.message).toBe(
      'kv.put: KV store "s" takes values of 1 to 4096 bytes, the one for key 1 has none (EINVAL); delete() the key instead',
    );
    expect([empty.operation, empty.map, empty.syscall]).toEqual(["kv.put", undefined, undefined]);
    const large = expectErrno(() => store.put(1, filled(4097)), "E2BIG");
    expect(large.message).toBe(
      'kv.put: KV store "s" takes values of 1 to 4096 bytes, the one for key 1 has 4097 (E2BIG); spread it over several keys',
    );
    expect(store.get(1)).toEqual(bytes(5));
  });

  test.each([-1, 1024, 1.5, Number.NaN, 2 ** 32])("key %s is none of 1024", (key) => {
    const store = create().createKvStore({ name: "s" });
    store.put(0, bytes(5));
    for (const call of [
      () => store.put(key, bytes(1)),
      () => store.get(key),
      () => store.copy(key, filled(1)),
      () => store.delete(key),
      () => store.has(key),
      () => store.sizeOf(key),
      () => store.view(key),
    ]) {
      expect(expectErrno(call, "EINVAL").message).toContain(
        `KV store "s" has the keys 0..1023, and ${key} is none`,
      );
    }
    expect([store.size, store.get(0)]).toEqual([1, bytes(5)]);
  });

  test("wrong types are TypeErrors", () => {
    const store = create().createKvStore();
    const wrong = (value: unknown) => value as never;
    for (const call of [
      () => store.put(wrong("1"), bytes(1)),
      () => store.get(wrong("1")),
      () => store.delete(wrong(1n)),
      () => store.put(1, wrong([1, 2])),
      () => store.put(1, wrong(new Uint16Array(4))),
      () => store.copy(1, wrong([])),
    ]) {
      expect(caught(call)).toBeInstanceOf(TypeError);
    }
    expect(store.size).toBe(0);
  });

  test("a full store says so, and stays as it was", () => {
    const store = create().createKvStore({ name: "full", maxPages: 2 });
    store.put(0, filled(4096));
    store.put(1, filled(4000));
    const error = expectErrno(() => store.put(2, filled(97)), "ENOSPC");
    expect(error.message).toBe(
      'kv.put: KV store "full" has no 97 free bytes in one piece in its 2 pages of 4096 bytes (ENOSPC); delete values or create it with more maxPages',
    );
    store.put(2, filled(96, 3));
    expectErrno(() => store.put(2, filled(97)), "ENOSPC");
    expect([store.get(0), store.get(1), store.get(2), store.size]).toEqual([
      filled(4096),
      filled(4000),
      filled(96, 3),
      3,
    ]);
  });

  test("copy() fills a buffer of the caller's", () => {
    const store = create().createKvStore();
    for (const size of [3, 64, 96, 97, 4096]) {
      store.put(
        0,
        Uint8Array.from({ length: size }, (_, i) => i * 7),
      );
      const target = filled(size + 2, 255);
      expect(store.copy(0, target)).toBe(size);
      expect(target).toEqual(Uint8Array.from({ length: size + 2 }, (_, i) => (i < size ? i * 7 : 255)));
    }
    expect(caught(() => store.copy(0, filled(4095)))).toBeInstanceOf(RangeError);
    const target = filled(1, 3);
    expect([store.copy(1, target), target]).toEqual([0, bytes(3)]);
  });

  test("view() is live while the value keeps its size and place", () => {
    const store = create().createKvStore();
    expect(store.view(0)).toBe(undefined);
    store.put(0, bytes(1, 2, 3));
    const view = store.view(0)!;
    store.put(0, bytes(4, 5, 6));
    expect(view).toEqual(bytes(4, 5, 6));
    view[1] = 50;
    expect(store.get(0)).toEqual(bytes(4, 50, 6));
  });

  test("a view of the store can be put into it", () => {
    const store = create().createKvStore({ maxPages: 3 });
    store.put(
      0,
      Uint8Array.from({ length: 3000 }, (_, i) => i),
    );
    const expected = store.get(0)!;
    store.put(1, store.view(0)!);
    store.put(2, store.view(1)!.subarray(100, 2100));
    store.put(0, store.view(0)!.subarray(1000));
    expect(store.get(1)).toEqual(expected);
    expect(store.get(2)).toEqual(expected.subarray(100, 2100));
    expect(store.get(0)).toEqual(expected.subarray(1000));
    expect(store.verify()).toEqual([]);
  });

  test("pages come and go with the values, and every byte is accounted for", () => {
    const host = create();
    const store = host.createKvStore({ name: "pages", maxKeys: 100 });
    const empty = host.memoryUsage();
    expect(empty.maps).toEqual([
      { id: 1, name: "pages", type: "kv", bytes: store.memoryUsage(), entries: 0 },
    ]);
    store.put(0, bytes(1));
    store.put(1, filled(4096));
    expect([store.pages, store.memoryUsage()]).toEqual([2, empty.maps[0]!.bytes + 2 * 4608]);
    store.delete(0);
    store.delete(1);
    expect([store.pages, host.memoryUsage()]).toEqual([0, empty]);
    store.close();
    expect(host.memoryUsage().bytes).toBe(0);
  });

  test("a closed store, and one of a closed host, answers EBADF", () => {
    const host = create();
    const store = host.createKvStore({ name: "s", manifest: { pairs: { n: { codec: u32 } } } });
    const pair = store.pair("n");
    store.close();
    store.close();
    for (const call of [
      () => store.put(0, bytes(1)),
      () => store.get(0),
      () => store.delete(0),
      () => store.view(0),
      () => store.size,
      () => store.metadata,
      () => store.pages,
      () => store.manifest,
      () => store.pair("n"),
      () => store.read(),
      () => store.bind({ pairs: {} }),
      () => store.plan({ pairs: {} }),
      () => store.rollout({ pairs: {} }),
      () => store.memoryUsage(),
      () => store.verify(),
      () => pair.get(),
      () => pair.set(1),
      () => pair.key,
    ]) {
      expectErrno(call, "EBADF");
    }
    const other = host.createKvStore();
    host.close();
    expect(expectErrno(() => other.get(0), "EBADF").message).toContain("is on a closed host");
    expectErrno(() => host.createKvStore(), "EBADF");
    expectErrno(() => host.openKvStore("/x"), "EBADF");
  });

  test("a spec of the wrong form", () => {
    const host = create();
    const make = (spec: unknown) => () => host.createKvStore(spec as never);
    for (const spec of [
      null,
      5,
      { name: 5 },
      { maxKeys: "1" },
      { maxPages: null },
      { manifest: 5 },
      { manifest: {} },
    ]) {
      expect(caught(make(spec)), JSON.stringify(spec)).toBeInstanceOf(TypeError);
    }
    for (const spec of [
      { maxKeys: 0 },
      { maxKeys: 524_289 },
      { maxKeys: 1.5 },
      { maxPages: 0 },
      { maxPages: 129 },
    ]) {
      expect(caught(make(spec)), JSON.stringify(spec)).toBeInstanceOf(RangeError);
    }
    expectErrno(make({ name: "sixteen_letters_" }), "EINVAL");
    expectErrno(make({ name: "a b" }), "EINVAL");
    expect(host.memoryUsage().bytes).toBe(0);
  });

  test("a store is pinned, opened and unpinned as a map is, and neither is taken for the other", () => {
    const host = create();
    const store = host.createKvStore({ maxKeys: 10, maxPages: 3 });
    const map = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 4 });
    host.pin("/store", store);
    host.pin("/map", map);
    expectErrno(() => host.pin("/map", store), "EEXIST");
    store.put(9, bytes(3));
    store.close();
    const again = host.openKvStore("/store");
    expect([again.get(9), again.maxKeys, again.maxPages]).toEqual([bytes(3), 10, 3]);
    expect(expectErrno(() => host.openKvStore("/map"), "EINVAL").message).toContain("has a map");
    expect(expectErrno(() => host.open("/store", { key: u32, value: u32 }), "EINVAL").message).toContain(
      "has a KV store",
    );
    expectErrno(() => host.openKvStore("/nothing"), "ENOENT");
    expect(caught(() => host.openKvStore("/store", 5 as never))).toBeInstanceOf(TypeError);
    expectErrno(() => host.pin("/closed", store), "EBADF");
    expect(caught(() => createHost().pin("/other", again))).toBeInstanceOf(TypeError);
    again.close();
    map.close();
    host.unpin("/store");
    host.unpin("/map");
    expect(host.memoryUsage().bytes).toBe(0);
  });

  test("bpf(2) does not see stores", () => {
    const host = create();
    const store = host.createKvStore();
    host.pin("/store", store);
    const map = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 4 });
    const attr = writeStruct(BPF_ATTR_ID, { start_id: 0 });
    expect(host.bpf(BPF_MAP_GET_NEXT_ID, attr)).toBe(0);
    expect(new DataView(attr.buffer).getUint32(4, true)).toBe(map.info.id);
    expect(host.bpf(BPF_MAP_GET_FD_BY_ID, writeStruct(BPF_ATTR_ID, { start_id: 1 }))).toBe(-2);
    const memory = new ArrayBuffer(64);
    new Uint8Array(memory).set(new TextEncoder().encode("/store"), 8);
    expect(host.bpf(BPF_OBJ_GET, writeStruct(BPF_ATTR_OBJ, { pathname: 8 }), memory)).toBe(-2);
    host.unpin("/store");
    store.close();
    expect(host.memoryUsage().maps.map(({ type }) => type)).toEqual(["hash"]);
  });

  test("when the host has no memory for a page, the store is as it was", () => {
    const host = create();
    const store = host.createKvStore({ name: "s", maxPages: 3 });
    store.put(0, filled(3000));
    const core = host.core as unknown as { setLimit(bytes: number): void };
    for (const room of [0, 4096]) {
      const before = host.memoryUsage();
      core.setLimit(before.bytes + room);
      expectErrno(() => store.put(1, filled(2000)), "ENOMEM");
      core.setLimit(0);
      expect([host.memoryUsage(), store.get(0)]).toEqual([before, filled(3000)]);
      expect(host.verify()).toEqual([]);
    }
    store.put(1, filled(2000));
    expect(store.pages).toBe(2);
  });

  test("creating fails at every allocation, and leaves no byte", () => {
    const host = create();
    const core = host.core as unknown as { setLimit(bytes: number): void };
    const spec = { maxKeys: 100, manifest: { pairs: { n: { codec: u32 }, m: { codec: u32 } } } };
    let failures = 0;
    for (let room = 64; ; room += 64) {
      core.setLimit(room);
      try {
        host.createKvStore(spec);
        break;
      } catch (error) {
        expect(error).toMatchObject({ code: "ENOMEM" });
        failures++;
      } finally {
        core.setLimit(0);
      }
      expect(host.memoryUsage().bytes).toBe(0);
      expect(host.verify()).toEqual([]);
    }
    expect(failures).toBeGreaterThan(20);
  });
});

test("a store that a thread does not pin goes with it; one that it pins stays", () => {
  const host = createHost({ shared: true, cpus: 3, maxMemory: 16 * 1024 * 1024 });
  const before = host.memoryUsage();
  const [leaving, dying] = [attachHost(host.share()), attachHost(host.share())];
  leaving.createKvStore({ name: "left" }).put(0, filled(100));
  dying.createKvStore({ name: "dead" }).put(0, filled(100));
  const kept = dying.createKvStore({ name: "kept" });
  kept.put(1, filled(10, 4));
  dying.pin("/kept", kept);
  expect(host.memoryUsage().maps.map(({ name }) => name)).toEqual(["left", "dead", "kept"]);
  leaving.detach();
  expect(host.reap(dying.cpu)).toBe(true);
  expect(host.memoryUsage().maps.map(({ name }) => name)).toEqual(["kept"]);
  const store = host.openKvStore("/kept");
  expect(store.get(1)).toEqual(filled(10, 4));
  store.close();
  host.unpin("/kept");
  expect(host.memoryUsage()).toEqual(before);
  expect(host.verify()).toEqual([]);
});

test("a store on a shared host is one store for all threads", () => {
  const host = createHost({ shared: true, cpus: 2, maxMemory: 16 * 1024 * 1024 });
  const store = host.createKvStore();
  host.pin("/s", store);
  const other = attachHost(host.share()).openKvStore("/s");
  store.put(0, bytes(1, 2, 3));
  expect(other.get(0)).toEqual(bytes(1, 2, 3));
  other.put(0, filled(2000));
  other.put(7, filled(3000));
  expect([store.get(0), store.size, store.pages]).toEqual([filled(2000), 2, 2]);
  expect(other.delete(0)).toBe(true);
  expect(store.has(0)).toBe(false);
});
