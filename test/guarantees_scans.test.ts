// The guarantees of scans and drains, one named test each. With random operations: scan.test.ts.
import { describe, expect, test } from "vitest";
import { createHost, type HashMap, type HashType, type Host, u32 } from "../src/index.ts";
import { Random } from "../src/testing/index.ts";
import { CollidingSubject } from "./support/colliding_subject.ts";
import { opener } from "./support/open.ts";
import { testSeed } from "./support/seed.ts";

const seed = testSeed("guarantees_scans.test.ts");
const MIB = 1 << 20;
const host = (hostSeed = seed) => createHost({ seed: hostSeed, maxMemory: 512 * MIB });
const TYPES: HashType[] = ["hash", "rhash"];

function numbers(type: HashType, maxEntries: number, on = host()): HashMap<number, number> {
  return on.createMap({ type, key: u32, value: u32, maxEntries });
}

/** All keys of a scan in steps of `room`, with `between` called after each step. */
function scanKeys<K>(
  map: HashMap<K, unknown>,
  room: number,
  between: (step: number) => void = () => {},
): K[] {
  const batch = map.createBatch(room);
  const keys: K[] = [];
  let more = true;
  for (let step = 0; more; step++) {
    batch.count = room;
    more = map.lookupBatch(batch);
    for (let i = 0; i < batch.count; i++) keys.push(batch.key(i));
    if (keys.length > 500_000) throw new Error("the scan does not end");
    between(step);
  }
  batch.close();
  return keys;
}

describe.each(TYPES)("scans of %s", (type) => {
  test("an entry present from the start to the end is returned exactly once, through growth and shrink", () => {
    const random = new Random(seed);
    const map = numbers(type, 40_000);
    for (let key = 0; key < 5000; key++) map.set(key, key);
    let next = 5000;
    const transient: number[] = [];
    const keys = scanKeys(map, 16, (step) => {
      // Waves of 100 steps: each grows the map by thousands and takes them away again.
      for (let i = 0; i < 80; i++) {
        if (step % 200 < 100 && map.size < 40_000) {
          transient.push(next);
          map.set(next++, 0);
        } else if (transient.length > 0) map.delete(transient.splice(random.below(transient.length), 1)[0]!);
      }
    });
    const times = new Map<number, number>();
    for (const key of keys) times.set(key, (times.get(key) ?? 0) + 1);
    const others = Array.from({ length: 5000 }, (_, key) => key).filter((key) => times.get(key) !== 1);
    expect(others).toEqual([]);
    expect(next).toBeGreaterThan(10_000);
  });

  test("no key is returned twice, and one that is not in the map never", () => {
    const map = numbers(type, 4000);
    for (let key = 0; key < 4000; key++) map.set(key, key);
    const deleted = new Set<number>();
    const seen = new Set<number>();
    const wrong: number[] = [];
    const batch = map.createBatch(10);
    for (let more = true, key = 0; more; key += 3) {
      batch.count = 10;
      more = map.lookupBatch(batch);
      for (let i = 0; i < batch.count; i++) {
        const key = batch.key(i);
        if (seen.has(key) || deleted.has(key) || batch.value(i) !== key) wrong.push(key);
        seen.add(key);
      }
      if (map.delete(key)) deleted.add(key);
    }
    expect(wrong).toEqual([]);
    expect(deleted.size).toBeGreaterThan(100);
  });

  test("clear in the middle of a scan ends it", () => {
    const map = numbers(type, 1000);
    for (let key = 0; key < 1000; key++) map.set(key, key);
    expect(scanKeys(map, 7, () => map.clear()).length).toBe(7);
  });

  test("drain returns and removes each entry once, and leaves later ones that it has passed", () => {
    const map = numbers(type, 20_000);
    for (let key = 0; key < 5000; key++) map.set(key, key);
    const batch = map.createBatch(32);
    const drained = new Set<number>();
    const wrong: number[] = [];
    for (let more = true, key = 5000; more; key++) {
      batch.count = 32;
      more = map.lookupAndDeleteBatch(batch);
      for (let i = 0; i < batch.count; i++) {
        const key = batch.key(i);
        if (drained.has(key) || map.has(key)) wrong.push(key);
        drained.add(key);
      }
      if (key < 7000) map.set(key, key);
    }
    expect(wrong).toEqual([]);
    const missed = Array.from({ length: 5000 }, (_, key) => key).filter((key) => !drained.has(key));
    expect([missed, [...map.keys()].filter((key) => drained.has(key))]).toEqual([[], []]);
  });
});

describe("count = 1 always makes progress", () => {
  /** Groups of keys of a map that share the 32 bits of the scan order, read off the cursor of the core's own scan. */
  function equalHashes(map: HashMap<number, number>, on: Host): number[][] {
    const groups = new Map<number, number[]>();
    const cursorBytes = on.layout.cursorBytes + 4;
    const cursor = on.core.allocate(cursorBytes + 16);
    if (on.u8.length === 0) on.refresh();
    on.u8.fill(0, cursor, cursor + cursorBytes);
    for (let step = 0; on.u32[(cursor >>> 2) + 1] !== 2; step++) {
      if (step > map.size) throw new Error("the scan does not end");
      if (on.core.scan(map.table.handle, cursor, cursor + cursorBytes, 0, 1) === 0) break;
      if (on.u32[(cursor >>> 2) + 1] !== 1) continue; // the bucket held one entry and was taken as a whole
      const position = on.u32[cursor >>> 2]!;
      const key = on.view.getUint32(cursor + cursorBytes, true);
      groups.set(position, [...(groups.get(position) ?? []), key]);
    }
    on.core.release(cursor, cursorBytes + 16);
    return [...groups.values()].filter((group) => group.length > 1);
  }

  test("also between keys of 4 bytes that share their hash, found by trying 300000 keys", () => {
    // Of n keys n^2 / 2^33 pairs collide: some ten here. The seed is fixed, so that they are the same ones every time.
    const on = host(20_261);
    const map = numbers("rhash", 300_000, on);
    for (let key = 0; key < 300_000; key++) map.set(key, key);
    const pairs = equalHashes(map, on);
    expect(pairs.length).toBeGreaterThan(2);
    const colliding = pairs.flat().sort((a, b) => a - b);
    for (const other of [1, 7, 1000]) {
      map.clear();
      for (const key of colliding) map.set(key, key);
      for (let i = 0; i < other; i++) map.set(1_000_000 + i, i);
      const keys = scanKeys(map, 1).filter((key) => key < 1_000_000);
      expect(keys.sort((a, b) => a - b)).toEqual(colliding);
    }
  });

  test.each(TYPES)("also between 500 keys of one hash (%s)", (type) => {
    const subject = new CollidingSubject(
      opener({ type, keySize: 16, valueSize: 4, maxEntries: 500 }, 7)(),
      7,
      1,
    );
    const key = (number: number) => new Uint8Array(Uint32Array.of(number).buffer);
    for (let number = 0; number < 500; number++) subject.update(key(number), key(number), 0);
    for (const source of [subject.scan(), subject.drain()]) {
      const seen = new Set<string>();
      for (let ended = false; !ended; ) {
        const step = source.step(1);
        if (typeof step === "number") throw new Error(`errno ${step}`);
        expect(step.keys.length === 1 || step.ended).toBe(true);
        for (const found of step.keys) {
          expect(seen.has(found.join())).toBe(false);
          seen.add(found.join());
        }
        ended = step.ended;
      }
      expect(seen.size).toBe(500);
    }
    expect(subject.size).toBe(0);
  });
});
