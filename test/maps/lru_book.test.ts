// What a map that evicts notes beside its entries (assembly/table/notes/book.ts): when it is written, and what is taken back.
import { describe, expect, it } from "vitest";
import { PLAIN_TABLE_BOOK, TABLE_BUCKETS, TABLE_SLOTS } from "../../src/generated/abi.js";
import { bytes, type Codec, createHost, u32, u53 } from "../../src/index.ts";

/** Of two keys with one tag the wrong ghost would be taken: none of these. */
const SEED = 7;
/** Bytes of the book before the records, of a record, and at least of the marks in front of its ghosts. */
const HEAD = 64;
const RECORD = 20;
const LEAST_MARKS = 8;
/** Where the book of the plain build has the hand. */
const HAND = 36;

const KEYS: readonly { readonly key: Codec<unknown>; readonly of: (i: number) => unknown }[] = [
  { key: u32, of: (i: number) => i },
  { key: u53, of: (i: number) => i * 7e9 },
  { key: bytes(40), of: (i: number) => new Uint8Array(Uint32Array.of(1, i, 2, 3, 4, 5, 6, 7, 8, 9).buffer) },
] as never;

describe.each(KEYS)("a map by $key.name", ({ key, of }) => {
  function full(maxEntries: number) {
    const host = createHost({ seed: SEED });
    const map = host.createMap({ type: "lru_hash", key, value: u32, maxEntries });
    for (let i = 0; i < maxEntries; i++) map.set(of(i), i);
    const { handle } = map.table;
    const book = host.word(handle + PLAIN_TABLE_BOOK);
    const records = host.word(handle + TABLE_BUCKETS);
    const bytesOf = () => host.u8.slice(book, book + HEAD + RECORD * records);
    return { host, map, bytesOf, marks: Math.max(host.word(handle + TABLE_SLOTS), LEAST_MARKS) };
  }

  it("a second pass of hits writes nothing", () => {
    const { host, map, bytesOf } = full(1000);
    const pass = () => {
      for (let i = 0; i < 1000; i++) map.get(of(i));
      return bytesOf();
    };
    const [before, first, second] = [bytesOf(), pass(), pass()];
    expect(first).not.toEqual(before); // the first one has marked what was inserted in earlier ticks
    expect(second).toEqual(first);
    host.close();
  });

  it("a ghost whose key comes back is taken, and the key has another class", () => {
    const { host, map, bytesOf, marks } = full(1000);
    const ghosts = () => {
      const book = bytesOf();
      let count = 0;
      for (let at = HEAD; at < book.length; at += RECORD) {
        count += book.subarray(at + marks, at + RECORD).filter((byte) => byte !== 0).length;
      }
      return count;
    };
    for (let i = 1000; i < 1040; i++) map.set(of(i), i);
    expect(ghosts()).toBe(40);
    const gone = Array.from({ length: 1000 }, (_, i) => i).filter((i) => !map.has(of(i)));
    for (const i of gone.slice(0, 20)) map.set(of(i), i);
    // Each of them has taken one ghost, and left that of another.
    expect(ghosts()).toBe(40);
    map.clear();
    expect(ghosts()).toBe(0);
    host.close();
  });

  it("the hand goes on, a bucket with an eviction", () => {
    const { host, map, bytesOf } = full(1000);
    const hands = new Set<number>();
    for (let i = 0; i < 40; i++) {
      map.set(of(1000 + i), i);
      hands.add(bytesOf()[HAND]!);
    }
    // It stays where a bucket is so long that it evicts from itself.
    expect([...hands].slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => 1 + i));
    host.close();
  });
});
