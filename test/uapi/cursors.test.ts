// The 4 bytes of a hash cursor: scans that end inside groups of equal hashes, side by side, while the map changes.
import { describe, expect, it } from "vitest";
import { Random } from "../../src/testing/index.ts";
import { cursorOf, SCAN_END, valueOfCursor } from "../../src/uapi/commands/cursors.ts";
import {
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_UPDATE_ELEM,
} from "../../src/uapi/index.ts";
import { vanishingWord } from "../support/colliding_subject.ts";
import { bySize } from "../support/size.ts";
import { AT, HASHES, Machine, NULL, type TypeName } from "./machine.ts";

const SEED = 5;
const FIRST_BOOKMARK = 0xffff_0000;
/** Entries of maps whose cursors are plain positions. */
const PLAIN = bySize(800, 3000);

/** A map with keys of 16 bytes, such that numbers equal modulo `groups` have the same 32-bit hash. */
class Colliding {
  readonly machine = new Machine(1, SEED);
  readonly fd: number;
  readonly valueBytes: number;
  readonly #groups: number;

  constructor(type: TypeName, groups: number, max_entries: number) {
    this.fd = this.machine.create(type, { key_size: 16, value_size: 4, max_entries });
    this.valueBytes = this.machine.valueBytes(type, 4);
    this.#groups = groups;
  }

  #place(number: number): void {
    const words = [number % this.#groups, 0, vanishingWord(SEED, 1), number];
    for (const [i, word] of words.entries()) this.machine.putU32(AT.key + 4 * i, word);
  }

  add(number: number): void {
    this.#place(number);
    this.machine.putU32(AT.value, ~number);
    const result = this.machine.elem(BPF_MAP_UPDATE_ELEM, this.fd, null, { key: AT.key });
    if (result !== "OK") throw new Error(`${result} for ${number}`);
  }

  delete(number: number): string {
    this.#place(number);
    return this.machine.elem(BPF_MAP_DELETE_ELEM, this.fd, null, { key: AT.key });
  }
}

/** A scan that keeps nothing but the 4 bytes. */
class Scan {
  cursor: number | undefined;
  ended = false;
  readonly seen: number[] = [];
  readonly cursors: number[] = [];
  readonly #map: Colliding;
  readonly #command: number;

  constructor(map: Colliding, command = BPF_MAP_LOOKUP_BATCH) {
    this.#map = map;
    this.#command = command;
  }

  step(size: number): void {
    const { machine, fd } = this.#map;
    machine.putU32(AT.cursor, this.cursor ?? 0);
    const in_batch = this.cursor === undefined ? NULL : AT.cursor;
    const [result, count] = machine.batch(this.#command, fd, size, { in_batch });
    this.ended = result === "ENOENT";
    // What is not the end is a full batch: a count of 1 makes progress.
    if (!this.ended) expect([result, count]).toEqual(["OK", size]);
    const numbers = Array.from({ length: count }, (_, i) => machine.u32(AT.keys + 16 * i + 12));
    const values = numbers.map((_, i) => machine.u32(AT.values + this.#map.valueBytes * i));
    expect(values).toEqual(numbers.map((number) => ~number >>> 0));
    this.seen.push(...numbers);
    if (this.ended) return;
    if (this.cursors.length > 10_000) throw new Error("the scan does not end");
    this.cursor = machine.u32(AT.next);
    this.cursors.push(this.cursor);
  }
}

const sorted = (numbers: number[]) => numbers.toSorted((a, b) => a - b);
const upTo = (end: number) => Array.from({ length: end }, (_, i) => i);

describe.each(HASHES)("%s", (type) => {
  it.each([1, 2, 3, 5, 16])("one group of 40 equal hashes, in batches of %i", (size) => {
    for (const command of [BPF_MAP_LOOKUP_BATCH, BPF_MAP_LOOKUP_AND_DELETE_BATCH]) {
      const map = new Colliding(type, 1, 64);
      for (const number of upTo(40)) map.add(number);
      const scan = new Scan(map, command);
      while (!scan.ended) scan.step(size);
      expect(sorted(scan.seen)).toEqual(upTo(40));
      expect(scan.cursors.length).toBe(Math.ceil(40 / size) - 1);
      // The group has one position, so that these cursors are bookmarks.
      for (const cursor of scan.cursors) expect(cursor).toBeGreaterThanOrEqual(FIRST_BOOKMARK);
      expect(new Set(scan.cursors).size).toBe(scan.cursors.length);
    }
  });

  it("a cursor may be used again, by another descriptor, and gives the same", () => {
    const map = new Colliding(type, 2, 64);
    for (const number of upTo(40)) map.add(number);
    const scan = new Scan(map);
    scan.step(3);
    const again = new Scan(map);
    again.cursor = scan.cursor;
    scan.step(7);
    again.step(7);
    expect(again.seen).toEqual(scan.seen.slice(3));
    expect(again.cursor).toBe(scan.cursor);
  });

  it("plain positions take no bookmark, and what is below 2^32 - 65536 is one", () => {
    const machine = new Machine(1, SEED);
    const fd = machine.create(type, { max_entries: PLAIN });
    for (let key = 0; key < PLAIN; key++) machine.elem(BPF_MAP_UPDATE_ELEM, fd, key);
    let cursor = 0;
    let seen = 0;
    for (let result = "OK"; result === "OK"; ) {
      machine.putU32(AT.cursor, cursor);
      let count: number;
      [result, count] = machine.batch(BPF_MAP_LOOKUP_BATCH, fd, 1, { in_batch: AT.cursor });
      seen += count;
      if (result !== "OK") break;
      const next = machine.u32(AT.next);
      if (!(next > cursor && next < FIRST_BOOKMARK)) throw new Error(`position ${next} behind ${cursor}`);
      cursor = next;
    }
    expect(seen).toBe(PLAIN);
  });
});

// 16 bits of a position decide whether it is one of the last: of 150,000 keys some are.
it("positions among the bookmarks' numbers resume exactly", () => {
  const machine = new Machine(1, SEED);
  const entries = 150_000;
  const fd = machine.create("HASH", { max_entries: entries, value_size: 4 });
  const many = 2500;
  for (let first = 0; first < entries; first += many) {
    for (let i = 0; i < many; i++) machine.putU32(AT.keys + 4 * i, first + i);
    expect(machine.batch(BPF_MAP_UPDATE_BATCH, fd, many)).toEqual(["OK", many]);
  }
  machine.putU32(AT.cursor, 0xfff0_0000);
  const tail: number[] = [];
  let bookmarks = 0;
  for (let result = "OK"; result === "OK"; ) {
    let count: number;
    [result, count] = machine.batch(BPF_MAP_LOOKUP_BATCH, fd, 1, { in_batch: AT.cursor });
    tail.push(...machine.keys(count));
    const next = machine.u32(AT.next);
    if (result === "OK" && next >= FIRST_BOOKMARK) bookmarks++;
    machine.putU32(AT.cursor, next);
  }
  expect(bookmarks).toBeGreaterThan(0);
  machine.putU32(AT.cursor, 0xfff0_0000);
  const [result, count] = machine.batch(BPF_MAP_LOOKUP_BATCH, fd, 4000, { in_batch: AT.cursor });
  expect(result).toBe("ENOENT");
  expect(sorted(tail)).toEqual(sorted(machine.keys(count)));
});

describe("exactly once, with scans side by side while the map grows, shrinks and is drained", () => {
  it.each(bySize([1], [1, 2, 3]))("seed %i", (seed) => {
    const random = new Random(seed);
    for (const type of HASHES) {
      for (const groups of bySize([3], [1, 3, 40])) {
        const map = new Colliding(type, groups, 400);
        const stable = upTo(60).map((i) => 5 * i);
        for (const number of stable) map.add(number);
        const live = new Set<number>();
        let scans = 0;
        const running: { scan: Scan; ever: Set<number> }[] = [];
        for (let step = 0; step < 300; step++) {
          const number = 5 * random.below(400) + 1 + random.below(4);
          if (random.below(2) === 0 && live.size < 300) {
            map.add(number);
            live.add(number);
            for (const { ever } of running) ever.add(number);
          } else {
            map.delete(number);
            live.delete(number);
          }
          if (running.length < 5) running.push({ scan: new Scan(map), ever: new Set([...live]) });
          const chosen = random.below(running.length);
          const { scan, ever } = running[chosen];
          scan.step(1 + random.below(random.below(3) === 0 ? 40 : 3));
          if (!scan.ended) continue;
          scans++;
          running.splice(chosen, 1);
          expect(sorted(scan.seen.filter((n) => n % 5 === 0))).toEqual(stable);
          expect(scan.seen.filter((n) => n % 5 !== 0 && !ever.has(n))).toEqual([]);
        }
        expect(scans).toBeGreaterThan(5);
      }
    }
  });
});

it("drains a map through cursors while another scan rests inside a group", () => {
  const map = new Colliding("RHASH", 4, 400);
  for (const number of upTo(300)) map.add(number);
  const resting = new Scan(map);
  resting.step(10);
  const drain = new Scan(map, BPF_MAP_LOOKUP_AND_DELETE_BATCH);
  while (!drain.ended) drain.step(3);
  expect(sorted(drain.seen)).toEqual(upTo(300));
  resting.step(10);
  expect([resting.ended, resting.seen.length]).toEqual([true, 10]);
});

it("equal cursors share a bookmark, and one that was never given is behind the end", () => {
  const map = new Colliding("HASH", 1, 100);
  const { machine, fd } = map;
  for (const number of upTo(70)) map.add(number);
  const first = new Scan(map);
  first.step(1);
  const other = new Scan(map);
  other.step(2);
  expect([first.cursor, other.cursor]).toEqual([FIRST_BOOKMARK, FIRST_BOOKMARK + 1]);
  machine.putU32(AT.cursor, FIRST_BOOKMARK + 2);
  expect(machine.batch(BPF_MAP_LOOKUP_BATCH, fd, 1, { in_batch: AT.cursor })).toEqual(["ENOENT", 0]);
  first.step(1);
  expect(first.cursor).toBe(FIRST_BOOKMARK + 1);
  expect(first.seen).toEqual(other.seen);
});

it("a map keeps 65,535 bookmarks; one more takes the place of the oldest", () => {
  const machine = new Machine();
  machine.create("HASH");
  const [table] = machine.host.registry.all();
  const cursor = (i: number) => ({ position: 7, after: new Uint8Array(Uint32Array.of(i).buffer) });
  const given = Array.from({ length: 65_535 }, (_, i) => valueOfCursor(table, cursor(i)) - FIRST_BOOKMARK);
  expect(given.findIndex((number, i) => number !== i)).toBe(-1);
  expect(valueOfCursor(table, cursor(0))).toBe(FIRST_BOOKMARK);
  expect(cursorOf(table, SCAN_END)).toBeUndefined();
  expect(valueOfCursor(table, cursor(70_000))).toBe(FIRST_BOOKMARK);
  expect(cursorOf(table, FIRST_BOOKMARK)).toEqual(cursor(70_000));
  expect(valueOfCursor(table, cursor(0))).toBe(FIRST_BOOKMARK + 1);
  expect(cursorOf(table, FIRST_BOOKMARK + 2)).toEqual(cursor(2));
});
