// Maps whose keys are texts of any length: every call, on plain and on shared hosts, and what refuses them.
import { describe, expect, test } from "vitest";
import {
  BPF_EXIST,
  BPF_F_LOCK,
  BPF_NOEXIST,
  createHost,
  cstring,
  type HashMap,
  type Host,
  spinLock,
  struct,
  text,
  u32,
  u53,
} from "../../src/index.ts";
import { bpf_map_get_fd_by_id } from "../../src/uapi/index.ts";

const long = "é".repeat(60);
const flow = struct({ packets: u32, bytes: u53, name: cstring(8) });

const counts = (host: Host, type: "hash" | "rhash" = "rhash") =>
  host.createMap({ type, name: "words", key: text(120), value: u32, maxEntries: 100 });

describe.each([false, true])("shared: %s", (shared) => {
  const open = () => createHost({ seed: 3, shared, maxMemory: 2 ** 26, cpus: 2 });

  test.each(["hash", "rhash"] as const)("single calls of a %s", (type) => {
    const host = open();
    const map = counts(host, type);
    map.set("", 1).set("a", 2).set("a\0", 3).set(long, 4);
    expect([map.get(""), map.get("a"), map.get("a\0"), map.get(long), map.get("a\0\0")]).toEqual([
      1,
      2,
      3,
      4,
      undefined,
    ]);
    expect([map.has(long), map.has(`${long}!`), map.size]).toEqual([true, false, 4]);
    // Longer than the limit: such a key cannot be there.
    expect([map.get("x".repeat(121)), map.delete("x".repeat(121))]).toEqual([undefined, false]);
    expect(() => map.set("x".repeat(121), 1)).toThrow(
      'set: map "words": key: expected text(120) (at most 120 bytes of UTF-8), got 121 bytes',
    );
    expect(() => map.set(7 as never, 1)).toThrow(TypeError);
    map.update("b", 5, BPF_NOEXIST);
    expect(() => map.update("b", 6, BPF_NOEXIST)).toThrow("EEXIST");
    map.update("b", 6, BPF_EXIST);
    expect(() => map.update("c", 6, BPF_EXIST)).toThrow("ENOENT");
    expect([map.getOrInsert("b", 9), map.getOrInsertComputed("d", (key) => key.length)]).toEqual([6, 1]);
    expect([map.add("b", 4), map.add(long + long.slice(60), 1)]).toEqual([10, 5]);
    expect([map.lookupAndDelete("b"), map.lookupAndDelete("b")]).toEqual([10, undefined]);
    expect(host.section(() => host.u32[map.lookup("a") >>> 2])).toBe(2);
    expect([map.delete("a"), map.delete("a"), map.size]).toEqual([true, false, 4]);
    const keys: string[] = [];
    for (let key = map.nextKey(); key !== undefined; key = map.nextKey(key)) keys.push(key);
    expect(keys.sort()).toEqual(["", "a\0", "d", long].sort());
    expect(map.info).toMatchObject({ keySize: 124, valueSize: 4 });
    expect(map.stats()).toMatchObject({ layout: "texts", entries: 4 });
    expect(map.verify().concat(host.verify())).toEqual([]);
    map.clear();
    expect([map.size, [...map]]).toEqual([0, []]);
    host.close();
  });

  test("fields", () => {
    const host = open();
    const map = host.createMap({ type: "rhash", key: text(), value: flow, maxEntries: 100 });
    map.set("tcp", { packets: 1, bytes: 60, name: "x" });
    const bytes = map.field("bytes");
    expect([bytes.get("tcp"), bytes.get("udp"), bytes.set("tcp", 70), bytes.set("udp", 1)]).toEqual([
      60,
      undefined,
      true,
      false,
    ]);
    expect([bytes.add("tcp", 5), bytes.add("udp", 9)]).toEqual([75, 9]);
    map.addFields("tcp", { packets: 2, bytes: 1 });
    map.field("name").set("tcp", "web");
    expect(map.field("name").get("tcp")).toBe("web");
    expect([map.get("tcp"), map.get("udp")]).toEqual([
      { packets: 3, bytes: 76, name: "web" },
      { packets: 0, bytes: 9, name: "" },
    ]);
    host.close();
  });

  test("batches, iterators, drains", () => {
    const host = open();
    const map = counts(host);
    const batch = map.createBatch(50);
    const expected = new Map<string, number>();
    for (let i = 0; i < 50; i++) {
      batch.set(i, "k".repeat(i) + i, i);
      expected.set("k".repeat(i) + i, i);
    }
    map.updateBatch(batch);
    expect(new Map(map)).toEqual(expected);
    expect(new Map([...map.keys()].map((key, i) => [key, [...map.values()][i]]))).toEqual(expected);
    const each = new Map<string, number>();
    map.forEach((value, key) => {
      each.set(key, value);
    });
    expect(each).toEqual(expected);
    const values = new Uint32Array(3);
    expect([map.lookupMany(["0", "none", "k1"], values), [...values], map.found(1)]).toEqual([
      2,
      [0, 0, 1],
      false,
    ]);
    map.addMany(["k1", "new"], Uint32Array.of(5, 7));
    expect([map.get("k1"), map.get("new")]).toEqual([6, 7]);
    batch.count = 10;
    map.deleteBatch(batch);
    expect(map.size).toBe(41);
    batch.rewind();
    const seen: string[] = [];
    for (let more = true; more; ) {
      batch.count = 7;
      more = map.lookupBatch(batch);
      for (const [key] of batch.entries()) seen.push(key);
    }
    expect(seen.sort()).toEqual([...map.keys()].sort());
    batch.rewind();
    batch.count = 20;
    map.lookupAndDeleteBatch(batch);
    expect(map.size).toBe(41 - batch.count);
    for (const key of [...batch.entries()].map(([key]) => key)) expect(map.has(key)).toBe(false);
    batch.close();
    const left = map.size;
    let taken = 0;
    for (const [key] of map.drain({ size: 4 })) {
      expect(seen).toContain(key);
      if (++taken === 5) break;
    }
    expect(map.size).toBe(left - 5);
    expect([...map.drain()].length).toBe(left - 5);
    const iterator = map.set("a", 1).iterator({
      bufferSize: 64,
      show: (seq, entry) => {
        if (entry) seq.write(`${entry.key}=${entry.value};`);
      },
    });
    expect(new TextDecoder().decode(iterator.read())).toBe("a=1;");
    expect(host.verify()).toEqual([]);
    host.close();
  });

  test("a map changes while it is iterated over", () => {
    const host = open();
    const map = host.createMap({ type: "rhash", key: text(40), value: u32, maxEntries: 5000 });
    for (let i = 0; i < 600; i++) map.set(`${"x".repeat(i % 30)}${i}`, i);
    const seen = new Set<string>();
    for (const [key, value] of map) {
      expect(seen.has(key)).toBe(false);
      seen.add(key);
      if (value % 3 === 0) map.delete(key);
      else map.set(`new ${key}`, 9000);
    }
    for (const key of map.keys()) if (!key.startsWith("new")) expect(seen.has(key)).toBe(true);
    expect(host.verify()).toEqual([]);
    host.close();
  });

  test("texts that died in a section are swept by the inserts behind it, which move others", () => {
    const host = open();
    const map = host.createMap({ type: "rhash", key: text(40), value: u32, maxEntries: 5000 });
    const keyOf = (n: number) => String(n).padStart(40, "-");
    for (let n = 0; n < 400; n++) map.set(keyOf(n), n);
    host.section(() => {
      for (let n = 0; n < 300; n += 2) map.delete(keyOf(n));
    });
    for (let n = 1000; n < 1100; n++) {
      map.set(keyOf(n), n);
      expect(map.get(keyOf(n))).toBe(n);
    }
    expect([map.size, map.get(keyOf(1)), map.get(keyOf(399))]).toEqual([350, 1, 399]);
    expect(host.verify()).toEqual([]);
    host.close();
  });

  test("spin locks", () => {
    const host = open();
    const value = struct({ lock: spinLock, n: u32 });
    const map = host.createMap({ type: "hash", key: text(30), value, maxEntries: 10 });
    map.update("a", { n: 1 }, BPF_F_LOCK);
    expect(map.locked("a", ({ n }) => ({ n: n + 1 }))).toEqual({ n: 2 });
    expect([map.get("a", BPF_F_LOCK), map.locked("b", () => undefined)]).toEqual([{ n: 2 }, undefined]);
    host.close();
  });

  test("other handles, and what they must be", () => {
    const host = open();
    counts(host).set("a", 1);
    host.pin("/words", [...host.registry.all()].length > 0 ? counts(host).set("b", 2) : (undefined as never));
    const other = host.open("/words", { key: text(120), value: u32 });
    expect(other.get("b")).toBe(2);
    const bytes = { ...text(120), bare: undefined, name: "struct { length: u32, text: bytes(120) }" };
    Reflect.deleteProperty(bytes, "bare");
    expect(() => host.open("/words", { key: bytes, value: u32 })).toThrow(
      "keys are texts of any length, struct { length: u32, text: bytes(120) } differs",
    );
    expect(() => host.open("/words", { key: text(60), value: u32 })).toThrow(
      "keys are 124 bytes, text(60) has 64",
    );
    host.createMap({ type: "hash", key: bytes, value: u32, maxEntries: 4 });
    host.close();
  });

  test("a run, a descriptor and a raw batch with a length that cannot be", () => {
    const host = open();
    const map = counts(host);
    map.set("a", 1);
    const cause = 'process: map "words" has keys of any length, which a run does not read (EOPNOTSUPP)';
    expect(() => map.process({ filter: () => 0 })).toThrow(cause);
    expect(bpf_map_get_fd_by_id(host, map.info.id)).toBe(-95);
    // A length beyond the room counts as one that fills it.
    const batch = map.createBatch(2);
    batch.keys.fill(0xff);
    batch.count = 1;
    map.updateBatch(batch);
    expect([map.size, [...map.keys()].map((key) => key.length).sort()]).toEqual([2, [1, 120]]);
    expect(map.lookupMany(batch.keys.slice(0, 124))).toBe(1);
    expect(host.verify()).toEqual([]);
    map.deleteBatch(batch);
    expect([...map.keys()]).toEqual(["a"]);
    host.close();
  });

  test("memory follows the texts, and all of it comes back", () => {
    const host = open();
    const before = host.memoryUsage().bytes;
    const map = host.createMap({ type: "rhash", key: text(1000), value: u32, maxEntries: 20_000 });
    const empty = map.memoryUsage();
    const used: number[] = [];
    for (const length of [8, 60, 500]) {
      for (let i = 0; i < 2000; i++) map.set(String(i).padStart(length, "-"), i);
      used.push((map.memoryUsage() - empty) / 2000);
      map.clear();
    }
    expect(used[0]).toBeLessThan(48);
    expect(used[1]).toBeLessThan(100);
    expect(used[2]).toBeLessThan(620);
    expect(map.memoryUsage() - empty).toBeLessThan(shared ? 20_000 : 1);
    map.close();
    if (!shared) expect(host.memoryUsage().bytes).toBe(before);
    host.close();
  });
});

test("of the other types, keys take their whole room", () => {
  const host = createHost({ seed: 3, cpus: 2 });
  const map = host.createMap({ type: "percpu_hash", key: text(40), value: u32, maxEntries: 10 }) as HashMap<
    string,
    unknown
  >;
  map.set("a", [1, 2]);
  expect([map.get("a"), map.stats().layout]).toEqual([[1, 2], "out-of-line"]);
  expect(() => host.createMap({ type: "array", key: text(40) as never, value: u32, maxEntries: 4 })).toThrow(
    "EINVAL",
  );
  host.close();
});
