// The core's verify finds what is wrong in a KV store: each of its invariants is broken, and then any word at random.

import { describe, expect, test } from "vitest";
import {
  KV_ENTRY_BITMAP,
  KV_ENTRY_BYTES,
  KV_ENTRY_LONGEST,
  KV_ENTRY_USED,
  KV_METADATA,
  KV_MOST_PAGES,
  KV_OWNERS,
  KV_PAGE_COUNT,
  KV_PAGES,
  KV_PAGES_AT_MOST,
  KV_TEXT,
  KV_TEXT_BYTES,
} from "../../src/generated/abi.js";
import { createHost, cstring, type Host, type KvStore, u32, u64 } from "../../src/index.ts";
import { Random } from "../../src/testing/index.ts";
import { CoreConstants, invariant, invariantsFrom } from "../support/core/constants.ts";
import { huntingSeed } from "../support/seed.ts";
import { HOSTS } from "./hosts.ts";

const seed = huntingSeed("kv/verify.test.ts");
const KEYS = 40;
const PAGES = 3;
const [PLAIN, SHARED] = [new CoreConstants(false), new CoreConstants(true)];

/** A store in which everything is there that a store may have. */
class Sound {
  readonly host: Host;
  readonly store: KvStore;

  constructor(create: () => Host) {
    this.host = create();
    const manifest = { pairs: { a: { codec: u32, default: 1 }, b: { codec: cstring(9), default: "b" } } };
    const store = this.host.createKvStore({ maxKeys: KEYS, maxPages: PAGES, manifest });
    this.store = store;
    for (let key = 5; key < 20; key++) store.put(key, new Uint8Array(key * 20).fill(key));
    store.put(30, new Uint8Array(4000));
    for (const key of [7, 9, 12]) store.delete(key);
    store.rollout({ pairs: { a: { codec: u64 }, b: { codec: cstring(9) } } });
    expect(store.verify()).toEqual([]);
  }

  /** Offset of a word of the header, by its name there. */
  header(name: string): number {
    return (this.host.shared ? SHARED : PLAIN).header(name);
  }

  /** Address of a word of the header. */
  word(offset: number): number {
    return this.store.table.handle + offset;
  }

  get(address: number): number {
    return this.host.u32[address >>> 2]!;
  }

  set(address: number, value: number): void {
    this.host.u32[address >>> 2] = value;
  }

  change(offset: number, change: (value: number) => number): void {
    this.set(this.word(offset), change(this.get(this.word(offset))));
  }

  /** Address of a word of the entry of a page; the first one is the address of the page. */
  page(page: number, offset: number): number {
    return this.get(this.word(KV_PAGES)) + KV_ENTRY_BYTES * page + offset;
  }

  meta(key: number): number {
    return this.store.metadata + 4 * key;
  }

  /** Addresses of all words of the store but its values. */
  *words(): Generator<number> {
    for (const offset of [
      KV_PAGES,
      KV_PAGES_AT_MOST,
      KV_PAGE_COUNT,
      KV_OWNERS,
      KV_TEXT,
      KV_TEXT_BYTES,
      KV_METADATA,
    ])
      yield this.word(offset);
    for (const name of ["COUNT", "MAX_ENTRIES", "BYTES"]) yield this.word(this.header(name));
    for (let key = 0; key < KEYS; key++) yield this.meta(key);
    for (let i = 0; i < KEYS / 2; i++) yield this.get(this.word(KV_OWNERS)) + 4 * i;
    for (let page = 0; page < PAGES; page++) {
      for (const offset of [0, KV_ENTRY_BITMAP, KV_ENTRY_USED, KV_ENTRY_LONGEST])
        yield this.page(page, offset);
      const bitmap = this.get(this.page(page, KV_ENTRY_BITMAP));
      for (let i = 0; bitmap !== 0 && i < 512; i += 4) yield bitmap + i;
    }
  }
}

const plus = (n: number) => (value: number) => value + n;

const DAMAGES: Record<string, readonly (readonly [string, (sound: Sound) => void])[]> = {
  KV_REGIONS: [
    ["the metadata elsewhere", (s) => s.change(KV_METADATA, plus(32))],
    ["more keys", (s) => s.change(s.header("MAX_ENTRIES"), () => 2 ** 31)],
    ["the page table beyond the memory", (s) => s.change(KV_PAGES, () => 0xffff_ffc0)],
    ["the owners elsewhere", (s) => s.change(KV_OWNERS, plus(8))],
    ["a text of gigabytes", (s) => s.change(KV_TEXT_BYTES, () => 2 ** 31)],
    ["no pages at all", (s) => s.change(KV_PAGES_AT_MOST, () => 0)],
    ["too many pages", (s) => s.change(KV_PAGES_AT_MOST, () => KV_MOST_PAGES + 1)],
  ],
  KV_PAGES: [
    ["a page elsewhere", (s) => s.set(s.page(1, 0), s.get(s.page(1, 0)) + 32)],
    ["a bitmap beyond the memory", (s) => s.set(s.page(0, KV_ENTRY_BITMAP), 0xffff_ffc0)],
    ["a page without a bitmap", (s) => s.set(s.page(0, KV_ENTRY_BITMAP), 0)],
    ["two pages in one place", (s) => s.set(s.page(1, 0), s.get(s.page(0, 0)))],
    ["one page more", (s) => s.change(KV_PAGE_COUNT, plus(1))],
  ],
  KV_VALUE: [
    ["across the end of its page", (s) => s.set(s.meta(19), (s.get(s.meta(19)) | (0xfff << 3)) >>> 0)],
    ["on a page that there is not", (s) => s.set(s.meta(19), (s.get(s.meta(19)) | (1 << 28)) >>> 0)],
    ["in bytes that are free", (s) => s.set(s.meta(6), s.get(s.meta(6)) + (60 << 15))],
  ],
  KV_SPACE: [
    ["a byte that belongs to nobody", (s) => s.set(s.get(s.page(0, KV_ENTRY_BITMAP)) + 508, 1 << 31)],
    ["more in use", (s) => s.set(s.page(0, 8), s.get(s.page(0, 8)) + 1)],
    ["two values in one place", (s) => s.set(s.meta(5), s.get(s.meta(6)))],
    ["a value that lies over its neighbours", (s) => s.set(s.meta(15), s.get(s.meta(15)) ^ (32 << 3))],
  ],
  KV_RUN: [["a run that is too short", (s) => s.set(s.page(0, KV_ENTRY_LONGEST), 3)]],
  KV_COUNT: [["one more", (s) => s.change(s.header("COUNT"), plus(1))]],
  KV_OWNER: [
    ["another size", (s) => s.set(s.get(s.word(KV_OWNERS)), (4 << 16) | 5)],
    ["of a key without a value", (s) => s.set(s.get(s.word(KV_OWNERS)) + 2 * 38, 7)],
  ],
  TABLE_BYTES: [["a byte more", (s) => s.change(s.header("BYTES"), plus(1))]],
};

describe.each(HOSTS)("on %s", (_, create) => {
  test.each(
    Object.entries(DAMAGES).flatMap(([name, list]) =>
      list.map(([what, damage]) => [name, what, damage] as const),
    ),
  )("%s: %s", (name, _what, damage) => {
    const sound = new Sound(create);
    damage(sound);
    const [problem] = sound.store.verify();
    expect(problem ?? "nothing").toContain(`invariant ${invariant(name)},`);
    expect(problem).not.toMatch(/undefined|NaN/);
  });

  test("whatever a word becomes, verify answers", () => {
    const sound = new Sound(create);
    const random = new Random(seed);
    const words = [...sound.words()];
    let noticed = 0;
    for (let round = 0; round < 1500; round++) {
      const word = words[random.below(words.length)]!;
      const before = sound.get(word);
      const other = sound.get(words[random.below(words.length)]!);
      const values = [
        before ^ (1 << random.below(32)),
        before + 1,
        before - 1,
        0,
        0xffff_ffff,
        random.next(),
        other,
      ];
      sound.set(word, values[random.below(values.length)]!);
      if (sound.store.verify().length > 0) noticed++;
      sound.set(word, before);
    }
    expect(sound.store.verify()).toEqual([]);
    expect(noticed).toBeGreaterThan(700);
  });
});

// Saying why a call on a key failed reads the manifest: that must not fail by saying why.
test("a manifest that cannot be read is an error, whatever word of the header is at fault", () => {
  const errors = new Set<string>();
  for (let word = 0; word < 96; word++) {
    for (const bit of [0, 30]) {
      const host = createHost({ seed: 1, shared: true, maxMemory: 2 ** 22, lockTimeout: 1 });
      const manifest = { pairs: { a: { codec: u32, default: 1 } } };
      const store = host.createKvStore({ maxKeys: KEYS, manifest });
      host.u32[(store.table.handle >>> 2) + word]! ^= 1 << bit;
      try {
        store.manifest;
      } catch (error) {
        expect(error, `word ${word}, bit ${bit}: ${error}`).toBeInstanceOf(Error);
        expect(error, `word ${word}, bit ${bit}: ${error}`).not.toBeInstanceOf(RangeError);
        errors.add((error as { code?: string }).code ?? (error as Error).name);
      }
    }
  }
  expect([...errors].sort()).toEqual(["ENOMEM", "ETIMEDOUT", "EUCLEAN"]);
});

test("every invariant of stores is broken above", () => {
  const names = invariantsFrom("KV_REGIONS", "KV_OWNER");
  expect(names.filter((name) => !(name in DAMAGES))).toEqual([]);
});
