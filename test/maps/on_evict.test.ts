// `onEvict`: what a program is told of the entries that its map throws out.
import { describe, expect, it } from "vitest";
import {
  ACT_DELETE,
  ACT_KEEP,
  attachHost,
  createHost,
  type EvictionReason,
  type HashMap,
  type Host,
  program,
  text,
  u32,
} from "../../src/index.ts";
import { pair } from "../shared/hosts.ts";

type Event = [key: number, value: number, reason: EvictionReason];

function open(
  shared: boolean,
  maxEntries: number,
  more: { hook?: (map: HashMap<number, number>, event: Event) => void } = {},
) {
  const host: Host = shared ? pair()[0] : createHost({ seed: 1 });
  const events: Event[] = [];
  const map: HashMap<number, number> = host.createMap({
    type: "lru_hash",
    key: u32,
    value: u32,
    maxEntries,
    eviction: "recency",
    onEvict(key, value, reason) {
      events.push([key, value, reason]);
      more.hook?.(map, [key, value, reason]);
    },
  });
  return { host, map, events };
}

describe.each([false, true])("shared: %s", (shared) => {
  it("is called behind each call that evicts, with what went", () => {
    const { host, map, events } = open(shared, 3);
    for (let key = 0; key < 5; key++) map.set(key, 10 * key);
    expect(events).toEqual([
      [0, 0, "evict"],
      [1, 10, "evict"],
    ]);
    map.add(5, 7);
    map.update(6, 60);
    map.getOrInsert(7, 70);
    expect(events.slice(2)).toEqual([
      [2, 20, "evict"],
      [3, 30, "evict"],
      [4, 40, "evict"],
    ]);
    host.close();
  });

  it("is not called for what the program takes away or replaces itself", () => {
    const { host, map, events } = open(shared, 3);
    map.set(1, 1).set(1, 2).set(2, 2);
    map.delete(1);
    map.clear();
    expect(events).toEqual([]);
    host.close();
  });

  it("is told all of a batch that is larger than its buffer", () => {
    const { host, map, events } = open(shared, 500);
    const batch = map.createBatch(1500);
    batch.keys.set(new Uint8Array(Uint32Array.from({ length: 1500 }, (_, i) => i).buffer));
    batch.values.set(new Uint8Array(Uint32Array.from({ length: 1500 }, (_, i) => 2 * i).buffer));
    batch.count = 1500;
    map.updateBatch(batch);
    expect(map.size).toBe(500);
    expect(events.length).toBe(1000);
    expect(events.every(([key, value]) => value === 2 * key)).toBe(true);
    expect(new Set([...events.map(([key]) => key), ...map.keys()]).size).toBe(1500);
    map.addMany(
      Uint32Array.from({ length: 400 }, (_, i) => 5000 + i),
      new Uint32Array(400).fill(1),
    );
    expect(events.length).toBe(1400);
    batch.close();
    host.close();
  });

  it("may use the map: what that evicts it is told, too", () => {
    let calls = 0;
    const { host, map, events } = open(shared, 3, {
      hook: (map, [key]) => {
        if (calls++ < 3) map.set(100 + key, 1);
      },
    });
    for (let key = 0; key < 4; key++) map.set(key, key);
    expect(map.size).toBe(3);
    expect(events.map(([key]) => key)).toEqual([0, 1, 2, 3]);
    host.close();
  });

  it("may throw: the call has done what it should, and the others are told", () => {
    const { host, map, events } = open(shared, 3, {
      hook: (_, [key]) => {
        if (key === 0) throw new Error("not that one");
      },
    });
    map.set(0, 0).set(1, 1).set(2, 2);
    expect(() => map.set(3, 3)).toThrow("not that one");
    expect(map.get(3)).toBe(3);
    map.set(4, 4);
    expect(events.map(([key]) => key)).toEqual([0, 1]);
    host.close();
  });

  it("may close the map", () => {
    const { host, map } = open(shared, 3, { hook: (map) => map.close() });
    map.set(0, 0).set(1, 1).set(2, 2);
    map.set(3, 3);
    expect(map.closed).toBe(true);
    expect(host.memoryUsage().bytes).toBe(0);
    host.close();
  });

  it("gives its memory back", () => {
    const { host, map } = open(shared, 3);
    map.set(0, 0);
    map.close();
    expect(host.memoryUsage().bytes).toBe(0);
    host.close();
  });

  it("hears from texts what they were", () => {
    const host = shared ? pair()[0] : createHost({ seed: 1 });
    const gone: string[] = [];
    const onEvict = (key: string) => gone.push(key);
    const map = host.createMap({
      type: "lru_hash",
      key: text(40),
      value: u32,
      maxEntries: 2,
      eviction: "recency",
      onEvict,
    });
    map.set("a long key that is a text", 1).set("b", 2).set("c", 3);
    expect(gone).toEqual(["a long key that is a text"]);
    host.close();
  });
});

it("hears of what its own thread evicts, and of no other's", () => {
  const [host, other] = pair();
  const seen: number[][] = [[], []];
  const spec = { type: "lru_hash", key: u32, value: u32 } as const;
  const map = host.createMap({
    ...spec,
    maxEntries: 2,
    eviction: "recency",
    onEvict: (key) => seen[0].push(key),
  });
  host.pin("/m", map);
  const same = other.open("/m", { ...spec, onEvict: (key) => seen[1].push(key) });
  map.set(0, 0).set(1, 1);
  same.set(2, 2);
  map.set(3, 3);
  expect(seen).toEqual([[1], [0]]);
  const third = attachHost(host.share());
  third.open("/m", spec).set(4, 4);
  expect(seen).toEqual([[1], [0]]);
  for (const one of [third, other, host]) one.close();
});

it.each([false, true])(
  "hears of all that has expired before a run, which sees none of it. Shared: %s",
  (shared) => {
    for (const isCompiled of [false, true]) {
      let now = 1;
      const host = createHost({ shared, maxMemory: 2 ** 25, clock: () => now });
      const events: Event[] = [];
      const map = host.createMap({
        type: "lru_hash",
        key: u32,
        value: u32,
        maxEntries: 2000,
        ttl: 100,
        onEvict: (key, value, reason) => events.push([key, value, reason]),
      });
      for (let key = 0; key < 1500; key++) map.set(key, key, key % 10 === 0 ? { ttl: 5000 } : {});
      now = 1000;
      host.expiry.tick(now);
      const seen: number[] = [];
      const js = ({ key }: { readonly key: number }) => {
        seen.push(key);
        return ACT_KEEP;
      };
      const compiled = program(map, ({ value }) => value.gt(5000).then(ACT_DELETE));
      expect(map.process({ filter: isCompiled ? compiled : js }).visited).toBe(150);
      expect(seen.every((key) => key % 10 === 0)).toBe(true);
      expect(new Set(events.map(([key]) => key)).size).toBe(1350);
      expect(events.every(([key, value, reason]) => key === value && reason === "expire")).toBe(true);
      expect([map.size, host.verify()]).toEqual([150, []]);
      host.close();
    }
  },
);

it("hears of what has expired", () => {
  let now = 0;
  const host = createHost({ seed: 1, clock: () => now });
  const events: Event[] = [];
  const map = host.createMap({
    type: "lru_hash",
    key: u32,
    value: u32,
    maxEntries: 100,
    ttl: 100,
    onEvict: (key, value, reason) => events.push([key, value, reason]),
  });
  for (let key = 0; key < 50; key++) map.set(key, key);
  now = 1000;
  host.tick();
  map.sweep();
  map.set(1000, 1);
  expect(map.size).toBe(1);
  expect(events.length).toBe(50);
  expect(events.every(([key, value, reason]) => key === value && reason === "expire")).toBe(true);
  host.close();
});
