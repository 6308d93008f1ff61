// Low-water hooks of arrays: the free slots are those behind the highest index written.
import { afterAll, describe, expect, it } from "vitest";
import {
  type ArrayMap,
  BPF_ANY,
  BPF_EXIST,
  BPF_F_LOCK,
  BPF_NOEXIST,
  createHost,
  type Host,
  spinLock,
  struct,
  u32,
} from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";

const hosts: Host[] = [];
afterAll(() => {
  for (const host of hosts) host.close();
});

describe.each([false, true])("shared: %s", (shared) => {
  function open(maxMemory = 64 * 1024 * 1024): Host {
    const host = createHost({ seed: 1, cpus: 3, shared, maxMemory });
    hosts.push(host);
    return host;
  }

  const nothing = () => {};

  describe.each(["array", "percpu_array"] as const)("%s", (type) => {
    function hookedArray(grow: (map: ArrayMap<unknown>) => void, free = 3) {
      const calls: number[] = [];
      const map = open().createMap({
        type: type as "array",
        key: u32,
        value: u32,
        maxEntries: 10,
        lowWater: {
          free,
          grow(same) {
            calls.push(same.size);
            grow(same as never);
          },
        },
      }) as unknown as ArrayMap<unknown>;
      const value = (n: number) => (type === "array" ? n : [n, n, n]);
      return { map, calls, value };
    }

    it("is called by the first write to one of the last indices", () => {
      const { map, calls, value } = hookedArray(nothing);
      for (const index of [0, 6, 3]) map.set(index, value(1));
      map.get(9);
      map.lookup(9);
      expect(calls).toEqual([]);
      map.set(8, value(2));
      expect([calls, map.get(8)]).toEqual([[10], value(2)]);
      for (const index of [7, 8, 9]) map.update(index, value(3));
      expectErrno(() => map.set(10, value(1)), "E2BIG");
      expect(calls).toEqual([10]);
      map.clear();
      map.set(6, value(1));
      map.set(7, value(1));
      expect(calls).toEqual([10, 10]);
      expect(map.stats().lowWaterAt).toBe(7);
    });

    it("is called by a write beyond the end, which is then tried again", () => {
      const { map, calls, value } = hookedArray((same) => same.grow(2 * same.size));
      map.set(15, value(5));
      expect([calls, map.size, map.get(15)]).toEqual([[10], 20, value(5)]);
      // Two steps do not do for it: each is a crossing.
      map.set(45, value(1));
      expect([calls, map.size, map.get(45)]).toEqual([[10, 20, 40], 80, value(1)]);
      for (let index = 0; index < 3000; index++) map.set(index, value(index));
      expect(calls).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2560]);
      expect(map.get(2999)).toEqual(value(2999));
    });

    it("by every way to write", () => {
      const grow = (same: ArrayMap<unknown>) => same.grow(2 * same.size);
      const value = (n: number) => (type === "array" ? n : [n, n, n]);
      for (const [write, expected] of [
        [(map: ArrayMap<unknown>) => map.set(9, value(1)), value(1)],
        [(map: ArrayMap<unknown>) => map.update(9, value(1), BPF_ANY), value(1)],
        [(map: ArrayMap<unknown>) => map.update(9, value(1), BPF_EXIST), value(1)],
        [(map: ArrayMap<unknown>) => map.add(9, 1 as never), undefined],
        [(map: ArrayMap<unknown>) => map.addMany([0, 9, 12], [1, 1, 1] as never), undefined],
        [
          (map: ArrayMap<unknown>) => {
            const batch = map.createBatch(3);
            for (const [i, index] of [0, 9, 12].entries()) batch.set(i, index, value(1));
            map.updateBatch(batch);
          },
          value(1),
        ],
      ] as const) {
        const { map, calls } = hookedArray(grow);
        write(map);
        expect([calls, map.size, map.get(9)]).toEqual([
          [10],
          20,
          expected ?? (type === "array" ? 1 : [1, 0, 0]),
        ]);
      }
      if (type === "percpu_array") {
        const { map, calls } = hookedArray(grow);
        const { local } = map as unknown as { local: { set(index: number, value: number): void } };
        local.set(9, 4);
        local.set(15, 4);
        expect([calls, map.get(15)]).toEqual([[10], [4, 0, 0]]);
      }
      const { map, calls } = hookedArray(grow);
      expectErrno(() => map.update(9, value(1), BPF_NOEXIST), "EEXIST");
      expectErrno(() => map.update(99, value(1), BPF_NOEXIST), "E2BIG");
      expect(calls).toEqual([]);
    });

    it("throws what the hook throws, and calls it again", () => {
      let failing = true;
      const { map, calls, value } = hookedArray((same) => {
        if (failing) throw new Error("not now");
        same.set(9, value(9));
      });
      for (const index of [8, 12]) expect(caught(() => map.set(index, value(1))).message).toBe("not now");
      expect(map.get(8)).toEqual(value(0));
      failing = false;
      map.set(8, value(8));
      expect([calls.length, map.get(8), map.get(9)]).toEqual([3, value(8), value(9)]);
    });
  });

  it("locked() of an element crosses before it locks", () => {
    const calls: number[] = [];
    const map = open().createMap({
      type: "array",
      key: u32,
      value: struct({ lock: spinLock, n: u32 }),
      maxEntries: 4,
      lowWater: {
        free: 1,
        grow(same) {
          calls.push(same.size);
          same.grow(8);
          same.locked(3, ({ n }) => ({ n: n + 10 }));
        },
      },
    });
    expect(map.locked(3, ({ n }) => ({ n: n + 1 }))).toEqual({ n: 11 });
    map.update(7, { n: 5 }, BPF_F_LOCK);
    expect([calls, map.get(3), map.get(7)]).toEqual([[4, 8], { n: 21 }, { n: 5 }]);
    expect(map.locked(8, () => undefined)).toBe(undefined);
    expect(calls).toEqual([4, 8]);
  });
});
