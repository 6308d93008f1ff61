// Arrays: keys are indices that are all there from the start, and a view shows the elements where they are.
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  type ArrayMap,
  BPF_ANY,
  BPF_EXIST,
  BPF_F_LOCK,
  BPF_NOEXIST,
  bytes,
  type Codec,
  createHost,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  spinLock,
  struct,
  u8,
  u16,
  u32,
  u53,
  u64,
} from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { ARRAYS, openAny } from "../support/every_type.ts";
import { hostOf } from "../support/host_of.ts";
import { VALUES } from "../support/samples.ts";

function open<V, N extends string>(value: Codec<V, N>, maxEntries = 5, flags = 0) {
  return createHost({ seed: 1 }).createMap({ type: "array", name: "m", key: u32, value, maxEntries, flags });
}

describe.each(ARRAYS)("%s", (type) => {
  it("has every index from the start, with zeros, and no other", () => {
    const { map } = openAny(type, 4);
    const zero = type === "array" ? 0 : [0, 0, 0];
    expect([map.size, [...map.keys()], [...map.values()]]).toEqual([
      4,
      [0, 1, 2, 3],
      [zero, zero, zero, zero],
    ]);
    for (const index of [4, 5, 2 ** 31, 2 ** 32 - 1]) {
      expect([map.get(index), map.has(index), map.lookup(index)]).toEqual([undefined, false, 0]);
    }
    expect([map.has(0), map.has(3), map.lookup(3) > 0]).toEqual([true, true, true]);
  });

  it("set and update are E2BIG beyond it", () => {
    const any = openAny(type, 4);
    const { map } = any;
    map.set(3, any.value(30));
    map.update(2, any.value(20), BPF_EXIST);
    map.update(1, any.value(10), BPF_ANY);
    expect([...map.values()].map(any.count)).toEqual([0, 10, 20, 30]);
    for (const index of [4, 2 ** 32 - 1]) {
      const error = expectErrno(() => map.set(index, any.value(1)), "E2BIG");
      expect(error.message).toBe('set: map "m" has the indices 0..3 and no other (E2BIG); grow() it');
      for (const flags of [BPF_ANY, BPF_EXIST, BPF_NOEXIST]) {
        expectErrno(() => map.update(index, any.value(1), flags), "E2BIG");
      }
    }
    expectErrno(() => map.update(3, any.value(1), BPF_NOEXIST), "EEXIST");
    for (const flags of [3, 4, 8]) expectErrno(() => map.update(9, any.value(1), flags), "EINVAL");
    expect([...map.values()].map(any.count)).toEqual([0, 10, 20, 30]);
  });

  it("nothing is deleted, as in the kernel", () => {
    const { map } = openAny(type, 4);
    for (const index of [1, 9]) {
      expect(expectErrno(() => map.delete(index), "EINVAL").syscall).toBe("map_delete_elem");
      const error = expectErrno(() => map.lookupAndDelete(index), "ENOTSUPP");
      expect(error.message).toBe(
        'lookupAndDelete: map "m" is an array, whose elements cannot be deleted (ENOTSUPP); write zeros, or clear() it',
      );
    }
    expect(map.size).toBe(4);
    map.freeze();
    expectErrno(() => map.delete(1), "EPERM");
    expectErrno(() => map.lookupAndDelete(1), "EPERM");
  });

  it("nextKey counts up, and restarts beyond the end", () => {
    const { map } = openAny(type, 3);
    expect([map.nextKey(), map.nextKey(0), map.nextKey(1), map.nextKey(2)]).toEqual([0, 1, 2, undefined]);
    expect([map.nextKey(3), map.nextKey(2 ** 32 - 1)]).toEqual([0, 0]);
  });

  it("lookup batches end as the kernel's: not before more is asked for than there is", () => {
    const any = openAny(type, 10);
    for (let index = 0; index < 10; index++) any.map.set(index, any.value(index * 3));
    const batch = any.map.createBatch(20);
    const call = (count: number) => {
      batch.count = count;
      const more = any.map.lookupBatch(batch);
      const keys = [...batch.entries()].map(([key, value]) => {
        expect(any.count(value)).toBe(key * 3);
        return key;
      });
      return [more, keys];
    };
    expect([call(4), call(4), call(4), call(4)]).toEqual([
      [true, [0, 1, 2, 3]],
      [true, [4, 5, 6, 7]],
      [false, [8, 9]],
      [false, []],
    ]);
    batch.rewind();
    expect(call(10)).toEqual([true, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
    expect(call(1)).toEqual([false, []]);
    batch.rewind();
    expect(call(0)).toEqual([true, []]);
    expect(call(11)).toEqual([false, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
    for (const size of [1, 3, 10, 11]) {
      const keys: number[] = [];
      for (const part of any.map.batches({ size })) {
        expect(part.count).toBeGreaterThan(0);
        for (const [key] of part.entries()) keys.push(key);
      }
      expect(keys).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  it("lookupMany finds the indices in range and leaves zeros for the others", () => {
    const any = openAny(type, 10);
    for (let index = 0; index < 10; index++) any.map.set(index, any.value(index + 1));
    const words = any.map.createBatch(1).values.length / 4;
    const values = new Uint32Array(4 * words).fill(99);
    expect(any.map.lookupMany([3, 10, 0, 2 ** 32 - 1], new Uint8Array(values.buffer))).toBe(2);
    expect([0, 1, 2, 3].map((i) => values[i * words])).toEqual([4, 0, 1, 0]);
    expect([0, 1, 2, 3].map((i) => any.map.found(i))).toEqual([true, false, true, false]);
  });

  it("clear zeroes it, and iterators see that", () => {
    const any = openAny(type, 3);
    for (let index = 0; index < 3; index++) any.map.set(index, any.value(7));
    const iterator = any.map.values();
    iterator.next();
    any.map.clear();
    expect([...iterator].map(any.count)).toEqual([0, 0]);
    expect([...any.map.values()].flat().every((n) => n === 0)).toBe(true);
    any.map.freeze();
    expectErrno(() => any.map.clear(), "EPERM");
    expectErrno(() => any.map.set(0, any.value(1)), "EPERM");
    expectErrno(() => any.map.update(9, any.value(1)), "EPERM");
  });

  it("iterators see what set writes behind them", () => {
    const any = openAny(type, 3);
    const seen: number[] = [];
    for (const [index, value] of any.map) {
      seen.push(any.count(value));
      if (index < 2) any.map.set(index + 1, any.value(10 * (index + 1)));
    }
    expect(seen).toEqual([0, 10, 20]);
  });

  it("takes only u32 keys, and what the kernel takes", () => {
    const host = createHost({ seed: 1 });
    const make = (key: Codec<number>, spec = {}) =>
      host.createMap({ type: type as "array", key, value: u32, maxEntries: 4, ...spec });
    for (const key of [u8, u16, u53, i32, f32, bytes(4), struct({ a: u32 })] as Codec<number>[]) {
      expectErrno(() => make(key), "EINVAL");
    }
    for (const flags of [1, 2, 0x40, 0x200]) expectErrno(() => make(u32, { flags }), "EINVAL");
    expectErrno(() => make(u32, { maxEntries: 0 }), "EINVAL");
    expectErrno(() => make(u32, { maxEntries: 2 ** 32 - 1 }), "ENOMEM");
    expect(make(u32, { flags: type === "array" ? 0x400 : 0 }).size).toBe(4);
    expect(host.memoryUsage().maps).toHaveLength(1);
  });

  it("describes itself, and gives its memory back", () => {
    const { map } = openAny(type, 100);
    const stride = type === "array" ? 8 : 24;
    expect(map.info).toMatchObject({ type, keySize: 4, valueSize: 4, maxEntries: 100 });
    expect(map.stats()).toMatchObject({ entries: 100, layout: "array", load: 1, buckets: 0 });
    expect(map.memoryUsage()).toBeGreaterThanOrEqual(100 * stride);
    expect(map.host.memoryUsage().maps[0]).toMatchObject({ type, entries: 100, bytes: map.memoryUsage() });
    map.close();
    expect(map.host.memoryUsage().bytes).toBe(0);
  });
});

describe("array", () => {
  it.each(VALUES.map(([codec, make]) => [codec.name, codec, make] as const))(
    "holds %s",
    (_name, codec, make) => {
      const map = open(codec, 20);
      for (let index = 0; index < 20; index++) map.set(index, make(index + 1));
      for (let index = 0; index < 20; index++) {
        expect(map.get(index)).toEqual(make(index + 1));
        expect(map.lookup(index) - map.lookup(0)).toBe(index * map.stride);
      }
      expect([...map]).toEqual(Array.from({ length: 20 }, (_, index) => [index, make(index + 1)]));
      map.update(3, make(50));
      expect(map.get(3)).toEqual(make(50));
      expect(map.get(4)).toEqual(make(5));
    },
  );

  it("can have a spinLock", () => {
    const map = open(struct({ lock: spinLock, n: u32 }));
    map.update(1, { n: 5 }, BPF_F_LOCK);
    expect(map.get(1)).toEqual({ n: 5 });
  });

  it("refuses keys and values of the wrong type, and names the call", () => {
    const map = open(u32);
    for (const [wrong, Kind] of [
      [-1, RangeError],
      [0.5, RangeError],
      [2 ** 32, RangeError],
      ["1", TypeError],
      [1n, TypeError],
      [undefined, TypeError],
    ] as const) {
      const index = wrong as number;
      for (const [operation, call] of [
        ["set", () => map.set(index, 1)],
        ["update", () => map.update(index, 1)],
        ["add", () => map.add(index, 1)],
        // What only asks for an index takes any number: absent_keys.test.ts.
        ...(Kind === RangeError
          ? []
          : ([
              ["get", () => map.get(index)],
              ["has", () => map.has(index)],
              ["lookup", () => map.lookup(index)],
              ["delete", () => map.delete(index)],
              ["lookupAndDelete", () => map.lookupAndDelete(index)],
              ...(index === undefined ? [] : [["nextKey", () => map.nextKey(index)] as const]),
            ] as const)),
      ] as const) {
        const error = caught(call);
        expect(error, `${operation} ${String(error)}`).toBeInstanceOf(Kind);
        expect(error.message).toMatch(new RegExp(`^${operation}: map "m": key: expected u32`));
      }
    }
    expect(caught(() => map.set(1, -1)).message).toBe(
      'set: map "m": value: expected u32 (0..4294967295), got -1',
    );
    expect([...map.values()]).toEqual([0, 0, 0, 0, 0]);
  });

  it("open() gives it back by its path, and wants u32 keys and the right type", () => {
    const map = open(u32);
    hostOf(map).pin("/a", map);
    map.set(1, 5);
    const same = hostOf(map).open("/a", { key: u32, value: u32, type: "array" });
    expectTypeOf(same).toEqualTypeOf<ArrayMap<number, Uint32Array>>();
    expect(same.view(Uint32Array)[2]).toBe(5);
    expect(caught(() => hostOf(map).open("/a", { key: i32, value: u32 })).message).toBe(
      'open: map "m": keys are u32 indices, not i32',
    );
    expect(caught(() => hostOf(map).open("/a", { key: u32, value: u32, type: "hash" })).message).toBe(
      'open: map "m": it is a map of type array, not hash',
    );
  });
});

describe("view", () => {
  it.each([
    [u8, Uint8Array, 8],
    [i8, Int8Array, 8],
    [u16, Uint16Array, 4],
    [i16, Int16Array, 4],
    [u32, Uint32Array, 2],
    [i32, Int32Array, 2],
    [f32, Float32Array, 2],
    [f64, Float64Array, 1],
  ] as const)("of $name: elements at multiples of 8 bytes", (codec, Type, step) => {
    const map = open(codec as Codec<number>);
    const view = map.view() as Float64Array;
    expect(view).toBeInstanceOf(Type);
    expect([map.stride, map.stride / view.BYTES_PER_ELEMENT, view.length]).toEqual([8, step, 5 * step]);
    for (let index = 0; index < 5; index++) map.set(index, index + 1);
    for (let index = 0; index < 5; index++) expect(view[index * step]).toBe(index + 1);
    view[3 * step] = 77;
    expect(map.get(3)).toBe(77);
    expect(view.buffer).toBe(map.host.u8.buffer);
  });

  it.each([
    [u64, BigUint64Array],
    [i64, BigInt64Array],
    [u53, BigUint64Array],
  ] as const)("of $name: dense bigints", (codec, Type) => {
    const map = open(codec as Codec<bigint>);
    const view = map.view();
    expect(view).toBeInstanceOf(Type);
    expect([map.stride, view.length]).toEqual([8, 5]);
    view[4] = 9n;
    expect(Number(map.get(4))).toBe(9);
  });

  it("of a struct: bytes, or the typed array asked for", () => {
    const map = open(struct({ a: u32, b: u32, c: u32 }));
    map.set(2, { a: 1, b: 2, c: 3 });
    const whole = map.view();
    expect(whole).toBeInstanceOf(Uint8Array);
    expect([map.stride, whole.length, whole[2 * map.stride + 8]]).toEqual([16, 80, 3]);
    const words = map.view(Uint32Array);
    expect([...words.subarray(8, 12)]).toEqual([1, 2, 3, 0]);
    words[9] = 20;
    expect(map.get(2)).toEqual({ a: 1, b: 20, c: 3 });
    for (const wrong of [Array, ArrayBuffer, Uint8ClampedArray, DataView, null, "Uint8Array"]) {
      expect(caught(() => map.view(wrong as never))).toBeInstanceOf(TypeError);
    }
    expect(caught(() => map.view(5 as never)).message).toBe(
      'view: map "m": expected the constructor of a typed array, got number 5',
    );
  });

  it("is the same object until host memory grows, and new then", () => {
    const map = open(f64, 1000);
    map.set(7, 1.5);
    const before = map.view(Float64Array);
    expect(map.view()).toBe(before);
    expect(map.view(Float64Array)).toBe(before);
    const large = hostOf(map).createMap({ type: "rhash", key: u32, value: bytes(200), maxEntries: 100_000 });
    const address = map.lookup(7);
    for (let key = 0; key < 20_000; key++) large.set(key, new Uint8Array(200));
    expect(before.length, "the memory has grown").toBe(0);
    const after = map.view(Float64Array);
    expect([after.length, after[7], map.get(7), map.lookup(7)]).toEqual([1000, 1.5, 1.5, address]);
    after[7] = 2.5;
    expect(map.get(7)).toBe(2.5);
  });

  it("obeys handles as lookup does", () => {
    const map = open(u32);
    map.freeze();
    expect(map.view().length).toBe(10);
    expectErrno(() => open(u32, 4, 0x10).view(), "EPERM");
    map.close();
    const error = expectErrno(() => map.view(), "EBADF");
    expect([error.operation, error.syscall]).toEqual(["view", undefined]);
  });

  it("types follow from the value and the argument", () => {
    expectTypeOf(open(u64).view()).toEqualTypeOf<BigUint64Array>();
    expectTypeOf(open(u53).view()).toEqualTypeOf<BigUint64Array>();
    expectTypeOf(open(bytes(4)).view()).toEqualTypeOf<Uint8Array>();
    expectTypeOf(open(u32).view(Uint32Array)).toExtend<Uint32Array>();
    expectTypeOf(open(f64).view()).toEqualTypeOf<Float64Array>();
    expectTypeOf(open(f64 as Codec<number>).view())
      .extract<Float64Array>()
      .toEqualTypeOf<Float64Array>();
    expectTypeOf(open(u32).get(1)).toEqualTypeOf<number | undefined>();
    expectTypeOf(open(u32).delete).returns.toEqualTypeOf<never>();
    expectTypeOf([...open(u64)]).toEqualTypeOf<[number, bigint][]>();
  });
});
