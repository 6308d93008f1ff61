// The core's verify finds what is wrong: for each invariant, memory is damaged in every way that breaks it first, and the answer
// has to be the number of that invariant. Then words anywhere are damaged at random, which it has to survive.
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/testing/index.ts";
import { invariant, invariantsFrom } from "../../support/core/constants.ts";
import type { TableMemory } from "../../support/core/table_memory.ts";
import { huntingSeed } from "../../support/seed.ts";
import { bySize } from "../../support/size.ts";
import { KINDS, type Kind, soundMap } from "../../support/sound_map.ts";

const seed = huntingSeed("ops/verify/verify_damage.test.ts");

const LINE = 64;

type Damage = (memory: TableMemory) => void;

/** Changes a word of the header. */
const at = (word: string, change: (value: number) => number): Damage => {
  return (memory) => memory.set(word, change(memory.get(word)));
};
const plus = (n: number) => (value: number) => value + n;
const to = (n: number) => () => n;

/** Changes a word of the book. */
const inBook = (offset: number, change: (word: number) => number): Damage => {
  return (memory) => memory.changeBook(offset, change);
};

/** Where a block was. */
const freed = (memory: TableMemory): number => {
  const block = memory.allocate(LINE);
  memory.release(block, LINE);
  return block;
};

/** One slot less, and the mask that goes with it. */
const fewerSlots = (count: string, mask: string): Damage => {
  return (memory) => {
    memory.set(count, memory.get(count) - 1);
    memory.set(mask, memory.get(mask) >>> 1);
  };
};

/** For each invariant: what is done, and to which maps. */
const DAMAGES: Record<string, readonly (readonly [string, readonly Kind[], Damage])[]> = {
  MEASURES: [
    ["no such layout", ["keys", "array"], at("LAYOUT", to(9))],
    ["mask of slots", ["keys", "tags", "refs"], at("SLOT_MASK", plus(1))],
    ["mask of slots of overflow blocks", ["keys", "tags", "refs"], at("OVERFLOW_MASK", plus(1))],
    ["bytes of an overflow block", ["keys", "tags", "refs"], at("OVERFLOW_BYTES", plus(LINE))],
    ["key size", ["keys", "tags", "refs", "array"], at("KEY_SIZE", plus(8))],
    ["key size with which sizes overflow", ["tags"], at("KEY_SIZE", plus(2 ** 31))],
    ["value size", ["tags", "refs"], at("VALUE_SIZE", plus(200))],
    ["bytes of a bucket", ["keys", "refs"], at("BUCKET_BYTES", plus(LINE))],
    ["bytes of a bucket, too few", ["tags"], at("BUCKET_BYTES", plus(-LINE))],
    ["bytes of a bucket, unaligned", ["tags"], at("BUCKET_BYTES", plus(8))],
    ["slots", ["keys", "tags", "refs"], fewerSlots("SLOTS", "SLOT_MASK")],
    ["slots of overflow blocks", ["keys", "tags", "refs"], fewerSlots("OVERFLOW_SLOTS", "OVERFLOW_MASK")],
    ["where values are", ["tags", "refs"], at("VALUES", plus(8))],
    ["where values of overflow blocks are", ["tags"], at("OVERFLOW_VALUES", plus(8))],
    ["bytes of an element", ["refs", "array", "grownArray"], at("ELEMENT_STRIDE", plus(8))],
  ],
  BUCKET_COUNT: [
    ["no bucket", ["keys", "fixedKeys"], at("BUCKETS", to(0))],
    ["twice as many", ["keys", "fixedRefs"], at("BUCKETS", (n) => 2 * n)],
    ["another mask", ["keys", "fixedKeys"], at("MASK", (mask) => mask >>> 1)],
  ],
  LIMITS: [
    ["grows earlier", ["keys", "fixedKeys", "array"], at("GROW_ABOVE", plus(-1))],
    ["another mark", ["keys", "tags", "refs", "fixedKeys", "array", "grownArray"], at("MARK", plus(-1))],
    ["another mark beside a filter", ["filteredKeys"], at("MARK", plus(1))],
    ["another one without it", ["filteredKeys"], at("LEAN_MARK", plus(-1))],
    ["slots below a mark", ["fixedKeys", "grownArray"], at("LOW_FREE", to(10))],
    ["shrinks earlier", ["refs", "fixedRefs"], at("SHRINK_BELOW", plus(1))],
    ["another load target", ["tags"], at("LOAD16", plus(16))],
    ["another number of buckets", ["tags"], at("BUCKETS", plus(1))],
  ],
  DIRECTORY: [
    ["no room", ["manyKeys"], (m) => m.setRoom("BUCKET_SEGMENTS", 1)],
    ["room without segments", ["keys", "fixedRefs"], (m) => m.setRoom("BUCKET_SEGMENTS", 1)],
    ["one that is not needed", ["keys"], (m) => m.set("BUCKET_SEGMENTS", m.allocate(LINE))],
    ["unaligned", ["manyKeys", "lazyTags"], (m) => m.set("BUCKET_SEGMENTS", m.get("BUCKET_SEGMENTS") + 4)],
    ["beyond the memory", ["refs"], (m) => m.set("ELEMENT_SEGMENTS", 0xffff_ffc0)],
    ["free", ["manyKeys"], (m) => m.release(m.get("BUCKET_SEGMENTS"), LINE)],
    ["a segment moved", ["manyKeys"], (m) => m.changeSegment("BUCKET_SEGMENTS", 4, plus(32))],
    [
      "a segment of the flat part moved",
      ["manyKeys"],
      (m) => m.changeSegment("BUCKET_SEGMENTS", 3, plus(128)),
    ],
    ["a segment missing", ["refs"], (m) => m.changeSegment("ELEMENT_SEGMENTS", 1, to(0))],
    ["a segment too many", ["manyKeys"], (m) => m.changeSegment("BUCKET_SEGMENTS", 15, to(0x100000))],
    ["the start of a segment free", ["lazyTags"], (m) => m.release(m.bucket(0), LINE)],
    ["the end of a segment free", ["manyKeys"], (m) => m.release(m.bucket(639) + LINE, LINE)],
    ["a segment of elements free", ["refs", "fixedRefs", "grownArray"], (m) => m.release(m.element(0), LINE)],
    ["a segment of an array moved", ["grownArray"], (m) => m.changeSegment("ELEMENT_SEGMENTS", 2, plus(16))],
    [
      "a segment behind the end of an array",
      ["grownArray"],
      (m) => m.changeSegment("ELEMENT_SEGMENTS", m.room("ELEMENT_SEGMENTS") - 1, to(0x100000)),
    ],
    [
      "no segment for the length of an array",
      ["array"],
      (m) => {
        for (const word of ["MAX_ENTRIES", "MARK", "COUNT"]) m.set(word, m.get(word) + 1);
      },
    ],
  ],
  FLAT_PART: [
    ["none", ["keys", "fixedRefs"], at("FLAT_BUCKETS", to(0))],
    ["half of it", ["keys", "tags", "manyKeys"], at("FLAT_BUCKETS", (n) => n / 2)],
    ["one bucket more", ["fixedKeys"], at("FLAT_BUCKETS", plus(1))],
    ["of a table that has none", ["lazyTags"], at("FLAT_BUCKETS", to(1))],
    ["elsewhere", ["keys", "refs"], at("FLAT", plus(LINE))],
    ["nowhere", ["manyKeys"], at("FLAT", to(0))],
    ["its start free", ["keys"], (m) => m.release(m.bucket(0), LINE)],
    ["its end free", ["tags"], (m) => m.release(m.bucket(3) + m.get("BUCKET_BYTES") - LINE, LINE)],
  ],
  FILTER_ARRAY: [
    ["none", ["filteredKeys"], at("FILTER", to(0))],
    ["in a table without one", ["keys", "tags"], (m) => m.set("FILTER", m.allocate(LINE))],
    ["room without one", ["keys"], (m) => m.setWord(m.address("FILTER") + 8, 16)],
    ["no room", ["filteredKeys"], (m) => m.setWord(m.address("FILTER") + 8, 0)],
    ["its directory free", ["filteredKeys"], (m) => m.release(m.get("FILTER"), LINE)],
    ["unaligned", ["filteredKeys"], (m) => m.setWord(m.get("FILTER"), m.word(m.get("FILTER")) + 4)],
    ["beyond the memory", ["filteredKeys"], (m) => m.setWord(m.get("FILTER"), 0xffff_ffc0)],
    ["its end free", ["filteredKeys"], (m) => m.release(m.word(m.get("FILTER")) + 512 - LINE, LINE)],
  ],
  FILTER_BITS: [
    [
      "a word without the bits of its bucket",
      ["filteredKeys"],
      (m) => m.setWord(m.word(m.get("FILTER")) + 4 * 50, 0),
    ],
  ],
  DRAIN_POSITION: [["behind the last bucket", ["fixedKeys"], (m) => m.set("DRAIN_AT", m.get("BUCKETS"))]],
  ENTRY_COUNT: [
    ["one more", ["keys", "tags", "refs", "fixedRefs", "array", "grownArray"], at("COUNT", plus(1))],
    [
      "an entry gone",
      ["keys", "fixedKeys"],
      (m) => m.changeMarks(m.crowded(), (marks) => marks & (marks - 1)),
    ],
  ],
  CAPACITY: [
    ["lower", ["keys", "tags", "refs"], (m) => m.set("MAX_ENTRIES", m.get("COUNT") - 1)],
    [
      "an array shorter than its first block",
      ["array"],
      (m) => {
        m.set("MAX_ENTRIES", m.get("ARRAY_BASE") - 1);
        m.set("COUNT", m.get("ARRAY_BASE") - 1);
      },
    ],
  ],
  OVERFLOW_BLOCKS: [
    ["one more", ["keys", "tags", "refs", "fixedKeys"], at("OVERFLOW_COUNT", plus(1))],
    ["one block twice", ["tags", "refs"], (m) => m.shareEmptyBlock()],
  ],
  RESERVE: [
    ["in a growing table", ["keys", "refs"], (m) => m.set("OVERFLOW_RESERVE", m.allocate(LINE))],
    ["a circle", ["fixedKeys"], (m) => m.setWord(m.get("OVERFLOW_RESERVE"), m.get("OVERFLOW_RESERVE"))],
    ["unaligned", ["fixedKeys"], at("OVERFLOW_RESERVE", plus(4))],
    ["free", ["fixedRefs"], (m) => m.release(m.get("OVERFLOW_RESERVE"), LINE)],
  ],
  TABLE_BYTES: [
    [
      "too many",
      ["keys", "tags", "refs", "fixedKeys", "lazyTags", "array", "grownArray"],
      at("BYTES", plus(LINE)),
    ],
    ["a lost block", ["fixedKeys"], (m) => m.set("OVERFLOW_RESERVE", m.word(m.get("OVERFLOW_RESERVE")))],
  ],
  ARRAY_VALUES: [
    ["nowhere", ["array"], at("ARRAY_DATA", to(0))],
    ["unaligned", ["array"], at("ARRAY_DATA", plus(8))],
    ["free", ["array", "grownArray"], (m) => m.release(m.get("ARRAY_DATA"), LINE)],
    ["more of them", ["array"], at("ARRAY_BASE", to(2 ** 31))],
  ],
  CHAIN_LINK: [
    ["beyond the memory", ["keys", "tags", "refs"], (m) => m.setLink(m.bucket(0), 0xffff_ffc0)],
    ["below the heap", ["keys"], (m) => m.setLink(m.bucket(0), m.checked.constants.region("ZEROS"))],
    ["from an overflow block", ["keys", "refs"], (m) => m.setLink(m.overflow(), 0xffff_ffc0)],
    ["to a free block", ["tags", "refs"], (m) => m.release(m.overflow(), LINE)],
    ["unaligned", ["keys", "tags", "refs"], (m) => m.setLink(m.bucket(0), m.overflow() + 4)],
  ],
  CHAIN_END: [
    ["a block to itself", ["keys", "tags", "refs"], (m) => m.setLink(m.overflow(), m.overflow())],
    ["a block to its bucket", ["keys", "tags", "refs"], (m) => m.setLink(m.overflow(), m.crowded())],
    ["a circle of three", ["keys", "refs", "fixedKeys"], (m) => m.circle(3)],
  ],
  SLOT_MARKS: [
    [
      "used and dead",
      ["keys", "fixedKeys"],
      (m) => m.changeMarks(m.crowded(), (marks) => marks | (marks << 16)),
    ],
    ["no slot", ["keys"], (m) => m.changeMarks(m.bucket(1), plus(1 << 15))],
    ["no slot of an overflow block", ["keys"], (m) => m.changeMarks(m.overflow(), plus(1 << 4))],
    ["a tag behind the last slot", ["tags"], (m) => m.setTag(m.overflow(), m.get("OVERFLOW_SLOTS"), 2)],
    ["a dead tag behind the last slot", ["tags"], (m) => m.setTag(m.bucket(0), m.get("SLOTS"), 1)],
  ],
  HASH_BUCKET: [
    [
      "a key of another bucket",
      ["keys", "tags", "refs", "fixedRefs"],
      (m) => m.copyKey(m.crowded(), m.single()),
    ],
    ["other secrets", ["keys", "tags", "refs"], at("SEEDS", plus(1))],
    ["a chain of another bucket", ["keys", "tags", "refs"], (m) => m.setLink(m.single(), m.overflow())],
  ],
  FINDABLE: [["another tag", ["tags", "refs"], (m) => m.changeTag(m.crowded(), (tag) => (tag ^ 1) | 2)]],
  ONE_OF_A_KEY: [
    ["in a chain", ["keys", "tags", "fixedKeys"], (m) => m.copyKey(m.crowded(), m.overflow())],
    ["one element twice", ["refs", "fixedRefs"], (m) => m.setReference(m.overflow(), m.crowded())],
  ],
  ELEMENT_REFERENCE: [
    ["beyond the memory", ["refs"], (m) => m.changeReference(m.crowded(), to(0xffff_fff8))],
    ["unaligned", ["refs"], (m) => m.changeReference(m.crowded(), plus(4))],
    ["to a free element", ["fixedRefs"], (m) => m.changeReference(m.overflow(), to(m.get("FREE_ELEMENT")))],
  ],
  ELEMENT_STATE: [
    ["none", ["refs", "fixedRefs"], (m) => m.setWord(m.element(100), 4)],
    ["free in a dense array", ["refs"], (m) => m.setWord(m.element(100), 2)],
  ],
  LIVE_COUNT: [
    [
      "the last one does not count",
      ["refs", "fixedRefs"],
      (m) => {
        m.set("ELEMENTS", m.get("ELEMENTS") - 1);
        m.set("SWEEP", m.get("SWEEP") - 1);
      },
    ],
  ],
  ELEMENT_OWNER: [
    [
      "an entry gone, its element is not",
      ["refs", "fixedRefs"],
      (m) => {
        m.changeTag(m.crowded(), to(0));
        m.set("COUNT", m.get("COUNT") - 1);
      },
    ],
  ],
  DEAD_COUNT: [["one more", ["keys", "refs", "fixedRefs"], at("DEAD_ELEMENTS", plus(1))]],
  SWEEP_POSITION: [
    ["behind the end", ["refs", "fixedRefs"], (m) => m.set("SWEEP", m.get("ELEMENTS") + 1)],
    ["before a dead element", ["refs", "fixedRefs"], at("SWEEP", to(1))],
  ],
  PARTS_APART: [
    [
      "an element in the segment of others",
      ["refs", "fixedRefs"],
      (m) => m.setWord(m.get("ELEMENT_SEGMENTS"), m.element(16)),
    ],
    [
      "a segment of an array twice",
      ["grownArray"],
      (m) =>
        m.setWord(m.get("ELEMENT_SEGMENTS") + 4, m.word(m.get("ELEMENT_SEGMENTS")) - m.get("ELEMENT_STRIDE")),
    ],
    ["a filter in the buckets", ["filteredKeys"], (m) => m.setWord(m.get("FILTER"), m.bucket(0))],
    ["the flat part in the elements", ["refs"], (m) => m.set("FLAT", m.element(256))],
  ],
  FREE_ELEMENTS: [
    ["no list", ["fixedRefs"], at("FREE_ELEMENT", to(0))],
    ["a list in a dense array", ["refs"], (m) => m.set("FREE_ELEMENT", m.element(0))],
    ["a circle", ["fixedRefs"], (m) => m.setWord(m.get("FREE_ELEMENT"), m.get("FREE_ELEMENT") | 2)],
    ["beyond the memory", ["fixedRefs"], (m) => m.setWord(m.get("FREE_ELEMENT"), (0xffff_fff8 | 2) >>> 0)],
    ["one left out", ["fixedRefs"], (m) => m.set("FREE_ELEMENT", m.word(m.get("FREE_ELEMENT")) & ~7)],
    ["on to a live element", ["fixedRefs"], (m) => m.setWord(m.get("FREE_ELEMENT"), m.element(300) | 2)],
  ],
  BOOK_WORDS: [
    ["none", ["evictingKeys", "evictingRefs", "timedKeys"], at("BOOK", to(0))],
    ["in a table without one", ["keys", "fixedRefs"], (m) => m.set("BOOK", m.allocate(LINE))],
    ["unaligned", ["evictingTags"], at("BOOK", plus(4))],
    ["beyond the memory", ["timedRefs"], at("BOOK", to(0xffff_ffc0))],
    [
      "its end free",
      ["evictingKeys"],
      (m) => m.release((m.get("BOOK") + 20 * m.get("BUCKETS")) & -LINE, LINE),
    ],
    ["inserts between two ticks", ["evictingKeys", "timedKeys"], inBook(4, plus(1))],
    ["a clock beyond the stamps of a small table", ["evictingFew"], inBook(0, to(32))],
    ["ms of a unit: none", ["timedKeys"], inBook(12, to(0))],
    ["ms of a unit: no number", ["evictingTags"], inBook(12, to(0x7ff8_0000))],
    ["a ttl below 0", ["timedRefs"], inBook(20, plus(2 ** 31))],
    ["where a value has its expiry", ["timedKeys", "evictingTags"], inBook(24, plus(4))],
    ["bytes of a value that users see: more", ["timedRefs"], inBook(28, plus(16))],
    ["bytes of a value that users see: none", ["timedKeys"], inBook(28, to(0))],
    ["a hand behind the last bucket", ["evictingRefs"], (m) => inBook(36, to(m.get("BUCKETS")))(m)],
    ["a buffer for events that is none", ["evictingTags", "timedKeys"], inBook(60, (m) => m + 64)],
    ["a free one", ["evictingKeys"], (m) => inBook(60, to(freed(m)))(m)],
  ],
};

const CASES = Object.entries(DAMAGES).flatMap(([name, damages]) =>
  damages.flatMap(([what, kinds, damage]) => kinds.map((kind) => [name, what, kind, damage] as const)),
);

test.each(CASES)("%s, %s: %s", (name, _what, kind, damage) => {
  const memory = soundMap(kind);
  damage(memory);
  const code = memory.verify();
  expect(code === 0 ? "nothing" : memory.checked.problem(code)).toContain(`invariant ${invariant(name)},`);
  expect(memory.checked.problem(code)).not.toMatch(/undefined|NaN/);
});

test("every invariant of tables is broken above", () => {
  const names = [
    ...invariantsFrom("MEASURES", "FREE_ELEMENTS"),
    "FLAT_PART",
    "PARTS_APART",
    "FILTER_ARRAY",
    "FILTER_BITS",
    "BOOK_WORDS",
  ];
  expect(Object.keys(DAMAGES).sort()).toEqual(names.sort());
});

/** Whatever a word becomes, verify answers: it neither goes on for ever nor leaves the memory. */
describe.each([false, true])("any word, shared: %s", (shared) => {
  test.each((Object.keys(KINDS) as Kind[]).filter((kind) => kind !== "array"))("%s", (kind) => {
    const memory = soundMap(kind, shared);
    const { checked } = memory;
    const random = new Random(seed);
    let noticed = 0;
    const words = [...memory.words()];
    for (let round = 0; round < bySize(500, 1500); round++) {
      const word = words[random.below(words.length)]!;
      const before = memory.word(word);
      const other = memory.word(words[random.below(words.length)]!);
      const bit = before ^ (1 << random.below(32));
      const values = [bit, before + 1, before - 1, 0, 0xffff_ffff, random.next(), other];
      memory.setWord(word, values[random.below(values.length)]!);
      const code = memory.verify();
      if (code !== 0) {
        noticed++;
        const problem = checked.problem(code);
        if (/undefined|NaN/.test(problem)) throw new Error(problem);
      }
      memory.setWord(word, before);
    }
    checked.check();
    // The rest is values, counters, and free slots.
    expect(noticed).toBeGreaterThan(bySize(100, 300));
  });
});
