// verify finds damage in a map whose keys are texts: in its pools, in their elements, and in what they say of each other. Then words
// anywhere are damaged at random, which it has to survive.
import { describe, expect, test } from "vitest";
import {
  TABLE_DEAD_ELEMENTS,
  TABLE_ELEMENT_SEGMENTS,
  TABLE_ELEMENT_STRIDE,
  TABLE_ELEMENTS,
  TABLE_FREE_ELEMENT,
  TABLE_LAYOUT,
  TABLE_POOL_COUNT,
  TABLE_POOLS,
  TABLE_POOLS_TO_SWEEP,
  TABLE_SWEEP,
  TABLE_TEXT_KEY,
} from "../../../src/generated/abi.js";
import { type HashMap, text, u32 } from "../../../src/index.ts";
import { Random } from "../../../src/testing/index.ts";
import { CheckedHost } from "../../support/checked_host.ts";
import { segmentOf } from "../../support/core/bucket_address.mjs";
import { invariant, invariantsFrom } from "../../support/core/constants.ts";
import { huntingSeed } from "../../support/seed.ts";
import { bySize } from "../../support/size.ts";

const seed = huntingSeed("ops/verify/verify_texts.test.ts");

/** Bytes of the block of pools before the first of them. */
const HEAD = 16;
/** Offsets of a pool's words are those of a header, from ELEMENT_SEGMENTS on. */
const poolBytes = (shared: boolean) => (shared ? 40 : 32);

/** A map with live elements of many sizes, dead ones, and of a hash free ones. */
class Texts {
  readonly checked: CheckedHost;
  readonly table: number;
  readonly #shared: boolean;

  readonly map: HashMap<string, number>;

  constructor(type: "hash" | "rhash", shared: boolean, entries = 600) {
    this.#shared = shared;
    this.checked = new CheckedHost({ seed: 7, shared, cpus: 2 });
    const { host } = this.checked;
    const map = host.createMap({ type, key: text(100), value: u32, maxEntries: 1000 });
    const keyOf = (n: number) => String(n).padEnd(3 + (n % 40), "-");
    for (let n = 0; n < entries; n++) map.set(keyOf(n), n);
    for (let n = 0; n < 50; n++) map.delete(keyOf(n));
    host.section(() => {
      for (let n = 50; n < 90; n++) map.delete(keyOf(n));
    });
    this.checked.check();
    this.map = map;
    this.table = map.table.handle;
  }

  get(offset: number): number {
    return this.checked.word(this.table + offset);
  }

  /** Where the words of a pool are: added to the offset of one of them. */
  pool(index: number): number {
    return this.get(TABLE_POOLS) + HEAD + index * poolBytes(this.#shared) - TABLE_ELEMENT_SEGMENTS;
  }

  /** Number of the first pool for which something holds. */
  poolWith(holds: (pool: number) => boolean): number {
    for (let index = 0; index < this.get(TABLE_POOL_COUNT); index++)
      if (holds(this.pool(index))) return index;
    throw new Error("there is no such pool");
  }

  element(pool: number, index: number): number {
    const { checked } = this;
    const segment = segmentOf(index, checked.word(pool + TABLE_ELEMENT_SEGMENTS + 4));
    const entry = checked.word(checked.word(pool + TABLE_ELEMENT_SEGMENTS) + 4 * segment);
    return (entry + index * checked.word(pool + TABLE_ELEMENT_STRIDE)) >>> 0;
  }

  /** A live element, of a pool that has more of them. */
  live(): number {
    const { checked } = this;
    const pool = this.pool(this.poolWith((pool) => checked.word(pool + TABLE_ELEMENTS) > 4));
    for (let index = 0; ; index++) {
      const element = this.element(pool, index);
      if (checked.word(element) === 1) return element;
    }
  }

  change(address: number, change: (word: number) => number): void {
    this.checked.setWord(address, change(this.checked.word(address)));
  }

  /** Every word that the map consists of, but those of its buckets. */
  *words(): Generator<number> {
    for (let at = 0; at < 256; at += 4) yield this.table + at;
    const block = this.get(TABLE_POOLS);
    const bytes = HEAD + this.get(TABLE_POOL_COUNT) * poolBytes(this.#shared);
    for (let at = 0; at < bytes; at += 4) yield block + at;
    for (let index = 0; index < this.get(TABLE_POOL_COUNT); index++) {
      const pool = this.pool(index);
      const room = this.checked.word(pool + TABLE_ELEMENT_SEGMENTS + 8);
      for (let at = 0; at < room; at++) yield this.checked.word(pool + TABLE_ELEMENT_SEGMENTS) + 4 * at;
      const elements = this.checked.word(pool + TABLE_ELEMENTS);
      for (let at = 0; at < Math.min(elements, 3); at++) {
        for (let word = 0; word < 24; word += 4) yield this.element(pool, at) + word;
      }
    }
  }
}

const plus = (n: number) => (word: number) => (word + n) >>> 0;
const withDead = (m: Texts) => m.pool(m.poolWith((pool) => m.checked.word(pool + TABLE_DEAD_ELEMENTS) > 0));

/** For each invariant: what is done. */
const DAMAGES: Record<string, readonly (readonly [string, (m: Texts) => void])[]> = {
  POOL_BLOCK: [
    ["nowhere", (m) => m.change(m.table + TABLE_POOLS, () => 0)],
    ["elsewhere", (m) => m.change(m.table + TABLE_POOLS, plus(64))],
    ["of another size of elements", (m) => m.change(m.pool(1) + TABLE_ELEMENT_STRIDE, plus(8))],
    ["of other segments", (m) => m.change(m.pool(2) + TABLE_ELEMENT_SEGMENTS + 4, plus(1))],
  ],
  POOL_SWEEP: [
    [
      "more than there are",
      (m) => m.change(m.table + TABLE_POOLS_TO_SWEEP, () => m.get(TABLE_POOL_COUNT) + 1),
    ],
    ["none, and there are dead elements", (m) => m.change(m.table + TABLE_POOLS_TO_SWEEP, () => 0)],
  ],
  TEXT_ELEMENT: [
    ["another length", (m) => m.change(m.live() + m.get(TABLE_TEXT_KEY), plus(9))],
    ["a length beyond the room", (m) => m.change(m.live() + m.get(TABLE_TEXT_KEY), () => 0xffff_ffff)],
    ["another hash", (m) => m.change(m.live() + 4, (hash) => hash ^ 1)],
    ["another letter", (m) => m.change(m.live() + m.get(TABLE_TEXT_KEY) + 4, (word) => word ^ 1)],
  ],
  MEASURES: [
    ["where keys are", (m) => m.change(m.table + TABLE_TEXT_KEY, plus(4))],
    ["pools", (m) => m.change(m.table + TABLE_POOL_COUNT, plus(1))],
    ["elements of one size", (m) => m.change(m.table + TABLE_LAYOUT, plus(-1))],
  ],
  ELEMENT_STATE: [["none", (m) => m.change(m.live(), () => 4)]],
  DEAD_COUNT: [["one more", (m) => m.change(withDead(m) + TABLE_DEAD_ELEMENTS, plus(1))]],
  SWEEP_POSITION: [["behind the end", (m) => m.change(withDead(m) + TABLE_SWEEP, plus(1000))]],
  FREE_ELEMENTS: [
    ["a list to a live element", (m) => m.change(withDead(m) + TABLE_FREE_ELEMENT, () => m.live())],
  ],
};

const CASES = Object.entries(DAMAGES).flatMap(([name, damages]) =>
  damages.flatMap(([what, damage]) => [false, true].map((shared) => [name, what, shared, damage] as const)),
);

test.each(CASES)("%s, %s, shared: %s", (name, _what, shared, damage) => {
  for (const type of ["rhash", "hash"] as const) {
    const memory = new Texts(type, shared);
    damage(memory);
    const code = memory.checked.verify(memory.table);
    const problem = code === 0 ? "nothing" : memory.checked.problem(code);
    expect(problem).toContain(`invariant ${invariant(name)},`);
    expect(problem).not.toMatch(/undefined|NaN/);
  }
});

/** Where all elements of two pools are free, nothing in them tells them apart. */
test("PARTS_APART, one segment for two pools", () => {
  const memory = new Texts("hash", false, 0);
  const map = memory.map;
  for (const key of ["a", "a".repeat(20)]) map.set(key, 1);
  for (const key of ["a", "a".repeat(20)]) map.delete(key);
  const used = (least: number) =>
    memory.pool(memory.poolWith((pool) => pool > least && memory.checked.word(pool + TABLE_ELEMENTS) > 0));
  const first = used(0);
  const directory = (pool: number) => memory.checked.word(pool + TABLE_ELEMENT_SEGMENTS);
  memory.change(directory(used(first)), () => memory.checked.word(directory(first)));
  const code = memory.checked.verify(memory.table);
  expect(memory.checked.problem(code)).toContain(`invariant ${invariant("PARTS_APART")},`);
});

test("every invariant of tables of texts is broken above", () => {
  for (const name of invariantsFrom("POOL_BLOCK", "TEXT_ELEMENT"))
    expect(Object.keys(DAMAGES)).toContain(name);
});

describe.each([false, true])("any word, shared: %s", (shared) => {
  test.each(["rhash", "hash"] as const)("%s", (type) => {
    const memory = new Texts(type, shared);
    const { checked } = memory;
    const random = new Random(seed);
    const words = [...memory.words()];
    let noticed = 0;
    for (let round = 0; round < bySize(400, 4000); round++) {
      const word = words[random.below(words.length)]!;
      const before = checked.word(word);
      const other = checked.word(words[random.below(words.length)]!);
      const bit = before ^ (1 << random.below(32));
      const values = [bit, before + 1, before - 1, 0, 0xffff_ffff, random.next(), other];
      checked.setWord(word, values[random.below(values.length)]!);
      const code = checked.verify(memory.table);
      if (code !== 0) {
        noticed++;
        const problem = checked.problem(code);
        if (/undefined|NaN/.test(problem)) throw new Error(problem);
      }
      checked.setWord(word, before);
    }
    checked.check();
    expect(noticed).toBeGreaterThan(bySize(150, 1500));
  });
});
