// Iterators of maps that change meanwhile, at random: an entry that is there from start to end comes exactly once, through growth and
// shrink; a key comes at most once, and only while it is in the map; its value is that of the moment.
import { afterAll, describe, expect, it } from "vitest";
import {
  ACT_DELETE,
  ACT_KEEP,
  bytes,
  type Codec,
  createHost,
  f64,
  type HashMap,
  type HashType,
  u8,
  u32,
  u53,
} from "../../src/index.ts";
import { Random } from "../../src/testing/index.ts";
import { expectErrno } from "../support/caught.ts";
import { hostOf } from "../support/host_of.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";

const seed = testSeed("ops/iteration_changes.test.ts");
const random = new Random(seed);

/** Keys are numbers for the test, whatever they are for the map. */
interface Kind {
  readonly name: string;
  readonly key: Codec<never>;
  readonly value: Codec<never>;
  toKey(number: number): unknown;
  fromKey(key: unknown): number;
  toValue(number: number): unknown;
  fromValue(value: unknown): number;
}

/** `expect` for loops: it costs nothing where all is well. */
function check(found: unknown, wanted: unknown): void {
  if (found !== wanted) expect(found).toBe(wanted);
}

interface Numbers {
  to(number: number): unknown;
  from(value: unknown): number;
}

const wide = (size: number): Numbers => ({
  to: (number: number) => {
    const array = new Uint8Array(size).fill(number % 251);
    new DataView(array.buffer).setUint32(size - 4, number, true);
    return array;
  },
  from: (array: unknown) => {
    const { buffer, byteOffset } = array as Uint8Array;
    return new DataView(buffer, byteOffset).getUint32(size - 4, true);
  },
});
const same: Numbers = { to: (number: number) => number, from: (value: unknown) => value as number };

function kind(name: string, key: unknown, value: unknown, keys = same, values = same): Kind {
  const codecs = { key: key as Codec<never>, value: value as Codec<never> };
  return { name, ...codecs, toKey: keys.to, fromKey: keys.from, toValue: values.to, fromValue: values.from };
}

const KINDS = [
  kind("u32 -> u32", u32, u32),
  kind("u32 -> f64", u32, f64),
  kind("u32 -> u53", u32, u53),
  kind("u32 -> u8", u32, u8, same, { to: (number) => number & 0xff, from: same.from }),
  kind("u53 -> u53", u53, u53),
  kind("f64 -> f64", f64, f64),
  kind("bytes(12) -> bytes(9)", bytes(12), bytes(9), wide(12), wide(9)),
  kind("bytes(40) -> u32", bytes(40), u32, wide(40)),
  kind("bytes(300) -> bytes(30)", bytes(300), bytes(30), wide(300), wide(30)),
];

type AnyMap = HashMap<unknown, unknown>;
type Step = (map: AnyMap) => { key?: unknown; value?: unknown } | undefined;

/** The ways to go over a map, as functions that give the next entry, or what there is of it. */
const WAYS: Record<string, (map: AnyMap) => Step> = {
  keys: (map) => {
    const keys = map.keys();
    return () => {
      const { done, value } = keys.next();
      return done ? undefined : { key: value };
    };
  },
  entries: (map) => {
    const entries = map.entries();
    return () => {
      const { done, value } = entries.next();
      return done ? undefined : { key: value[0], value: value[1] };
    };
  },
};

/** One iterator under way, and what must come of it. */
class Walk {
  readonly #step: Step;
  /** Keys that were there at its start, and still are. */
  readonly #staying: Set<number>;
  readonly #seen = new Set<number>();
  ended = false;

  constructor(map: AnyMap, way: string, model: Map<number, number>) {
    this.#step = WAYS[way]!(map);
    this.#staying = new Set(model.keys());
  }

  forget(key: number): void {
    this.#staying.delete(key);
  }

  next(map: AnyMap, kind: Kind, model: Map<number, number>): void {
    const found = this.#step(map);
    if (found === undefined) {
      this.ended = true;
      const missed = [...this.#staying].filter((key) => !this.#seen.has(key));
      expect(missed).toEqual([]);
      return;
    }
    const key = kind.fromKey(found.key);
    if (!model.has(key)) throw new Error(`key ${key} comes, and is not in the map`);
    if (this.#seen.has(key)) throw new Error(`key ${key} comes twice`);
    this.#seen.add(key);
    if (found.value !== undefined) check(kind.fromValue(found.value), model.get(key));
  }
}

const met = { splits: 0, merges: 0, walks: 0 };

/** Some iterators over one map at once, in turn with writes that let it grow and shrink many times over. */
function run(type: HashType, kind: Kind, steps: number): void {
  const host = createHost({ seed: random.next(), maxMemory: 1 << 26 });
  const flags = type === "rhash" ? 1 : random.below(2);
  const map = host.createMap({ type, key: kind.key, value: kind.value, maxEntries: 3000, flags }) as AnyMap;
  const model = new Map<number, number>();
  const walks: Walk[] = [];
  const set = (key: number) => {
    const value = random.below(0x1_0000_0000);
    map.set(kind.toKey(key), kind.toValue(value));
    model.set(key, kind.fromValue(kind.toValue(value)));
  };
  const remove = (key: number) => {
    check(map.delete(kind.toKey(key)), model.delete(key));
    for (const walk of walks) walk.forget(key);
  };
  /** Until when entries are added, and until when they are taken away. */
  let goal = 300;
  for (let step = 0; step < steps; step++) {
    const keys = 4 * goal + 10;
    if (step % 61 === 0) goal = [5, 60, 300, 1200, 2500][random.below(5)]!;
    if (walks.length < 4 && random.below(20) === 0) {
      walks.push(new Walk(map, random.below(2) ? "keys" : "entries", model));
      met.walks++;
    }
    // Growth alone as well: then nothing but inserts tells the iterators that entries move.
    const grows = goal > 300 && model.size < goal;
    const write = () => {
      if (grows || (model.size < goal && random.below(4) > 0)) set(random.below(keys));
      else if (random.below(3) === 0) set(random.below(keys));
      else {
        const all = random.below(4) === 0 ? [random.below(keys)] : [...model.keys()].slice(0, 3);
        for (const key of all) remove(key);
      }
    };
    const writes = [0, 0, 1, 2, 60][random.below(5)]!;
    const writeAll = () => {
      for (let i = 0; i < writes && model.size < 2990; i++) write();
    };
    if (random.below(12) === 0) host.section(writeAll);
    else writeAll();
    if (random.below(400) === 0) {
      map.clear();
      for (const key of model.keys()) for (const walk of walks) walk.forget(key);
      model.clear();
    }
    for (let i = random.below(8); i > 0 && walks.length > 0; i--) {
      const at = random.below(walks.length);
      const walk = walks[at]!;
      for (let n = random.below(40); n >= 0 && !walk.ended; n--) walk.next(map, kind, model);
      if (walk.ended || random.below(200) === 0) walks.splice(at, 1); // some are dropped half way
    }
  }
  for (const walk of walks) while (!walk.ended) walk.next(map, kind, model);
  expect(map.verify()).toEqual([]);
  const { splits, merges } = map.stats();
  met.splits += splits;
  met.merges += merges;
  map.close();
  expect(host.memoryUsage().bytes).toBe(0);
}

describe.each(["rhash", "hash"] as const)("%s", (type) => {
  it.each(KINDS)("$name: what stays comes exactly once, and nothing twice", (kind) => {
    run(type, kind, bySize(300, 20_000));
  });
});

describe("iterators", () => {
  const make = (entries: number, value: Codec<number> = u32): HashMap<number, number> => {
    const host = createHost({ seed, maxMemory: 1 << 26 });
    const map = host.createMap({ type: "rhash", name: "flows", key: u32, value, maxEntries: 100_000 });
    for (let key = 0; key < entries; key++) map.set(key, key);
    return map;
  };
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
  const sorted = (keys: Iterable<number>) => [...keys].sort((a, b) => a - b);

  it("get through a chain that is longer than what is fetched at a time", () => {
    const map = make(1);
    map.host.section(() => {
      for (let key = 1; key < 1000; key++) map.set(key, key);
      expect(map.stats().buckets).toBe(1);
      expect(sorted(map.keys())).toEqual(numbers(1000));
      let count = 0;
      for (const [key, value] of map) {
        check(value, key);
        if (++count % 3 === 0) map.delete(key);
        if (count === 500) for (const other of numbers(100)) map.set(5000 + other, 5000 + other);
      }
    });
    expect(map.size).toBeGreaterThan(600);
    // The chain is still there, and the first writes begin to split it.
    const left = sorted(map.keys());
    const seen = new Set<number>();
    let key = 10_000;
    for (const found of map.keys()) {
      check(seen.has(found), false);
      seen.add(found);
      map.set(key++, 1);
    }
    expect(left.filter((found) => !seen.has(found))).toEqual([]);
  });

  it("find the entries of a part in a bucket that merges have made wider, however long its chain", () => {
    const map = make(600);
    const keys = map.keys();
    const seen = new Set([keys.next().value as number]);
    for (const key of numbers(600)) map.delete(key);
    expect(map.stats().buckets).toBe(1);
    map.host.section(() => {
      for (const key of numbers(1000)) map.set(key, key);
      expect(map.stats().buckets).toBe(1);
      for (const key of keys) {
        check(seen.has(key), false);
        seen.add(key);
      }
    });
    expect(seen.size).toBeGreaterThan(500);
  });

  it("notice what a run moves after its last delete", () => {
    const map = make(2000);
    let visited = 0;
    let entries: Iterable<[number, number]> & Iterator<[number, number]> = map.entries();
    const filter = () => {
      if (++visited < 2000) return visited % 8 === 0 ? ACT_KEEP : ACT_DELETE;
      entries = map.entries();
      for (let i = 0; i < 200; i++) entries.next(); // to the buckets that will be merged
      return ACT_KEEP;
    };
    expect(map.process({ filter }).deleted).toBeGreaterThan(1500);
    for (const key of [...map.keys()]) map.set(key, key + 5000);
    const late = [...entries];
    expect(late.length).toBeGreaterThan(20);
    for (const [key, value] of late) check(value, key + 5000);
  });

  it("begun on an empty map may show what comes later, and end", () => {
    const map = make(0);
    const late = map.entries();
    for (const key of numbers(2000)) map.set(key, key);
    expect(sorted([...late].map(([key]) => key))).toEqual(numbers(2000));
    const keys = map.keys();
    keys.next();
    for (const key of numbers(2000)) map.delete(key);
    expect([...keys]).toEqual([]);
  });

  it("in turn, any number of them, do not disturb each other", () => {
    const map = make(700);
    const other = hostOf(map).createMap({ type: "hash", key: bytes(100), value: u32, maxEntries: 100 });
    const expected = [...map.keys()];
    const all = numbers(5).map(() => map.entries());
    for (const key of expected)
      for (const one of all) check((one.next().value as [number, number]).join(), `${key},${key}`);
    for (const one of all) expect(one.next()).toEqual({ done: true, value: undefined });
    // Loops in loops, over another map whose keys need a larger place, and with the map changed in between.
    for (const key of numbers(30)) other.set(new Uint8Array(100).fill(key), key);
    const seen = new Set<number>();
    for (const key of map.keys()) {
      check(seen.has(key), false);
      seen.add(key);
      if (seen.size > 30) continue;
      let inner = 0;
      for (const [bytes, value] of other) {
        check(bytes[99], value);
        for (const [a, b] of map) {
          if (a !== b) throw new Error(`${a} has the value ${b}`);
          if (++inner % 3 === 0) break;
        }
        if (inner % 7 === 0) map.delete(1_000_000 + inner);
        if (inner % 7 === 1) map.set(1_000_006 + inner, 1_000_006 + inner);
      }
      expect(inner).toBe(90);
    }
    expect(numbers(700).filter((key) => !seen.has(key))).toEqual([]);
    expect(hostOf(map).verify()).toEqual([]);
  });

  it("show what is written through an address, too", () => {
    const map = make(100, f64);
    let first = true;
    for (const value of map.values()) {
      if (first) for (const key of map.keys()) map.host.f64[map.lookup(key) >>> 3] = -1;
      else check(value, -1);
      first = false;
    }
  });

  it("go on when the memory has grown", () => {
    const map = make(300);
    const seen: number[] = [];
    for (const key of map.keys()) {
      seen.push(key);
      if (seen.length % 100 !== 50) continue;
      const { u8 } = map.host;
      hostOf(map).createMap({ type: "array", key: u32, value: bytes(1 << 20), maxEntries: 2 });
      expect(u8.length).toBe(0);
    }
    expect(sorted(seen)).toEqual(numbers(300));
  });

  it("forEach has the same rules", () => {
    for (const value of [u32, u53, f64, u8]) {
      const map = make(256, value as Codec<number>);
      const seen = new Map<number, number>();
      map.forEach((value, key) => {
        check(seen.has(key), false);
        check(value, map.get(key));
        seen.set(key, value);
        map.set(key, (value + 1) % 256);
        if (seen.size === 100)
          for (const other of numbers(256)) if (!seen.has(other) && other % 2) map.delete(other);
        if (seen.size % 10 === 0) for (const _ of map.keys()) for (const _ of map.keys()) break;
      });
      expect(sorted(seen.keys())).toEqual(sorted(map.keys()));
      expect(
        [...seen.values()].every((value, i) => map.get([...seen.keys()][i]!) === (value + 1) % 256),
      ).toBe(true);
    }
    const map = make(50);
    let calls = 0;
    expect(() =>
      map.forEach(() => {
        if (++calls === 3) throw new Error("enough");
      }),
    ).toThrow("enough");
    expect(calls).toBe(3);
  });

  it("belong to a handle: closing another one of the map changes nothing", () => {
    const map = make(300);
    hostOf(map).pin("/flows", map);
    const other = hostOf(map).open("/flows", { key: u32, value: u32 });
    const keys = map.keys();
    const gone = other.keys();
    const first = keys.next().value as number;
    gone.next();
    other.close();
    expectErrno(() => gone.next(), "EBADF");
    expect(sorted([first, ...keys])).toEqual(numbers(300));
  });

  it("dropped half way hold nothing that the next one does not give back", () => {
    const map = make(1000);
    for (let i = 0; i < 10; i++) map.keys().next();
    const used = map.host.memoryUsage().bytes;
    for (let i = 0; i < 100; i++) {
      map.entries().next();
      for (const _ of map.values()) break;
    }
    expect(map.host.memoryUsage().bytes).toBe(used);
    expect(hostOf(map).verify()).toEqual([]);
  });
});

describe.each(["array", "percpu_array"] as const)("iterators of %s", (type) => {
  const host = () => createHost({ seed, cpus: 2, maxMemory: 1 << 26 });
  const first = (value: unknown) => (Array.isArray(value) ? value[0] : value);

  it("go by index, into what growth adds, and show values of the moment", () => {
    const map = host().createMap({ type, key: u32, value: f64, maxEntries: 300 });
    const set = (index: number, value: number) =>
      map.set(index, (type === "array" ? value : [value, 0]) as never);
    for (let index = 0; index < 300; index++) set(index, index);
    const seen: number[] = [];
    for (const [index, value] of map as Iterable<[number, unknown]>) {
      seen.push(index);
      check(first(value), index < 300 ? index : index + 0.5);
      if (index === 290) {
        map.grow(3000); // behind the first block, in segments
        for (let late = 300; late < 3000; late++) set(late, late);
      }
      // Beside the map: through an address.
      if (index >= 299 && index < 2999) map.host.f64[map.lookup(index + 1) >>> 3] = index + 1.5;
    }
    expect(seen).toEqual(Array.from({ length: 3000 }, (_, index) => index));
    let calls = 0;
    map.forEach((_value, index) => {
      check(index, calls++);
    });
    expect([calls, [...map.keys()].length, [...map.values()].length]).toEqual([3000, 3000, 3000]);
  });
});

afterAll(() => {
  // Or the writes above are not what this file is about.
  expect(met.splits).toBeGreaterThan(50);
  expect(met.merges).toBeGreaterThan(50);
  expect(met.walks).toBeGreaterThan(20);
});
