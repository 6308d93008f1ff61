// A string that is a key twice in a row is encoded once; whatever has used the scratch in between, it is never taken for another.
import { expect, test } from "vitest";
import { createHost, cstring, f64, spinLock, struct, u32 } from "../../src/index.ts";

function counted(size: number) {
  const codec = cstring(size);
  let encoded = 0;
  return {
    key: {
      ...codec,
      encode(...args: Parameters<typeof codec.encode>) {
        encoded++;
        codec.encode(...args);
      },
    },
    count: () => encoded,
  };
}

test("get and set of the same string encode it once, values that are structs included", () => {
  const host = createHost({ seed: 1 });
  const { key, count } = counted(16);
  const map = host.createMap({ type: "rhash", key, value: struct({ n: u32 }), maxEntries: 8 });
  map.set("one", { n: 1 });
  map.set("two", { n: 2 });
  expect(count()).toBe(2);
  const n = map.get("one")?.n ?? 0;
  map.set("one", { n: n + 1 });
  map.has("one");
  expect(count()).toBe(3);
  expect([map.get("one"), map.get("two")]).toEqual([{ n: 2 }, { n: 2 }]);
  expect(count()).toBe(4);
  expect(map.delete("two")).toBe(true);
  expect(map.get("two")).toBeUndefined();
  expect(count()).toBe(4);
  host.close();
});

test("other uses of the scratch in between", () => {
  const host = createHost({ seed: 1 });
  const name = cstring(16);
  const names = host.createMap({ type: "rhash", key: name, value: f64, maxEntries: 8 });
  const bytes = host.createMap({
    type: "rhash",
    key: struct({ a: u32, b: u32, c: u32 }),
    value: f64,
    maxEntries: 8,
  });
  const locks = host.createMap({
    type: "hash",
    key: name,
    value: struct({ lock: spinLock, n: u32 }),
    maxEntries: 8,
  });
  names.set("a", 1).set("b", 2);
  bytes.set({ a: 1, b: 2, c: 3 }, 4);
  locks.set("a", { n: 1 }).set("b", { n: 2 });
  const between = [
    () => bytes.get({ a: 1, b: 2, c: 3 }),
    () => [...names],
    () => {
      for (const each of names.keys()) if (each === "a") names.delete("c");
    },
    () => names.nextKey("b"),
    () => names.lookupMany(["b", "a"]),
    () => locks.locked("b", (value) => ({ ...value, n: (value as { n: number }).n + (names.get("c") ?? 0) })),
    () => host.createMap({ type: "array", key: u32, value: f64, maxEntries: 4 }).close(),
    () => host.createMap({ type: "hash", key: cstring(300), value: f64, maxEntries: 4 }).set("b", 1),
    () => host.verify(),
  ];
  for (const act of between) {
    expect(names.get("a")).toBe(1);
    act();
    expect(names.get("c")).toBeUndefined();
    expect(names.get("a")).toBe(1);
    names.set("a", 1);
    expect([names.get("b"), names.size]).toEqual([2, 2]);
  }
  expect(locks.get("a")).toMatchObject({ n: 1 });
  host.close();
});

test("a getter of the value that uses the host", () => {
  const host = createHost({ seed: 1 });
  const map = host.createMap({ type: "rhash", key: cstring(16), value: struct({ n: u32 }), maxEntries: 8 });
  map.set("a", { n: 1 });
  map.get("a");
  const value = {
    get n() {
      return map.get("b")?.n ?? 7;
    },
  };
  expect(() => map.set("a", value)).toThrow();
  map.set("a", { n: 3 });
  expect([...map]).toEqual([["a", { n: 3 }]]);
  host.close();
});

test("shared hosts, and maps of one codec", () => {
  const host = createHost({ seed: 1, shared: true });
  const key = cstring(16);
  const [one, two] = [1, 2].map((n) => {
    const map = host.createMap({ type: "rhash", key, value: f64, maxEntries: 8 });
    return map.set("a", n);
  });
  expect([one.get("a"), two.get("a")]).toEqual([1, 2]);
  expect(two.delete("a")).toBe(true);
  expect([one.get("a"), two.get("a")]).toEqual([1, undefined]);
  host.close();
});
