// What verify checks in the shared build only: damage to it has the number of the invariant that it breaks first.

import { expect, test } from "vitest";
import { SLOT_BYTES } from "../../../src/generated/abi.js";
import { u32 } from "../../../src/index.ts";
import { CheckedHost } from "../../support/checked_host.ts";
import { invariant, invariantsFrom } from "../../support/core_constants.ts";
import { type Kind, soundMap } from "../../support/sound_map.ts";
import type { TableMemory } from "../../support/table_memory.ts";

type Damage = (memory: TableMemory) => void;

/** Address of a word of a CPU slot. */
const slotWord = ({ checked: { constants } }: TableMemory, cpu: number, name: string): number =>
  constants.region("SLOTS") + cpu * SLOT_BYTES + constants.slot(name);

/** Sets a bit of the word at an address. */
const setBit = (m: TableMemory, address: number, bit = 1): void =>
  m.setWord(address, (m.word(address) | bit) >>> 0);

const ALL: readonly Kind[] = ["keys", "tags", "refs", "fixedKeys", "fixedRefs", "lazyTags"];

/** What verify answers to. */
const TABLE: Record<string, readonly (readonly [string, readonly Kind[], Damage])[]> = {
  UNLOCKED: [
    ["a bucket", ALL, (m) => setBit(m, m.lock(m.bucket(3)))],
    ["resizing", ["keys"], (m) => setBit(m, m.address("RESIZE_LOCK"))],
    ["counts and elements", ["refs"], (m) => setBit(m, m.address("POOL_LOCK"))],
    ["elements of an array", ["array"], (m) => setBit(m, m.get("STRIPES"))],
    [
      "elements behind the first block of an array",
      ["grownSmallArray"],
      (m) => setBit(m, m.get("LATE_STRIPES") + 16),
    ],
  ],
  WIDTH: [
    [
      "of a bucket that is split",
      ["keys", "tags", "refs"],
      (m) => m.changeWidth(m.bucket(0), (width) => width - 1),
    ],
    ["of the last bucket", ["keys", "tags"], (m) => m.changeWidth(m.bucket(m.get("BUCKETS") - 1), () => 63)],
    ["of none that N has not reached", ["refs"], (m) => m.changeWidth(m.bucket(63), (width) => width + 1)],
  ],
  OWN_LINES: [
    ["no lines", ["keys", "array"], (m) => m.set("LINES", 0)],
    ["unaligned locks", ["array"], (m) => m.set("STRIPES", m.get("STRIPES") + 16)],
    ["more locks than there is memory", ["array"], (m) => m.set("STRIPE_MASK", 0xfff_ffff)],
    ["no locks behind the first block", ["grownSmallArray"], (m) => m.set("LATE_STRIPES", 64)],
  ],
  FROZEN_CREDITS: [
    [
      "one thawed",
      ["keys"],
      (m) => {
        m.set("LIMITED", 1);
        m.setWord(m.get("LINES"), (m.word(m.get("LINES")) & ~1) >>> 0);
      },
    ],
  ],
  OLD_DIRECTORIES: [
    [
      "larger",
      ["keys"],
      (m) => m.setWord(m.get("BUCKET_SEGMENTS") + 4 * m.room("BUCKET_SEGMENTS") + 4, 1000),
    ],
    ["nowhere", ["refs"], (m) => m.setWord(m.get("BUCKET_SEGMENTS") + 4 * m.room("BUCKET_SEGMENTS") + 4, 1)],
    [
      "nowhere, of an array",
      ["grownArray"],
      (m) => m.setWord(m.get("ELEMENT_SEGMENTS") + 4 * m.room("ELEMENT_SEGMENTS") + 4, 1),
    ],
  ],
  HELD_SEGMENTS: [
    ["one less", ["refs", "fixedRefs", "grownArray"], (m) => m.set("ELEMENT_SEGMENTS_HELD", 1)],
    [
      "none for the length of an array",
      ["array"],
      (m) => {
        m.set("MAX_ENTRIES", 1001);
        m.set("COUNT", 1001);
      },
    ],
  ],
  RETIRED_MEMORY: [
    ["no node", ["keys"], (m) => m.set("RETIRED_SEGMENTS", 64)],
    [
      "a circle",
      ["keys"],
      (m) =>
        m.set(
          "RETIRED_SEGMENTS",
          m.retired((node) => node, m.bucket(0)),
        ),
    ],
    [
      "no segment",
      ["keys"],
      (m) =>
        m.set(
          "RETIRED_SEGMENTS",
          m.retired(() => 0, 64),
        ),
    ],
    ["no spare node", ["tags"], (m) => m.set("SPARE_NODE", 64)],
  ],
  ENTRY_COUNT: [
    ["credits", ["keys", "refs"], (m) => m.setWord(m.get("LINES"), (m.word(m.get("LINES")) + 256) >>> 0)],
    ["handed out", ["keys", "refs"], (m) => m.set("COUNT", m.get("COUNT") + 1)],
  ],
  TABLE_BYTES: [["too many", ALL, (m) => m.set("BYTES", m.get("BYTES") + 64)]],
  LIVE_COUNT: [
    ["one more", ["refs", "fixedRefs"], (m) => m.set("LIVE_ELEMENTS", m.get("LIVE_ELEMENTS") + 1)],
  ],
  SLOT_MARKS: [["the tag of no slot", ["refs"], (m) => m.setTag(m.bucket(0), m.get("SLOTS"), 1)]],
};

/** What verifyArena answers to. */
const HOST: Record<string, readonly (readonly [string, Damage])[]> = {
  UNLOCKED: [
    ["the arena", (m) => setBit(m, m.checked.constants.region("ARENA_LOCK"))],
    ["the registry", (m) => setBit(m, m.checked.constants.region("REGISTRY"))],
  ],
  IDLE_SLOTS: [
    ["something to undo", (m) => m.setWord(slotWord(m, 2, "LOG_COUNT"), 1)],
    ["a lock held", (m) => m.setWord(slotWord(m, 1, "HELD"), 1)],
    ["something to publish", (m) => m.setWord(slotWord(m, 3, "PUBLISH_AT"), 4)],
    ["a hazard", (m) => m.setWord(slotWord(m, 0, "HAZARD"), 64)],
  ],
  OWNED_BLOCKS: [
    ["no block", (m) => m.setWord(slotWord(m, 1, "OWNED"), 64)],
    ["not the one before", (m) => m.setWord(m.word(slotWord(m, 0, "OWNED")) + 4, 64)],
    ["a circle", (m) => m.setWord(m.word(slotWord(m, 0, "OWNED")), m.word(slotWord(m, 0, "OWNED")))],
    ["bytes of journals", (m) => m.setWord(slotWord(m, 0, "LOG_BYTES"), 8)],
  ],
  BELONGINGS: [
    ["a table's account", (m) => m.set("BYTES", m.get("BYTES") + 64)],
    ["a block that nobody knows of", (m) => m.setWord(slotWord(m, 0, "OWNED"), 0)],
  ],
};

function expectInvariant(memory: TableMemory, name: string, code: number): void {
  expect(code === 0 ? "nothing" : memory.checked.problem(code)).toContain(`invariant ${invariant(name)},`);
  expect(memory.checked.problem(code)).not.toMatch(/undefined|NaN/);
}

const CASES = Object.entries(TABLE).flatMap(([name, damages]) =>
  damages.flatMap(([what, kinds, damage]) => kinds.map((kind) => [name, what, kind, damage] as const)),
);

test.each(CASES)("%s, %s: %s", (name, _what, kind, damage) => {
  const memory = soundMap(kind, true);
  damage(memory);
  expectInvariant(memory, name, memory.verify());
});

const HOST_CASES = Object.entries(HOST).flatMap(([name, damages]) =>
  damages.map(([what, damage]) => [name, what, damage] as const),
);

test.each(HOST_CASES)("%s, %s", (name, _what, damage) => {
  const memory = soundMap("tags", true);
  damage(memory);
  expectInvariant(memory, name, memory.checked.verifyArena());
});

test("every invariant of the shared build is broken above", () => {
  const broken = new Set([...Object.keys(TABLE), ...Object.keys(HOST)]);
  expect(invariantsFrom("UNLOCKED", "BELONGINGS").filter((name) => !broken.has(name))).toEqual([]);
});

test("maps of other threads, pins and maps that die in a section belong to somebody, too", () => {
  const checked = new CheckedHost({ seed: 1, shared: true, cpus: 2 });
  const { host } = checked;
  const open = () => host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 100 });
  host.pin("/pinned", open());
  checked.check();
  host.section(() => {
    const map = open();
    for (let key = 0; key < 100; key++) map.set(key, key);
    map.close();
    checked.check();
  });
  checked.check();
  host.unpin("/pinned");
  checked.check();
});
