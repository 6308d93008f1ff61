import { describe, expect, it } from "vitest";
import { createHost, u16, u32 } from "../../../src/index.ts";
import { collect } from "../../support/core/allocation.ts";
import { KEYS } from "../../support/samples.ts";

describe("lookupMany", () => {
  it.each(KEYS.map((key) => [key[0].name, key] as const))("finds arrays of %s", (_name, [key, makeKey]) => {
    const map = createHost({ seed: 2 }).createMap({ type: "rhash", key, value: u16, maxEntries: 100 });
    for (let n = 0; n < 100; n += 2) map.set(makeKey(n), n + 1);
    const values = new Uint16Array(100).fill(9);
    expect(
      map.lookupMany(
        Array.from({ length: 100 }, (_, n) => makeKey(n)),
        values,
      ),
    ).toBe(50);
    for (let n = 0; n < 100; n++) {
      expect(map.found(n)).toBe(n % 2 === 0);
      expect(values[n]).toBe(n % 2 === 0 ? n + 1 : 0);
    }
  });

  it("takes flat keys of the codec's type or bytes, in groups, and fills bytes", () => {
    const map = createHost({ seed: 2 }).createMap({
      type: "rhash",
      key: u32,
      value: u32,
      maxEntries: 20_000,
    });
    for (let key = 0; key < 10_000; key++) map.set(key, key + 1);
    const keys = Uint32Array.from({ length: 10_001 }, (_, i) => i * 2);
    const values = new Uint8Array(4 * 10_001);
    expect(map.lookupMany(keys, values)).toBe(5000);
    expect([...new Uint32Array(values.buffer)]).toEqual([...keys].map((key) => (key < 10_000 ? key + 1 : 0)));
    expect([map.found(0), map.found(4999), map.found(5000), map.found(10_000)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(map.lookupMany(new Uint8Array(keys.buffer, 8, 4 * 3))).toBe(3);
    expect(map.lookupMany(new Uint32Array(0))).toBe(0);
    expect(() => map.found(0)).toThrow(RangeError);
  });

  it("reads keys and writes values in host memory without a copy", () => {
    const host = createHost({ seed: 2 });
    const map = host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 100 });
    for (let key = 0; key < 10; key++) map.set(key, key * 3);
    const batch = map.createBatch(16);
    for (let i = 0; i < 16; i++) batch.set(i, i, 0xffff);
    expect(map.lookupMany(batch.keys, batch.values)).toBe(10);
    expect(Array.from({ length: 16 }, (_, i) => batch.value(i))).toEqual(
      Array.from({ length: 16 }, (_, i) => (i < 10 ? i * 3 : 0)),
    );
    const own = batch.keys.subarray(8, 16);
    expect(map.lookupMany(own, batch.values.subarray(0, 8))).toBe(2);
    expect([batch.value(0), batch.value(1), batch.value(2)]).toEqual([6, 9, 6]);
  });
});

describe("what was read of half a million keys and deltas is let go of", () => {
  const map = createHost({ seed: 2 }).createMap({ type: "rhash", key: u32, value: u32, maxEntries: 10 });
  const keys = new Array<number>(500_000).fill(1);
  const held = () => {
    // The second one waits until what the first has found is freed.
    collect();
    collect();
    return process.memoryUsage().arrayBuffers;
  };

  it.each([
    ["by lookupMany, but for what was found", () => map.lookupMany(keys), keys.length],
    ["by addMany", () => map.addMany(keys, keys), 0],
  ])("%s", (_, call, kept) => {
    const before = held();
    call();
    expect(held() - before).toBeLessThan(kept + 500_000);
  });
});
