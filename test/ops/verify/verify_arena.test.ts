// The core's verifyArena: what allocations leave behind is sound, and damage to it has the number of the invariant it breaks.

import { describe, expect, test } from "vitest";
import { GRANULE, LAST_ORDER, PAGE } from "../../../src/generated/abi.js";
import { Random } from "../../../src/testing/index.ts";
import { CheckedHost } from "../../support/checked_host.ts";
import { CoreConstants, invariant, invariantsFrom } from "../../support/core/constants.ts";
import { testSeed } from "../../support/seed.ts";

const seed = testSeed("ops/verify/verify_arena.test.ts");
const ORDERS = LAST_ORDER + 1;
const core = new CoreConstants(false);

/** The arena of a host in which blocks of all sizes were allocated, and every other one released. */
class Arena {
  readonly checked = new CheckedHost({ seed });

  constructor() {
    const { host } = this.checked;
    const blocks = Array.from({ length: 200 }, (_, i) => ({ bytes: GRANULE * (1 + (i % 37)), at: 0 }));
    for (const block of blocks) block.at = host.allocate(block.bytes);
    for (const { at, bytes } of blocks.filter((_, i) => i % 2 === 0)) host.core.release(at, bytes);
  }

  word(address: number): number {
    return this.checked.word(address);
  }

  setWord(address: number, value: number): void {
    this.checked.setWord(address, value);
  }

  change(name: string, change: (value: number) => number): void {
    this.setWord(core.arena(name), change(this.word(core.arena(name))));
  }

  head(order: number): number {
    return core.arena("HEADS") + 4 * order;
  }

  /** Address of the first free block of an order. */
  first(order: number): number {
    return this.word(this.head(order));
  }

  /** The least order from `from` on that has at least `blocks` free blocks. */
  order(from: number, blocks: number): number {
    for (let order = from; order < ORDERS; order++) {
      let block = this.first(order);
      for (let n = 1; block !== 0; n++, block = this.word(block)) if (n === blocks) return order;
    }
    throw new Error(`no order from ${from} on has ${blocks} free blocks`);
  }

  toggleMark(block: number): void {
    const { u8 } = this.checked.host;
    u8[core.region("BITMAP") + (block >>> 9)]! ^= 1 << ((block >>> 6) & 7);
  }

  /** Takes the first block off its list. */
  unlink(order: number): number {
    const block = this.first(order);
    const next = this.word(block);
    this.setWord(this.head(order), next);
    if (next !== 0) this.setWord(next + 4, 0);
    else this.change("ORDERS", (orders) => orders & ~(1 << order));
    this.toggleMark(block);
    return block;
  }

  /** Puts a block on a list. */
  push(block: number, order: number): void {
    const next = this.first(order);
    this.setWord(block, next);
    this.setWord(block + 4, 0);
    this.setWord(block + 8, order);
    if (next !== 0) this.setWord(next + 4, block);
    this.setWord(this.head(order), block);
    this.change("ORDERS", (orders) => orders | (1 << order));
    this.toggleMark(block);
  }
}

type Damage = (arena: Arena) => void;

const DAMAGES: Record<string, readonly (readonly [string, Damage])[]> = {
  BOUNDS: [
    ["an end within a page", (a) => a.change("END", (end) => end + GRANULE)],
    ["an end below the heap", (a) => a.change("END", () => PAGE)],
    ["an end above the limit", (a) => a.change("MOST", () => a.word(core.arena("END")) - PAGE)],
    ["an end behind the memory", (a) => a.change("END", (end) => end + 100 * PAGE)],
  ],
  FREE_BLOCK: [
    ["of another order", (a) => a.setWord(a.first(0) + 8, 1)],
    ["without a mark", (a) => a.toggleMark(a.first(0))],
    ["unaligned", (a) => a.setWord(a.head(0), a.first(0) + 4)],
    ["aligned to less than its size", (a) => a.setWord(a.head(3), a.first(3) + GRANULE)],
    ["below the heap", (a) => a.setWord(a.head(0), core.region("ZEROS"))],
    ["behind the end", (a) => a.setWord(a.first(0), a.word(core.arena("END")))],
    ["in use", (a) => a.setWord(a.first(0), a.checked.host.allocate(GRANULE * 5))],
  ],
  FREE_BACK: [
    ["no first one", (a) => a.setWord(a.first(0) + 4, a.first(1))],
    ["one left out", (a) => a.setWord(a.head(a.order(0, 2)), a.word(a.first(a.order(0, 2))))],
    ["a circle", (a) => a.setWord(a.word(a.first(a.order(0, 2))), a.first(a.order(0, 2)))],
    ["a block to itself", (a) => a.setWord(a.first(0), a.first(0))],
  ],
  FREE_ORDERS: [
    ["one missing", (a) => a.change("ORDERS", (orders) => orders & (orders - 1))],
    ["one too many", (a) => a.change("ORDERS", (orders) => orders | (1 << 25))],
    ["one beyond the last", (a) => a.change("ORDERS", (orders) => (orders | (1 << 31)) >>> 0)],
  ],
  FREE_MARKS: [
    ["a block in use", (a) => a.toggleMark(a.checked.host.allocate(GRANULE))],
    ["below the heap", (a) => a.toggleMark(GRANULE)],
    ["the end of a list cut off", (a) => a.setWord(a.first(a.order(0, 3)), 0)],
  ],
  FREE_APART: [["one within another", (a) => a.push(a.first(a.order(1, 1)) + GRANULE, 0)]],
  BUDDIES: [
    [
      "a block in two",
      (a) => {
        const order = a.order(1, 1);
        const block = a.unlink(order);
        a.push(block, order - 1);
        a.push(block + (GRANULE << (order - 1)), order - 1);
      },
    ],
  ],
  HEAP_BYTES: [
    ["too many in use", (a) => a.change("IN_USE", (bytes) => bytes + GRANULE)],
    ["a lost block", (a) => a.unlink(a.order(0, 2))],
    ["a block that is in use", (a) => a.push(a.checked.host.allocate(GRANULE * 2), 0)],
  ],
  ZERO_BYTES: [
    ["the first", (a) => a.setWord(core.region("ZEROS"), 1)],
    ["the last", (a) => a.setWord(core.region("ZEROS") + 8188, 1)],
  ],
  NOBODYS: [
    ["no longer frozen", (a) => a.setWord(core.region("NOBODY") + core.header("FROZEN"), 0)],
    ["an entry", (a) => a.setWord(core.region("NOBODY") + core.header("COUNT"), 1)],
    ["a bucket elsewhere", (a) => a.setWord(core.region("NOBODY") + core.header("FLAT"), 0)],
  ],
};

const CASES = Object.entries(DAMAGES).flatMap(([name, damages]) =>
  damages.map(([what, damage]) => [name, what, damage] as const),
);

test.each(CASES)("%s: %s", (name, _what, damage) => {
  const arena = new Arena();
  arena.checked.check();
  damage(arena);
  const code = arena.checked.verifyArena();
  expect(arena.checked.problem(code)).toContain(`invariant ${invariant(name)},`);
  expect(arena.checked.problem(code)).not.toMatch(/undefined|NaN/);
});

test("every invariant of the arena is broken above", () => {
  const names = [...invariantsFrom("BOUNDS", "ZERO_BYTES"), "NOBODYS"];
  expect(Object.keys(DAMAGES).sort()).toEqual(names.sort());
});

describe("a sound arena", () => {
  test("after random allocations", () => {
    const checked = new CheckedHost({ seed });
    const random = new Random(seed);
    const live: { at: number; bytes: number }[] = [];
    for (let step = 0; step < 4000; step++) {
      if (random.chance(55)) {
        const bytes = random.between(1, random.chance(5) ? 1 << 19 : 3000);
        live.push({ at: checked.host.allocate(bytes), bytes });
      } else if (live.length > 0) {
        const { at, bytes } = live.splice(random.below(live.length), 1)[0]!;
        checked.host.core.release(at, bytes);
      }
      if (step % 20 === 0) checked.check();
    }
    for (const { at, bytes } of live) checked.host.core.release(at, bytes);
    checked.check();
  });

  test("of every size of memory", () => {
    for (let pages = 3; pages < 40; pages += 3) {
      const checked = new CheckedHost({ seed, maxMemory: pages * PAGE });
      checked.check();
      while (checked.host.allocate(1000) !== 0);
      checked.check();
    }
  });
});

/** Whatever a word becomes, verifyArena answers: it neither goes on for ever nor leaves the memory. */
test("any word", () => {
  const arena = new Arena();
  const random = new Random(seed);
  const words = Array.from({ length: 5 + ORDERS }, (_, i) => core.region("ARENA") + 4 * i);
  for (let order = 0; order < ORDERS; order++) {
    for (let block = arena.first(order); block !== 0; block = arena.word(block))
      words.push(block, block + 4, block + 8);
  }
  for (let at = 0; at < 128; at += 4)
    words.push(core.region("BITMAP") + (arena.first(0) >>> 11) * 4 - 64 + at);
  let noticed = 0;
  for (let round = 0; round < 2000; round++) {
    const word = words[random.below(words.length)]!;
    const before = arena.word(word);
    const other = arena.word(words[random.below(words.length)]!);
    const values = [
      before ^ (1 << random.below(32)),
      before + 1,
      before - 1,
      0,
      0xffff_ffff,
      random.next(),
      other,
    ];
    arena.setWord(word, values[random.below(values.length)]!);
    if (arena.checked.verifyArena() !== 0) noticed++;
    arena.setWord(word, before);
  }
  arena.checked.check();
  expect(noticed).toBeGreaterThan(1200);
});
