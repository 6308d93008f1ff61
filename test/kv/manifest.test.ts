// Manifests: pairs with names and types, and what a store says to one that it does not have.
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  array,
  attachHost,
  bytes,
  type Codec,
  createHost,
  cstring,
  f64,
  i8,
  type KvPair,
  ManifestMismatchError,
  spinLock,
  struct,
  u8,
  u16,
  u32,
  u64,
} from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { HOSTS } from "./hosts.ts";

const v1 = {
  pairs: {
    hits: { codec: u32 },
    limit: { codec: f64, default: 2.5 },
    name: { codec: cstring(8), default: "eu" },
    range: { codec: struct({ low: u16, high: u16 }), default: { low: 1, high: 9 } },
  },
};

describe.each(HOSTS)("on %s", (_, create) => {
  test("a store starts with the defaults, or zeros", () => {
    const store = create().createKvStore({ manifest: v1 });
    expect(store.read()).toEqual({ hits: 0, limit: 2.5, name: "eu", range: { low: 1, high: 9 } });
    expect(store.size).toBe(4);
    expect(store.verify()).toEqual([]);
  });

  test("names are keys, in the order of the manifest", () => {
    const store = create().createKvStore({ manifest: v1 });
    const pairs = (["hits", "limit", "name", "range"] as const).map((name) => store.pair(name));
    expect(pairs.map(({ key, name }) => [key, name])).toEqual([
      [0, "hits"],
      [1, "limit"],
      [2, "name"],
      [3, "range"],
    ]);
    store.pair("hits").set(0x01020304);
    expect(store.get(0)).toEqual(Uint8Array.of(4, 3, 2, 1));
    store.put(0, Uint8Array.of(1, 0, 0, 0));
    expect(store.pair("hits").get()).toBe(1);
    expect(store.manifest).toEqual({
      generation: 1,
      pairs: [
        { name: "hits", layout: "u32", size: 4, version: 1, key: 0 },
        { name: "limit", layout: "f64", size: 8, version: 1, key: 1 },
        { name: "name", layout: "cstring(8)", size: 8, version: 1, key: 2 },
        { name: "range", layout: "struct { low: u16, high: u16 }", size: 4, version: 1, key: 3 },
      ],
    });
  });

  test("types follow from the manifest", () => {
    const store = create().createKvStore({ manifest: v1 });
    expectTypeOf(store.pair("name")).toEqualTypeOf<KvPair<string>>();
    expectTypeOf(store.read()).toEqualTypeOf<{
      hits: number;
      limit: number;
      name: string;
      range: { low: number; high: number };
    }>();
    // @ts-expect-error no such pair
    expectErrno(() => store.pair("nothing"), "ENOENT");
    // @ts-expect-error a number
    expect(caught(() => store.pair("hits").set("1"))).toBeInstanceOf(TypeError);
  });

  test("pairs keep what was set, apart from each other", () => {
    const store = create().createKvStore({ manifest: v1 });
    const [hits, name, range] = [store.pair("hits"), store.pair("name"), store.pair("range")];
    for (let i = 1; i <= 100; i++) {
      hits.set(hits.get() + i);
      name.set(`n${i}`);
      range.set({ low: i, high: 2 * i });
    }
    expect([hits.get(), name.get(), range.get()]).toEqual([5050, "n100", { low: 100, high: 200 }]);
    expect(store.pair("limit").get()).toBe(2.5);
  });

  test("a value that the codec cannot hold leaves the pair as it was", () => {
    const store = create().createKvStore({ name: "s", manifest: v1 });
    const [hits, range] = [store.pair("hits"), store.pair("range")];
    hits.set(7);
    const error = caught(() => hits.set(-1));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toBe('kv.set: KV store "s": pair "hits": expected u32 (0..4294967295), got -1');
    expect(caught(() => range.set({ low: 5, high: 70000 }))).toBeInstanceOf(RangeError);
    expect([hits.get(), range.get()]).toEqual([7, { low: 1, high: 9 }]);
  });

  test("a getter of a value may set the pair that is being set", () => {
    const store = create().createKvStore({ manifest: v1 });
    const range = store.pair("range");
    range.set({
      get low() {
        range.set({ low: 100, high: 200 });
        return 3;
      },
      high: 4,
    });
    expect(range.get()).toEqual({ low: 3, high: 4 });
  });

  test("a handle without a manifest has no pairs, until it is bound", () => {
    const host = create();
    host.pin("/s", host.createKvStore({ name: "s", manifest: v1 }));
    const store = host.openKvStore("/s");
    expect(expectErrno(() => store.pair("hits" as never), "ENOENT").message).toBe(
      'kv.pair: KV store "s" was opened without a manifest (ENOENT); bind() one',
    );
    expectErrno(() => store.read(), "ENOENT");
    expect(store.manifest.pairs.length).toBe(4);
    expect(store.bind(v1).pair("limit").get()).toBe(2.5);
    expect(expectErrno(() => store.pair("limits" as never), "ENOENT").message).toBe(
      'kv.pair: KV store "s" has no pair "limits" in its manifest, but "hits", "limit", "name", "range" (ENOENT)',
    );
  });

  test("an error lists every difference, both sides of it", () => {
    const host = create();
    host.pin("/s", host.createKvStore({ name: "s", manifest: v1 }));
    const other = {
      pairs: {
        hits: { codec: u64 },
        limit: { codec: f64, default: 100, version: 2 },
        name: { codec: cstring(8), default: "us" },
        extra: { codec: bytes(1) },
      },
    };
    for (const open of [
      () => host.openKvStore("/s", { manifest: other }),
      () => host.openKvStore("/s").bind(other),
    ]) {
      const error = expectErrno(open, "EINVAL") as ManifestMismatchError;
      expect(error).toBeInstanceOf(ManifestMismatchError);
      expect(error.message.split("\n").slice(1)).toEqual([
        '  "hits": the store has u32 (4 bytes), version 1, the manifest u64 (8 bytes), version 1',
        '  "limit": the store has f64 (8 bytes), version 1, the manifest f64 (8 bytes), version 2',
        '  "range": the store has struct { low: u16, high: u16 } (4 bytes), version 1, the manifest no such pair',
        '  "extra": the store has no such pair, the manifest bytes(1) (1 byte), version 1',
      ]);
      expect(error.message).toContain('KV store "s" has another manifest in force, 4 differences');
      expect(error.differences.map(({ name, stored, given }) => [name, !stored, !given])).toEqual([
        ["hits", false, false],
        ["limit", false, false],
        ["range", false, true],
        ["extra", true, false],
      ]);
    }
    // A handle that could not be opened is closed.
    host.unpin("/s");
    expect(host.memoryUsage().maps.length).toBe(1); // the one that made it
  });

  test("a manifest of the wrong form", () => {
    const host = create();
    const make = (pairs: unknown) => () => host.createKvStore({ manifest: { pairs } as never });
    for (const pairs of [
      null,
      { a: null },
      { a: {} },
      { a: { codec: 5 } },
      { "": { codec: u32 } },
      { a: { codec: u32, default: "x" } },
      { a: { codec: u32, version: "2" } },
      { a: { codec: u32, convert: 5 } },
      { a: { codec: u32, revert: 5 } },
      { a: { codec: struct({ lock: spinLock, n: u32 }) } },
    ]) {
      expect(caught(make(pairs)), JSON.stringify(pairs)).toBeInstanceOf(TypeError);
    }
    for (const pairs of [{ a: { codec: u8, default: 256 } }, { a: { codec: u8, version: -1 } }]) {
      expect(caught(make(pairs)), JSON.stringify(pairs)).toBeInstanceOf(RangeError);
    }
    expect(caught(make({ port: { codec: u8, default: 256 } })).message).toBe(
      'createKvStore: manifest: "port": default: expected u8 (0..255), got 256',
    );
    expectErrno(make({ a: { codec: bytes(4097) } }), "E2BIG");
    expect(host.memoryUsage().bytes).toBe(0);
  });

  test("pairs that do not fit are ENOSPC, and nothing is left", () => {
    const host = create();
    const big = { codec: bytes(4096) };
    expectErrno(() => host.createKvStore({ maxPages: 1, manifest: { pairs: { a: big, b: big } } }), "ENOSPC");
    const keys = expectErrno(
      () => host.createKvStore({ maxKeys: 1, manifest: { pairs: { a: { codec: u8 }, b: { codec: u8 } } } }),
      "ENOSPC",
    );
    expect(keys.message).toContain("has no free key");
    expect(host.memoryUsage().bytes).toBe(0);
  });

  test("the keys of pairs are safe from plain puts and deletes", () => {
    const store = create().createKvStore({ name: "s", manifest: v1 });
    expect(expectErrno(() => store.put(0, new Uint8Array(5)), "EINVAL").message).toBe(
      'kv.put: KV store "s" has the pair "hits" at key 0, of 4 bytes, not 5 (EINVAL); change its size by a rollout',
    );
    expect(expectErrno(() => store.delete(0), "EPERM").message).toBe(
      'kv.delete: KV store "s" has the pair "hits" at key 0 (EPERM); drop it by a rollout',
    );
    store.put(4, new Uint8Array(5));
    expect(store.delete(4)).toBe(true);
    expect(store.read().hits).toBe(0);
  });

  test("names may be anything but empty", () => {
    const names = ["constructor", "toString", "a b", "ünïcödé", "0", '"'];
    const pairs = Object.fromEntries(names.map((name, i) => [name, { codec: u8, default: i }]));
    const host = create();
    const store = host.createKvStore({ manifest: { pairs } });
    for (const name of names) expect(store.pair(name).get(), name).toBe(pairs[name]!.default);
    expect(Object.keys(store.read()).sort()).toEqual([...names].sort());
    expect(store.bind({ pairs }).pair("ünïcödé").get()).toBe(3);
  });

  test("a store of 1,000 pairs", () => {
    const pairs = Object.fromEntries(
      Array.from({ length: 1000 }, (_, i) => [`pair number ${i}`, { codec: u16, default: i }]),
    );
    const store = create().createKvStore({ manifest: { pairs }, maxKeys: 1000 });
    expect(store.pair("pair number 777").get()).toBe(777);
    expect(Object.values(store.read())).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(store.verify()).toEqual([]);
  });

  test("every codec can be a pair's", () => {
    const codecs: Codec<unknown>[] = [u8, i8, u64, array(u16, 3), bytes(4096), cstring(5)] as never;
    const pairs = Object.fromEntries(codecs.map((codec) => [codec.name, { codec }]));
    const store = create().createKvStore({ manifest: { pairs } });
    const values = [255, -128, 2n ** 64n - 1n, [1, 2, 3], new Uint8Array(4096).fill(9), "four"];
    for (const [i, { name }] of codecs.entries()) store.pair(name).set(values[i]);
    expect(Object.values(store.read())).toEqual(values);
    for (const [i, { name }] of codecs.entries()) expect(store.pair(name).get()).toEqual(values[i]);
  });
});

test("another thread binds to the manifest that it finds", () => {
  const host = createHost({ shared: true, cpus: 2, maxMemory: 16 * 1024 * 1024 });
  const store = host.createKvStore({ manifest: v1 });
  host.pin("/s", store);
  const other = attachHost(host.share()).openKvStore("/s", { manifest: v1 });
  store.pair("name").set("asia");
  other.pair("hits").set(4);
  expect(other.read()).toEqual({ hits: 4, limit: 2.5, name: "asia", range: { low: 1, high: 9 } });
  expect(store.pair("hits").get()).toBe(4);
});
