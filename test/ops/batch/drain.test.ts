import { describe, expect, it } from "vitest";
import { BpfError, createHost, type HashMap, type MapType, u32, u53, u64 } from "../../../src/index.ts";
import { caught, expectErrno } from "../../support/caught.ts";
import { ARRAYS, HASHES, isPerCpu, openAny, refuses } from "../../support/every_type.ts";
import { hostOf } from "../../support/host_of.ts";
import { bySize } from "../../support/size.ts";

const ENTRIES = 1000;

function filled(type: MapType, entries = ENTRIES, maxEntries = 2 * ENTRIES): HashMap<number, unknown> {
  const any = openAny(type, maxEntries);
  for (let key = 0; key < entries; key++) any.map.set(key, any.value(key));
  return any.map;
}

describe.each(HASHES)("%s: drain", (type) => {
  it.each([undefined, 1, 2, 7, 100, 999, 1000, 1001, 5000])(
    "in batches of %s takes every entry out once",
    (size) => {
      const map = filled(type);
      const expected = new Map(map);
      const before = map.host.memoryUsage().bytes;
      const seen = new Map<number, unknown>();
      const wrong: number[] = []; // what comes twice or is still there
      for (const [key, value] of map.drain(size === undefined ? {} : { size })) {
        if (seen.has(key) || map.has(key)) wrong.push(key);
        seen.set(key, value);
      }
      expect(wrong).toEqual([]);
      expect(seen).toEqual(expected);
      expect([map.size, [...map]]).toEqual([0, []]);
      // The batch is given back: only the stage of the host may have grown.
      expect(map.host.memoryUsage().bytes).toBeLessThan(before + 4096);
      expect([...map.drain()]).toEqual([]);
    },
  );

  it("inside a section, where no entry may move, and half inside one", () => {
    const map = filled(type);
    const expected = new Map(map);
    const address = map.lookup(5);
    const seen = new Map<number, unknown>();
    map.host.section(() => {
      for (const [key, value] of map.drain({ size: 64 })) {
        seen.set(key, value);
        if (map.has(5)) expect(map.lookup(5)).toBe(address);
      }
    });
    expect([seen, map.size]).toEqual([expected, 0]);

    for (const [key, value] of expected) map.set(key, value);
    const drain = map.drain({ size: 64 });
    const half = new Map<number, unknown>();
    const take = (steps: number) => {
      for (let i = 0; i < steps; i++) {
        const { value, done } = drain.next();
        if (done) return;
        expect(half.has(value[0])).toBe(false);
        half.set(...value);
      }
    };
    map.host.section(() => take(300));
    take(200);
    map.host.section(() => take(10_000));
    take(10_000);
    expect(half).toEqual(expected);
    expect(map.size).toBe(0);
  });

  it("inside a section leaves the memory of what it takes out alone until the section ends", () => {
    const any = openAny(type, 100_000);
    const { map } = any;
    for (let key = 0; key < ENTRIES; key++) map.set(key, any.value(key + 1));
    map.host.section(() => {
      const addresses = Array.from({ length: ENTRIES }, (_, key) => map.lookup(key));
      expect([...map.drain({ size: 64 })]).toHaveLength(ENTRIES);
      for (let key = 0; key < ENTRIES; key++) map.set(ENTRIES + key, any.value(0xffff_0000));
      for (const [key, address] of addresses.entries()) {
        expect(map.host.u32[address >>> 2], `key ${key}`).toBe(key + 1);
      }
    });
  });

  it("left early puts back what was not yielded", () => {
    const map = filled(type);
    const expected = new Map(map);
    const before = map.host.memoryUsage().bytes;
    const leave: (() => void)[] = [
      () => {
        for (const [key] of map.drain({ size: 300 })) {
          expected.delete(key);
          break;
        }
      },
      () => {
        expect(() => {
          for (const [key] of map.drain()) {
            expected.delete(key);
            throw new Error("mine");
          }
        }).toThrow("mine");
      },
      () => {
        const drain = map.drain({ size: 10 });
        for (let i = 0; i < 25; i++) expected.delete(drain.next().value?.[0] as number);
        expect(drain.return?.()).toEqual({ done: true, value: undefined });
        expect(drain.next()).toEqual({ done: true, value: undefined });
      },
      () => {
        map.drain();
        map.drain().return?.();
      },
    ];
    for (const act of leave) {
      act();
      expect(new Map(map)).toEqual(expected);
    }
    expect(expected.size).toBe(ENTRIES - 27);
    expect(map.host.memoryUsage().bytes).toBeLessThan(before + 4096);
  });

  it("does not put back over a key that was inserted again", () => {
    const any = openAny(type, 10);
    const { map } = any;
    for (const key of [1, 2, 3]) map.set(key, any.value(key));
    for (const _ of map.drain()) {
      for (const key of [1, 2, 3]) map.set(key, any.value(100));
      break;
    }
    expect([...map.values()]).toEqual([any.value(100), any.value(100), any.value(100)]);
  });

  it.runIf(refuses(type))("says how many were lost when the map filled up meanwhile", () => {
    const any = openAny(type, 10);
    const { map } = any;
    for (let key = 0; key < 10; key++) map.set(key, any.value(key));
    const drain = map.drain();
    drain.next();
    for (let key = 100; key < 108; key++) map.set(key, any.value(key));
    const error = expectErrno(() => drain.return?.(), "E2BIG");
    expect(error.message).toContain(
      "did not take back 7 entries of a drain that was left early; they are lost",
    );
    expect(map.size).toBe(10);
    expect(drain.next().done).toBe(true);
  });

  it("ends, whatever is inserted meanwhile", () => {
    const any = openAny(type, 2000);
    const { map } = any;
    for (let key = 0; key < 100; key++) map.set(key, any.value(key));
    let yielded = 0;
    for (const [key] of map.drain({ size: 64 })) {
      if (key < 100) yielded++;
      if (key < 100) map.set(1000 + key, any.value(0));
    }
    expect(yielded).toBe(100);
  });

  it("puts back what is left when the map is closed, and is EBADF then", () => {
    const entries = bySize(2000, 30_000);
    const map = filled(type, entries, entries);
    hostOf(map).pin("/m", map);
    const other = hostOf(map).open("/m", { key: u32, value: u32 });
    const expected = new Map<number, unknown>(other);
    const drain = map.drain({ size: entries });
    expected.delete(drain.next().value?.[0] as number);
    expect(other.size).toBe(0);
    map.close();
    expect(new Map<number, unknown>(other)).toEqual(expected);
    expectErrno(() => drain.next(), "EBADF");
    expect(drain.return?.().done).toBe(true);
    const late = filled(type);
    const unused = late.drain();
    late.close();
    expect(expectErrno(() => unused.next(), "EBADF").message).toBe('drain: map "m" is closed (EBADF)');
    expectErrno(() => late.drain(), "EBADF");
    other.close();
    hostOf(map).unpin("/m");
    expect(map.host.memoryUsage().bytes).toBe(0);
  });

  it("is EPERM on a frozen map, at the next batch when it is frozen meanwhile", () => {
    const map = filled(type, 10);
    const drain = map.drain({ size: 5 });
    for (let i = 0; i < 5; i++) drain.next();
    map.freeze();
    const before = map.host.memoryUsage().bytes;
    expectErrno(() => drain.next(), "EPERM");
    expect(map.host.memoryUsage().bytes, "the batch is given back").toBeLessThan(before);
    expectErrno(() => map.drain(), "EPERM");
    expect(map.size).toBe(5);
  });

  it("refuses sizes that are none", () => {
    const map = filled(type, 3);
    for (const size of [0, -1, 1.5, Number.NaN, "4" as never]) {
      expect(caught(() => map.drain({ size })).message).toMatch(/^drain: map "m": size: expected an integer/);
    }
    expect(map.size).toBe(3);
  });

  it("takes entries one by one when its batch does not fit", () => {
    const host = createHost({ seed: 1, maxMemory: 1024 * 1024 });
    const map = host.createMap({ type: type as "hash", name: "m", key: u32, value: u32, maxEntries: 100 });
    for (const key of [1, 2, 3]) {
      if (!isPerCpu(type)) map.set(key, 2);
      else map.add(key, 2);
    }
    const { bytes } = host.memoryUsage();
    const drain = map.drain({ size: 2 ** 20 });
    const first = drain.next().value?.[0];
    expect([map.size, host.memoryUsage().bytes]).toEqual([2, bytes]);
    expect([first, ...[...drain].map(([key]) => key)].sort()).toEqual([1, 2, 3]);
    expect(map.size).toBe(0);
  });
});

describe.each(ARRAYS)("%s: drain", (type) => {
  it("is ENOTSUPP, as no element can be deleted", () => {
    const { map } = openAny(type, 4);
    expect(expectErrno(() => map.drain(), "ENOTSUPP").syscall).toBe("map_lookup_and_delete_batch");
  });
});

it("an entry that its codec cannot read goes back with the rest", () => {
  const host = createHost({ seed: 1 });
  const wide = host.createMap({ type: "rhash", name: "wide", key: u32, value: u64, maxEntries: 8 });
  for (let key = 0; key < 8; key++) wide.set(key, key === 5 ? 2n ** 60n : 1n);
  host.pin("/m", wide);
  const map = host.open("/m", { key: u32, value: u53 });
  const seen: number[] = [];
  const error = caught(() => {
    for (const [key] of map.drain()) seen.push(key);
  });
  expect(error).toBeInstanceOf(RangeError);
  expect(error).not.toBeInstanceOf(BpfError);
  expect(wide.get(5)).toBe(2n ** 60n);
  expect([...wide.keys(), ...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});
