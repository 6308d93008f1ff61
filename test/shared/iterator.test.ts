// BPF iterators on shared hosts: what other threads do meanwhile, and what happens when one of them holds a lock.

import { expect, it } from "vitest";
import {
  KEYS_CELL,
  KEYS_CELLS,
  KEYS_LOCK,
  LOCK_HELD,
  LOCK_OWNER,
  SHARED_KEYS_SLOTS,
} from "../../src/generated/abi.js";
import { LockTimeoutError, type ReadonlyEntry, type Seq, u32 } from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { pair } from "./hosts.ts";

const ENTRIES = 300;
const show = (seq: Seq, entry: ReadonlyEntry<number, number> | undefined) =>
  entry && seq.write(`${entry.key} ${entry.value}\n`);

function open(type: "hash" | "rhash") {
  const [host, other] = pair();
  const map = host.createMap({ type, name: "m", key: u32, value: u32, maxEntries: 1000 });
  for (let key = 0; key < ENTRIES; key++) map.set(key, key);
  host.pin("/m", map);
  return { host, other, map, seen: other.open("/m", { type, key: u32, value: u32 }) };
}

const linesOf = (piece: Uint8Array | undefined) => new TextDecoder().decode(piece).split("\n").slice(0, -1);

it("shows what another thread has written, and not what it has deleted", () => {
  const { map, seen } = open("rhash");
  const iterator = map.iterator({ show, bufferSize: 100 });
  const shown = new Set(linesOf(iterator.read()).map((line) => Number(line.split(" ")[0])));
  for (let key = 0; key < ENTRIES; key++) {
    if (key % 3 === 0) seen.delete(key);
    else seen.set(key, key + 1000);
  }
  const rest: string[] = [];
  for (let piece = iterator.read(); piece; piece = iterator.read()) rest.push(...linesOf(piece));
  const expected = Array.from({ length: ENTRIES }, (_, key) => key).filter(
    (key) => key % 3 !== 0 && !shown.has(key),
  );
  expect(rest.sort()).toEqual(expected.map((key) => `${key} ${key + 1000}`).sort());
});

it("holds the map while all others let go of it, and ends with its host", () => {
  const { host, other, map, seen } = open("rhash");
  const iterator = map.iterator({ show, bufferSize: 100 });
  host.unpin("/m");
  map.close();
  seen.close();
  expect(linesOf(iterator.read()).length).toBeGreaterThan(0);
  expect(other.memoryUsage().maps.length).toBe(1);
  host.detach();
  expect(expectErrno(() => iterator.read(), "EBADF").message).toContain("is closed, with its host");
  expect(other.memoryUsage()).toMatchObject({ bytes: 0, maps: [] });
});

it("says who holds a lock that it waits for in vain, loses nothing, and goes on", () => {
  const { host, map } = open("hash");
  // The lock word of a bucket with 4-byte keys (assembly/table/layout/block_keys.ts).
  const bucketOf = (key: number) => {
    const cell = map.lookup(key);
    for (let slot = 0; slot < SHARED_KEYS_SLOTS; slot++) {
      const bucket = cell - KEYS_CELLS - KEYS_CELL * slot;
      if (bucket % 64 === 0 && host.u32[(bucket >>> 2) + slot] === key) return bucket;
    }
    return 0;
  };
  const locked = Array.from({ length: ENTRIES }, (_, key) => bucketOf(key)).find((bucket) => bucket > 0) ?? 0;
  expect(locked).toBeGreaterThan(0);
  const word = (locked + KEYS_LOCK) >>> 2;
  const free = host.u32[word];
  const iterator = map.iterator({ show, bufferSize: 10_000 });
  host.u32[word] = LOCK_HELD | (1 << LOCK_OWNER); // by CPU 1
  const lines: string[] = [];
  for (let failures = 0; failures < 2; ) {
    const error = caught(() => {
      for (let piece = iterator.read(); piece; piece = iterator.read()) lines.push(...linesOf(piece));
      throw new Error("it came to its end");
    });
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(error).toMatchObject({ code: "ETIMEDOUT", owner: 1, operation: "iterator.read" });
    expect(error.message).toMatch(/^iterator\.read: map "m" is locked by CPU 1, for more than 50 ms/);
    failures++;
  }
  expect(lines.length).toBeLessThan(ENTRIES);
  host.u32[word] = free;
  for (let piece = iterator.read(); piece; piece = iterator.read()) lines.push(...linesOf(piece));
  expect(lines.length).toBe(ENTRIES);
  expect(new Set(lines).size).toBe(ENTRIES);
  expect(map.verify()).toEqual([]);
});
