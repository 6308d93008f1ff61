// Slots of per-CPU values on shared hosts: those of different CPUs are never on one cache line, and all that shows values where they lie
// finds them (assembly/table/layout/lanes.ts).
import { describe, expect, it } from "vitest";
import { TABLE_FREE_ELEMENT, TABLE_LANE } from "../../src/generated/abi.js";
import {
  ACT_DELETE,
  ACT_KEEP,
  bytes,
  type Codec,
  type Host,
  type PercpuEntry,
  type PercpuHashMap,
  program,
  struct,
  u8,
  u32,
  u53,
} from "../../src/index.ts";
import { Random } from "../../src/testing/random.ts";
import { testSeed } from "../support/seed.ts";
import { pair } from "./hosts.ts";

const LINE = 64;
const CPUS = 3;

function open<V>(value: Codec<V>, maxEntries = 100) {
  const hosts = pair({ cpus: CPUS });
  const spec = { type: "percpu_hash", key: u32, value } as const;
  const map = hosts[0].createMap({ ...spec, maxEntries });
  hosts[0].pin("/m", map);
  return { hosts, map, other: hosts[1].open("/m", spec) };
}

function linesOf(map: PercpuHashMap<number, unknown>, keys: number): Set<number> {
  const lines = new Set<number>();
  for (let key = 0; key < keys; key++) {
    const address = map.local.lookup(key);
    for (let at = address; at < address + map.info.valueSize; at++) lines.add(Math.floor(at / LINE));
  }
  return lines;
}

const SMALL = [u8, u32, u53, struct({ packets: u32, bytes: u53 }), bytes(56)] as Codec<unknown>[];

it.each(SMALL.map((value) => [value.name, value] as const))(
  "no two CPUs share a line: %s",
  (_name, value) => {
    const { map, other } = open(value);
    const zero = value.decode(new DataView(new ArrayBuffer(value.size)), 0);
    for (let key = 0; key < 50; key++) map.local.set(key, zero);
    const [mine, theirs] = [linesOf(map, 50), linesOf(other, 50)];
    expect([...mine].filter((line) => theirs.has(line))).toEqual([]);
  },
);

it("takes no more memory than slots side by side", () => {
  const { map } = open(u53, 1000);
  for (let key = 0; key < 1000; key++) map.add(key, 1);
  // An address in a bucket that is two thirds full, its share of chains and locks, state and key, and three slots.
  expect(map.memoryUsage() / map.size).toBeLessThan(24 + 8 + CPUS * 8);
});

it("has no groups where keys are large", () => {
  const [host] = pair({ cpus: CPUS });
  const map = host.createMap({ type: "percpu_hash", key: bytes(100_000), value: u53, maxEntries: 3 });
  map.add(new Uint8Array(100_000).fill(1), 5);
  expect(map.get(new Uint8Array(100_000).fill(1))).toEqual([5, 0, 0]);
  expect(map.memoryUsage()).toBeLessThan(4 * 100_000);
});

it("holds slots of a line and more side by side", () => {
  const { hosts, map, other } = open(bytes(64));
  const value = (n: number) => new Uint8Array(64).fill(n);
  map.set(1, [value(1), value(2), value(3)]);
  other.local.set(1, value(4));
  expect(map.get(1)).toEqual([value(1), value(4), value(3)]);
  expect(hosts[0].verify()).toEqual([]);
});

describe("runs of programs see the values where they lie", () => {
  const filled = () => {
    const opened = open(struct({ packets: u32, bytes: u53 }));
    for (let key = 0; key < 20; key++) {
      opened.map.set(
        key,
        [1, 2, 3].map((n) => ({ packets: n * key, bytes: 100 * n * key })),
      );
    }
    return opened;
  };

  it("a function reads and writes them", () => {
    const { map } = filled();
    map.process({
      filter(entry) {
        if (entry.key !== 7) return ACT_KEEP;
        expect(entry.value.map(({ packets }) => packets)).toEqual([7, 14, 21]);
        expect(entry.copy()).toEqual({ key: 7, value: map.get(7) });
        const { local } = entry as unknown as PercpuEntry<number, { packets: number; bytes: number }>;
        expect(local.bytes).toBe(700);
        entry.value[2].bytes = 5;
        local.packets = 9;
        return ACT_KEEP;
      },
    });
    expect(map.get(7)).toEqual([
      { packets: 9, bytes: 700 },
      { packets: 14, bytes: 1400 },
      { packets: 21, bytes: 5 },
    ]);
    const all = [4, 5, 6].map((packets) => ({ packets, bytes: 1 }));
    map.process({
      filter(entry) {
        if (entry.key === 8) entry.value = all;
        return ACT_KEEP;
      },
    });
    expect([map.get(8), map.get(9)?.[1]]).toEqual([all, { packets: 18, bytes: 1800 }]);
  });

  it.each(["wasm", "js"] as const)("a program reads them: %s", (backend) => {
    const { map, other } = filled();
    const rules = program(
      map,
      ({ value, values }) => value.packets.lt(3).or(values.at(2).packets.eq(30)).then(ACT_DELETE),
      { backend },
    );
    const gone: unknown[] = [];
    map.process({ filter: rules, dumper: (entry) => gone.push(entry.copy().value[2].packets) });
    expect(gone.sort()).toEqual([0, 3, 30, 6]);
    expect(other.size).toBe(16);
  });

  it("what a dumper throws for goes back", () => {
    const { hosts, map } = filled();
    const before = [...map].sort(([a], [b]) => a - b);
    const run = () =>
      map.process({
        filter: () => ACT_DELETE,
        dumper() {
          throw new Error("full");
        },
      });
    expect(run).toThrow("full");
    expect(map.size).toBe(19); // all but the one that the dumper was shown
    for (const [key, value] of map) expect(value).toEqual(before[key][1]);
    expect(hosts[0].verify()).toEqual([]);
  });
});

describe("verify", () => {
  const word = (host: Host, address: number) => host.u32[address >>> 2];

  it("sees a free element that says it is elsewhere in its group", () => {
    const { hosts, map } = open(u53);
    for (let key = 0; key < 9; key++) map.add(key, 1);
    map.delete(3);
    const free = word(hosts[0], map.table.handle + TABLE_FREE_ELEMENT);
    hosts[0].u32[(free + 4) >>> 2] ^= 1;
    expect(map.verify()[0]).toContain("element");
    hosts[0].u32[(free + 4) >>> 2] ^= 1;
    expect(map.verify()).toEqual([]);
  });

  it("sees another distance of the slots", () => {
    const { hosts, map } = open(u53);
    const at = (map.table.handle + TABLE_LANE) >>> 2;
    const lane = hosts[0].u32[at];
    for (const wrong of [0, lane * 2]) {
      hosts[0].u32[at] = wrong;
      expect(map.verify()).toHaveLength(1);
    }
    hosts[0].u32[at] = lane;
    expect(map.verify()).toEqual([]);
  });
});

it("keeps every count, whatever comes and goes", () => {
  const random = new Random(testSeed("shared/percpu_lanes.test.ts"));
  const { hosts, map, other } = open(u53, 60);
  const model = new Map<number, number[]>();
  const of = (key: number) => {
    const value = model.get(key) ?? new Array<number>(CPUS).fill(0);
    model.set(key, value);
    return value;
  };
  for (let step = 0; step < 4000; step++) {
    const key = random.below(60);
    const [cpu, writer] = random.chance(2) ? ([0, map] as const) : ([1, other] as const);
    const which = random.below(10);
    if (which < 5) of(key)[cpu] = writer.add(key, 1) as number;
    else if (which === 5) {
      writer.addMany([key, key], [1, 2]);
      of(key)[cpu] += 3;
    } else if (which === 6) {
      const value = [step, step + 1, step + 2];
      writer.set(key, value);
      model.set(key, value);
    } else if (which === 7 && random.chance(3)) {
      hosts[cpu].section(() => writer.delete(key)); // its element is dead, and swept later
      model.delete(key);
    } else {
      expect(writer.delete(key)).toBe(model.delete(key));
    }
    if (step % 500 === 0) expect(hosts[0].verify()).toEqual([]);
  }
  expect(new Map(map)).toEqual(model);
  const keys = Uint32Array.from({ length: 60 }, (_, key) => key);
  const words = new BigUint64Array(60 * CPUS);
  expect(map.lookupMany(keys, new Uint8Array(words.buffer))).toBe(model.size);
  const zeros = new Array<number>(CPUS).fill(0);
  expect(Array.from(words, Number)).toEqual([...keys].flatMap((key) => model.get(key) ?? zeros));
  expect(hosts[0].verify()).toEqual([]);
});
