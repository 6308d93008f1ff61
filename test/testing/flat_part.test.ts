// The flat part of the buckets (assembly/table/layout/bucket_array.ts): doubled by being copied, halved where it is, and behind it
// segments with a directory; with sections open, scans under way, and no memory for the copy.
import { describe, expect, test } from "vitest";
import { BPF_F_NO_PREALLOC } from "../../src/constants.ts";
import { TABLE_BUCKET_SEGMENTS } from "../../src/generated/abi.js";
import { bytes, createHost, u32, u53 } from "../../src/index.ts";
import {
  type Operation,
  openSubject,
  Random,
  ReferenceMap,
  replay,
  type SubjectSpec,
} from "../../src/testing/index.ts";
import { CheckedHost } from "../support/checked_host.ts";
import { LAYOUT_SIZES } from "../support/open.ts";
import { testSeed } from "../support/seed.ts";
import { withScans } from "../support/sequences.ts";
import { bySize } from "../support/size.ts";

const seed = testSeed("testing/flat_part.test.ts");

/** Sizes right before and behind those at which tables of 2^k buckets grow or shrink, at any load target. */
function turningPoint(random: Random, most: number): number {
  const target = [3.25, 3.6, 4, 5, 6.5, 7.3, 8][random.below(7)]!;
  const log = random.below(Math.floor(Math.log2(most / 8)) + 1);
  return Math.max(0, Math.min(most, Math.round(target * 2 ** log) + random.between(-12, 12)));
}

/** Goes from one turning point to another, now and then within a section. */
function* turns(count: number, most: number): Generator<Operation> {
  const random = new Random(seed);
  const present: number[] = [];
  const absent = Array.from({ length: most }, (_, n) => n);
  const move = (from: number[], to: number[]): number => {
    const at = random.below(from.length);
    const key = from[at]!;
    from[at] = from.at(-1)!;
    from.pop();
    to.push(key);
    return key;
  };
  for (let turn = 0; turn < count; turn++) {
    const wanted = turningPoint(random, most);
    const inSection = random.chance(30);
    if (inSection) yield { kind: "sectionBegin" };
    while (present.length < wanted)
      yield { kind: "update", key: move(absent, present), value: turn, flags: 0 };
    while (present.length > wanted) yield { kind: "delete", key: move(present, absent) };
    for (let i = 0; i < 3 && present.length > 0; i++) {
      yield { kind: "lookup", key: present[random.below(present.length)]! };
    }
    if (inSection) yield { kind: "sectionEnd" };
    if (turn % 4 === 0) yield { kind: "check" };
  }
}

const SCANS = { scan: 2, iterate: 1, drain: 0, single: 10 };

describe.each(LAYOUT_SIZES)("$keySize + $valueSize bytes", (sizes) => {
  const spec: SubjectSpec = { type: "rhash", ...sizes, maxEntries: 20_000 };

  test("the map is what the model says, at every turn", () => {
    const checked = new CheckedHost({ seed });
    const operations = withScans(turns(bySize(25, 400), bySize(2000, 9000)), SCANS, seed);
    const subject = openSubject(checked.host, spec);
    const { scans } = replay(checked.checked(operations, 500), subject, new ReferenceMap(spec), { seed });
    expect(scans).toBeGreaterThan(0);
  });
});

describe("without memory for the copy", () => {
  const open = () => {
    const checked = new CheckedHost({ seed });
    const map = checked.host.createMap({ type: "rhash", key: u32, value: u53, maxEntries: 20_000 });
    const header = (name: string) => checked.word(map.table.handle + checked.constants.header(name));
    const core = checked.host.core as typeof checked.host.core & { setLimit(bytes: number): void };
    const limit = (spare: number) => core.setLimit(spare < 0 ? 0 : (core.bytesInUse() >>> 0) + spare);
    return { checked, map, header, limit };
  };

  test("an insert does without growth, and a later one makes up for it", () => {
    const { checked, map, header, limit } = open();
    let refused = 0;
    for (let n = 0; n < 5000; n++) {
      const before = { flat: header("FLAT"), room: header("FLAT_BUCKETS"), buckets: map.stats().buckets };
      const doubles = before.buckets === before.room && before.room < 512;
      limit(doubles && n % 3 !== 0 ? 2 * 64 : -1);
      map.set(n, n);
      if (doubles && map.stats().buckets === before.buckets && map.stats().debt > 0) {
        refused++;
        expect({ flat: header("FLAT"), room: header("FLAT_BUCKETS") }).toEqual({
          flat: before.flat,
          room: before.room,
        });
        checked.check();
      }
    }
    limit(-1);
    expect(refused).toBeGreaterThan(5);
    expect(header("FLAT_BUCKETS")).toBe(512);
    for (let n = 0; n < 5000; n++) if (map.get(n) !== n) expect([n, map.get(n)]).toEqual([n, n]);
  });

  test("shrinking needs none, and gives back all but one bucket", () => {
    const { checked, map, header, limit } = open();
    for (let n = 0; n < 5000; n++) map.set(n, n);
    expect(header("BUCKET_SEGMENTS")).not.toBe(0);
    limit(0);
    for (let n = 0; n < 5000; n++) {
      map.delete(n);
      if (n % 100 === 0) checked.check();
    }
    expect(header("BUCKET_SEGMENTS")).toBe(0);
    expect([header("FLAT_BUCKETS"), map.stats().buckets, map.size]).toEqual([1, 1, 0]);
    checked.check();
  });

  test("no bucket moves while a section is open", () => {
    const { map, header, checked } = open();
    for (let n = 0; n < 416; n++) map.set(n, n);
    const before = [header("FLAT"), header("FLAT_BUCKETS"), map.stats().buckets];
    checked.host.section(() => {
      const address = map.lookup(7);
      for (let n = 416; n < 1000; n++) map.set(n, n);
      expect([header("FLAT"), header("FLAT_BUCKETS"), map.stats().buckets]).toEqual(before);
      expect([map.lookup(7), checked.host.f64[address >>> 3]]).toEqual([address, expect.anything()]);
      for (let n = 100; n < 1000; n++) map.delete(n);
      expect([header("FLAT"), header("FLAT_BUCKETS"), map.stats().buckets]).toEqual(before);
    });
    for (let n = 0; n < 100; n++) map.set(n, 2 * n);
    checked.check();
  });
});

// 0 is a directory entry as any other: the address of a segment minus that of its first bucket. This seed has one.
test("a segment whose directory entry is 0 is given back", () => {
  const host = createHost({ seed: 55434, maxMemory: 2 ** 28 });
  const spec = {
    type: "hash",
    key: bytes(8),
    value: bytes(8),
    maxEntries: 50_000,
    flags: BPF_F_NO_PREALLOC,
  } as const;
  const map = host.createMap(spec);
  const key = new Uint8Array(8);
  let entry = -1;
  for (let n = 0; n < 2000; n++) {
    key[0] = n;
    key[1] = n >>> 8;
    map.set(key, key);
    const { u32: words } = host;
    const at = (map.table.handle + TABLE_BUCKET_SEGMENTS) >>> 2;
    const segments = ((map.stats().buckets - 1) >>> words[at + 1]!) + 1;
    const directory = words[at]! >>> 2;
    if (entry < 0) entry = words.subarray(directory, directory + segments).indexOf(0);
  }
  expect(entry).toBeGreaterThan(0);
  expect(map.verify()).toEqual([]);
  map.close();
  expect(host.memoryUsage().bytes).toBe(0);
});
