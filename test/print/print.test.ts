// What newcomers do first with an object: print it, compare it, serialise it.
import { deepStrictEqual, notDeepStrictEqual } from "node:assert/strict";
import { inspect } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import {
  ACT_DELETE,
  array,
  BPF_F_WRONLY,
  bytes,
  createHost,
  createMap,
  cstring,
  type Host,
  program,
  struct,
  u8,
  u32,
  u53,
  u64,
} from "../../src/index.ts";

const MB = 1024 * 1024;
const kinds = ["hash", "rhash", "percpu_hash", "array", "percpu_array"] as const;
const hosts = {
  plain: (): Host => createHost({ cpus: 2, maxMemory: 16 * MB }),
  shared: (): Host => createHost({ cpus: 2, maxMemory: 16 * MB, shared: true }),
};
/** Makes an object of each kind, with `n` entries in it. */
type Maker = (host: Host, n: number) => object;

function makers(): [string, Maker][] {
  const manifest = {
    pairs: { limit: { codec: u32, default: 3 }, name: { codec: cstring(8), default: "eu" } },
  };
  const filled = (host: Host, type: (typeof kinds)[number], n: number) => {
    const map = host.createMap({ type, name: "flows", key: u32, value: u32, maxEntries: 100 });
    for (let i = 0; i < n; i++) map.update(i, (type.startsWith("percpu") ? [i, 7] : i) as never, 0);
    return map;
  };
  const store = (host: Host, n: number) => {
    const kv = host.createKvStore({ name: "settings", manifest });
    for (let i = 0; i < n; i++) kv.put(10 + i, Uint8Array.of(i, 1));
    return kv;
  };
  const batch = (host: Host, n: number) => {
    const made = (filled(host, "hash", 0) as ReturnType<typeof createMap>).createBatch(20);
    for (let i = 0; i < n; i++) made.set(i, i as never, i as never);
    made.count = n;
    return made;
  };
  return [
    ...kinds.map((type): [string, Maker] => [type, (host, n) => filled(host, type, n)]),
    [
      "sockhash",
      (host, n) => {
        const map = host.createMap({ type: "sockhash", name: "peers", key: u32, maxEntries: 100 });
        for (let i = 0; i < n; i++) map.set(i, { peer: i, nested: { deep: [process.env] } });
        return map;
      },
    ],
    [
      "sockmap",
      (host, n) => {
        const map = host.createMap({ type: "sockmap", maxEntries: 100 });
        for (let i = 0; i < n; i++) map.set(i, { peer: i });
        return map;
      },
    ],
    ["local", (host, n) => (filled(host, "percpu_hash", n) as unknown as { local: object }).local],
    ["batch", batch],
    ["KV store", store],
    [
      "KV pair",
      (host, n) => {
        const pair = store(host, 0).pair("limit");
        pair.set(n);
        return pair;
      },
    ],
    [
      "program",
      (host, n) => {
        const map = host.createMap({ type: "hash", name: "flows", key: u32, value: u64, maxEntries: 100 });
        return program(map, ({ value }) => value.lt(BigInt(n)).then(ACT_DELETE), { backend: "js" });
      },
    ],
  ];
}

const names = makers().map(([name]) => name);
const make = (name: string, host: Host, n: number): object =>
  (makers().find(([known]) => known === name) as [string, Maker])[1](host, n);
const lines = (object: unknown) => inspect(object).split("\n").length;

describe.each(Object.entries(hosts))("on a %s host", (_, newHost) => {
  describe.each(names)("%s", (name) => {
    it("prints on a few lines, closed or not, and leaves memory as it was", () => {
      for (const n of [0, 1, 90]) {
        const host = newHost();
        const object = make(name, host, name === "batch" ? Math.min(n, 20) : n);
        const before = JSON.stringify(host.memoryUsage());
        expect(lines(object)).toBeLessThanOrEqual(14);
        expect(lines({ nested: { object } })).toBeLessThanOrEqual(18);
        expect(inspect({ a: { b: { c: { object } } } })).toMatch(/\[Object\]/);
        expect(JSON.stringify(host.memoryUsage())).toBe(before);
        expect(lines(host)).toBeLessThanOrEqual(14);
        host.close();
        expect(inspect(object)).toMatch(/closed|CPU/);
        expect(lines(host)).toBe(1);
      }
    });

    it("serialises to a little JSON, closed or not", () => {
      const host = newHost();
      const object = make(name, host, 15);
      expect(JSON.stringify({ object }).length).toBeLessThan(250);
      expect(JSON.stringify({ host }).length).toBeLessThan(250);
      host.close();
      expect(JSON.stringify({ object, host }).length).toBeLessThan(400);
    });

    it("has nothing enumerable with a name, and a tag", () => {
      const object = make(name, newHost(), 1);
      expect(Object.keys(object)).toEqual([]);
      for (const key in object) expect.fail(`for-in met ${key}`);
      expect(Object.prototype.toString.call(object)).toMatch(/^\[object [A-Z]\w+\]$/);
      expect(Object.prototype.toString.call(object)).not.toBe("[object Object]");
    });

    it("is equal to one with the same contents, and to no other", () => {
      const [one, same, other] = [2, 2, 3].map((n) => make(name, newHost(), n));
      expect(one).toEqual(same);
      expect(one).toStrictEqual(same);
      expect(one).not.toEqual(other);
      expect({ one }).not.toStrictEqual({ one: other });
      deepStrictEqual(one, same);
      notDeepStrictEqual(one, other);
      expect(one).to.deep.equal(same);
      expect(one).not.to.deep.equal(other);
    });
  });

  it("two hosts are not equal, and one is equal to itself", () => {
    const [one, other] = [newHost(), newHost()];
    expect(one).toEqual(one);
    expect(one).not.toEqual(other);
    notDeepStrictEqual(one, other);
  });

  it("prints, with the host full", () => {
    const host = newHost();
    const map = host.createMap({ type: "hash", name: "flows", key: u32, value: bytes(4000), maxEntries: 9 });
    for (let i = 0; i < 9; i++) map.set(i, new Uint8Array(4000));
    const fill: number[] = [];
    for (let size = 4 * MB; size >= 64; size /= 2) {
      for (let at = host.allocate(size); at !== 0; at = host.allocate(size)) fill.push(at);
    }
    expect(fill.length).toBeGreaterThan(3);
    expect(inspect(map)).toMatch(/^HashMap\(9\) "flows" \{\n/);
    expect(inspect(map)).not.toContain("<");
    expect(lines(map)).toBe(11);
    expect(lines(host)).toBeLessThan(5);
  });
});

describe("prints", () => {
  it("a map as Map does", () => {
    const map = createMap({ type: "rhash", name: "flows", key: u32, value: u32, maxEntries: 100 });
    expect(inspect(map)).toBe('HashMap(0) "flows" {}');
    map.set(1, 5);
    expect(inspect(map)).toBe('HashMap(1) "flows" { 1 => 5 }');
    expect(inspect({ map }, { depth: 0 })).toBe('{ map: [HashMap "flows"] }');
    for (let i = 0; i < 30; i++) map.set(i, i);
    expect(inspect(map)).toMatch(/^HashMap\(30\) "flows" \{\n( {2}\d+ => \d+,\n){10} {2}\.\.\. 20 more\n\}$/);
    map.close();
    expect(inspect(map)).toBe('HashMap "flows" (closed)');
    expect(JSON.stringify(map)).toBe('{"type":"rhash","name":"flows","maxEntries":100}');
  });

  it("a map without a name, and each entry on one line", () => {
    const key = struct({ source: u32, name: cstring(300) });
    const value = struct({ list: array(u32, 100), text: cstring(300), big: u64 });
    const map = createMap({ type: "hash", key, value, maxEntries: 9 });
    const text = "line\n".repeat(50);
    for (let i = 0; i < 9; i++) {
      map.set({ source: i, name: text }, { list: new Array(100).fill(7), text, big: 1n });
    }
    expect(inspect(map)).toMatch(/^HashMap\(9\) \{/);
    expect(lines(map)).toBe(11);
  });

  it("what a codec cannot read as the error", () => {
    const map = createMap({ type: "hash", name: "m", key: u32, value: u53, maxEntries: 9 });
    map.set(1, 1);
    map.host.u32[(map.lookup(1) >>> 2) + 1] = 0xffff_ffff;
    expect(inspect(map)).toContain('<entries: map "m": value: expected');
  });

  it("a write-only map, and compares it by its name", () => {
    const spec = {
      type: "hash",
      name: "w",
      key: u32,
      value: u32,
      maxEntries: 9,
      flags: BPF_F_WRONLY,
    } as const;
    expect(inspect(createMap(spec))).toBe('HashMap "w" (write-only)');
    expect(Object.getOwnPropertySymbols(createMap(spec)).length).toBeGreaterThan(0);
    deepStrictEqual(createMap(spec), createMap(spec));
  });

  it("layouts by their names", () => {
    const fields = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`field${i}`, u8]));
    expect(inspect(struct({ source: u32, target: array(u8, 4) }))).toBe(
      "struct { source: u32, target: array(u8, 4) } (8 bytes)",
    );
    expect(lines(struct(fields))).toBe(1);
    for (const codec of [u32, bytes(9), cstring(4)]) expect(lines(codec)).toBeLessThan(12);
  });

  it("expressions as C, and serialises them", () => {
    const map = createMap({
      type: "hash",
      key: u32,
      value: struct({ list: array(u64, 4), n: u64 }),
      maxEntries: 9,
    });
    const seen: unknown[] = [];
    const made = program(map, ({ key, value }, tools) => {
      const next = key.add(1);
      seen.push(next, value, value.list, tools);
      return value.n.lt(5n).and(next.gt(value.list.sum())).then(ACT_DELETE);
    });
    expect(inspect(seen[0])).toBe("NumberExpression key + 1");
    expect(JSON.stringify(seen[0])).toBe('"key + 1"');
    for (const part of seen) expect(lines(part)).toBeLessThan(10);
    expect(lines(made)).toBeLessThan(5);
    made.close();
    expect(inspect(made)).toContain("(closed)");
  });
});

describe("compares", () => {
  let hashes: ReturnType<typeof createMap>[];
  beforeAll(() => {
    hashes = [1, 2, 3].map((seed) => {
      const host = createHost({ seed });
      const map = host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 1000 });
      const keys = Array.from({ length: 500 }, (_, i) => (i * 7919) % 500);
      for (const key of seed === 2 ? keys.reverse() : keys) map.set(key, key === 77 && seed === 3 ? 0 : 5);
      return map as never;
    });
  });

  it("maps by their entries, whatever their order", () => {
    const [one, same, other] = hashes;
    expect([...one.keys()]).not.toEqual([...same.keys()]);
    expect(one).toEqual(same);
    deepStrictEqual(one, same);
    expect(one).to.deep.equal(same);
    expect(one).not.toEqual(other);
    expect(other).not.toEqual(one);
    notDeepStrictEqual(one, other);
    expect(one).not.to.deep.equal(other);
    expect(one.found).toBeTypeOf("function");
  });

  it("maps of other sizes, types and layouts as different", () => {
    const make = (type: "hash" | "array", value: typeof u32, n: number) => {
      const map = createMap({ type, key: u32, value, maxEntries: 2 });
      for (let i = 0; i < n; i++) map.set(i, 1);
      return map;
    };
    expect(make("hash", u32, 1)).not.toEqual(make("hash", u32, 2));
    notDeepStrictEqual(make("hash", u32, 1), make("hash", u32, 2));
    expect(make("hash", u32, 2)).not.toEqual(make("array", u32, 2));
    notDeepStrictEqual(make("hash", u32, 2), make("array", u32, 2));
  });

  it("maps with structs for keys", () => {
    const key = struct({ a: u32, b: u8 });
    const make = (last: number) => {
      const map = createHost().createMap({ type: "hash", key, value: u32, maxEntries: 9 });
      return map.set({ a: 1, b: 2 }, 3).set({ a: 4, b: 5 }, last);
    };
    expect(make(6)).toEqual(make(6));
    expect(make(6)).not.toEqual(make(7));
    deepStrictEqual(make(6), make(6));
    notDeepStrictEqual(make(6), make(7));
  });

  it("a closed map as itself only", () => {
    const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 9 });
    const other = createMap({ type: "hash", key: u32, value: u32, maxEntries: 9 });
    map.close();
    notDeepStrictEqual(map, other);
    other.close();
    notDeepStrictEqual(map, other);
    deepStrictEqual(map, map);
  });
});
