// What verify checks in the shared build only: damage to it has the number of the invariant that it breaks first.

import { expect, test } from "vitest";
import type { Table } from "../../../src/core/tables/table.ts";
import { SLOT_BYTES } from "../../../src/generated/abi.js";
import { attachHost, u32 } from "../../../src/index.ts";
import { CheckedHost } from "../../support/checked_host.ts";
import { invariant, invariantsFrom } from "../../support/core/constants.ts";
import type { TableMemory } from "../../support/core/table_memory.ts";
import { type Kind, soundMap } from "../../support/sound_map.ts";

type Damage = (memory: TableMemory) => void;

/** Address of a word of a CPU slot. */
const slotWord = ({ checked: { constants } }: TableMemory, cpu: number, name: string): number =>
  constants.region("SLOTS") + cpu * SLOT_BYTES + constants.slot(name);

/** Sets a bit of the word at an address. */
const setBit = (m: TableMemory, address: number, bit = 1): void =>
  m.setWord(address, (m.word(address) | bit) >>> 0);

/** Bytes of the line that a map has for each CPU slot. */
const LINE = 64;

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
    ["no lines", ["keys", "array", "evictingRefs"], (m) => m.set("LINES", 0)],
    ["lines beyond the memory", ["evictingKeys", "evictingRefs"], (m) => m.set("LINES", 0xffff_ff00)],
    ["other lines", ["keys"], (m) => m.set("LINES", m.bucket(0))],
    ["other locks", ["grownArray"], (m) => m.set("STRIPES", m.get("ARRAY_DATA"))],
    ["the other locks", ["grownSmallArray"], (m) => m.set("STRIPES", m.get("LATE_STRIPES"))],
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
    ["another spare node", ["tags", "keys"], (m) => m.set("SPARE_NODE", m.get("LINES"))],
  ],
  PARTS_APART: [
    [
      "an element in the segment of others",
      ["refs", "fixedRefs"],
      (m) => m.setWord(m.get("ELEMENT_SEGMENTS"), m.element(16)),
    ],
    [
      "a bucket twice",
      ["keys", "fixedKeys"],
      (m) =>
        m.setWord(m.get("BUCKET_SEGMENTS") + 4, m.word(m.get("BUCKET_SEGMENTS")) - m.get("BUCKET_BYTES")),
    ],
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
    ["in a write", (m) => setBit(m, slotWord(m, 0, "SEQUENCE"))],
    ["in a grace period", (m) => m.setWord(slotWord(m, 0, "IN_GRACE"), 1)],
    ["a word that is never written", (m) => m.setWord(slotWord(m, 2, "FENCE"), 1)],
    ["in haste", (m) => setBit(m, slotWord(m, 0, "FLAGS"), 2)],
  ],
  OPEN_SECTIONS: [
    ["in the set", (m) => m.setWord(m.checked.constants.region("SECTION_MASK"), 4)],
    ["of a slot that there is not", (m) => m.setWord(m.checked.constants.region("SECTION_MASK") + 4, 1)],
    ["not in the set", (m) => m.setWord(slotWord(m, 1, "DEPTH"), 1)],
  ],
  CPU_COUNT: [
    ["none", (m) => m.setWord(m.checked.constants.region("HOST_CPUS"), 0)],
    ["more than fit", (m) => m.setWord(m.checked.constants.region("HOST_CPUS"), 65)],
    ["journals elsewhere", (m) => setBit(m, m.checked.constants.region("HOST_LOGS"), 1 << 20)],
  ],
  SLOT_STATES: [
    ["none of them", (m) => m.setWord(slotWord(m, 1, "STATE"), 1 << 12)],
    ["recovered by nobody", (m) => m.setWord(slotWord(m, 1, "STATE"), 3 | (63 << 3))],
    ["live without a journal", (m) => m.setWord(slotWord(m, 1, "STATE"), 1)],
    ["dead without a journal", (m) => m.setWord(slotWord(m, 2, "STATE"), 2)],
    ["free with a journal", (m) => m.setWord(slotWord(m, 0, "STATE"), 0)],
  ],
  JOURNALS: [
    ["elsewhere", (m) => m.setWord(slotWord(m, 0, "LOG"), m.word(slotWord(m, 0, "LOG")) + 8)],
    ["longer", (m) => setBit(m, slotWord(m, 0, "LOG_ROOM"), 1 << 15)],
    ["a block that is none", (m) => m.setWord(slotWord(m, 0, "LOG"), m.word(slotWord(m, 0, "OWNED")) + 64)],
  ],
  SPIN_LOCKS: [
    ["too many", (m) => m.setWord(slotWord(m, 0, "VALUE_LOCKS"), 5)],
    ["nowhere", (m) => m.setWord(slotWord(m, 0, "VALUE_LOCKS"), 1)],
    [
      "not held",
      (m) => {
        m.setWord(slotWord(m, 0, "VALUE_LOCKS"), 1);
        m.setWord(slotWord(m, 0, "VALUE_LOCK"), m.get("LINES"));
      },
    ],
  ],
  REGISTRY_LISTS: [
    ["no dying map", (m) => m.setWord(m.checked.constants.named("DYING_TABLES"), 0x8000)],
    [
      "a dying map that is something else",
      (m) => m.setWord(m.checked.constants.named("DYING_TABLES"), m.get("LINES")),
    ],
    ["a circle", (m) => m.setWord(m.address("NEXT"), m.address("BUCKETS"))],
    ["a map that is newer than all", (m) => m.setWord(m.checked.constants.named("REGISTRY_NEWEST_ID"), 0)],
    ["no pin", (m) => m.setWord(m.checked.constants.named("REGISTRY_PINS"), 0x8000)],
    [
      "a pin of no map",
      (m) => {
        const { registry } = m.checked.host;
        const [table] = registry.all();
        registry.pin("/path", table as Table);
        m.setWord(m.word(m.checked.constants.named("REGISTRY_PINS")) + 4, m.get("LINES"));
      },
    ],
    ["no map in the making", (m) => m.setWord(slotWord(m, 0, "ORPHAN"), 0x8000)],
  ],
  REFERENCE_COUNTS: [
    ["a pin more", (m) => m.set("PIN_COUNT", 1)],
    ["of a free slot", (m) => m.setWord(m.get("LINES") + LINE + 8, 1)],
    ["two of a thread", (m) => m.setWord(m.get("LINES") + 8, 2)],
    ["nobody's", (m) => m.setWord(m.get("LINES") + 8, 0)],
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
  const names = [
    ...invariantsFrom("UNLOCKED", "BELONGINGS"),
    "OPEN_SECTIONS",
    ...invariantsFrom("CPU_COUNT", "REFERENCE_COUNTS"),
  ];
  expect(names.filter((name) => !broken.has(name))).toEqual([]);
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

test("what a host knows of its slot is what the memory says", () => {
  const { checked } = soundMap("tags", true);
  const { host, constants } = checked;
  expect(host.verify()).toEqual([]);
  const copy = constants.region("SLOTS") + constants.slot("COPY");
  checked.setWord(copy, checked.word(copy) ^ 256);
  expect(host.verify()).toEqual([expect.stringMatching(/^the host: copies of values are read at 0x/)]);
  checked.setWord(copy, checked.word(copy) ^ 256);
  checked.setWord(constants.region("HOST_CPUS"), host.cpus + 1);
  expect(host.verify().join("\n")).toContain(`the host: it has ${host.cpus} CPU slots`);
});

test("a slot that is free again has no journal", () => {
  const checked = new CheckedHost({ seed: 1, shared: true, cpus: 2 });
  const other = attachHost(checked.host.share());
  checked.check();
  other.close();
  checked.check();
  attachHost(checked.host.share());
  expect(checked.host.reap(1)).toBe(true);
  checked.check();
});
