// Timers beside everything else that a map can do, and what is refused.
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  ACT_DELETE,
  ACT_KEEP,
  attachHost,
  BPF_F_LOCK,
  BPF_F_RDONLY,
  BPF_F_RDONLY_PROG,
  createHost,
  createMap,
  ERRNO,
  spinLock,
  struct,
  timer,
  u32,
  workqueue,
} from "../../../src/index.ts";
import * as uapi from "../../../src/uapi/index.ts";
import { caught, expectErrno } from "../../support/caught.ts";
import { hostAt } from "./host_at.ts";

const session = struct({ idle: timer, user: u32 });
const SPEC = { type: "hash", key: u32, value: session, maxEntries: 100 } as const;

afterEach(() => vi.restoreAllMocks());

describe("creation, P.tm.create and P.wq.create", () => {
  it.each(["hash", "rhash", "lru_hash", "array"] as const)("a %s may have timers and workqueues", (type) => {
    const { host } = hostAt();
    const map = host.createMap({ ...SPEC, type, value: struct({ t: timer, w: workqueue, a: u32 }) });
    expect(map.info.valueSize).toBe(40);
  });

  it.each(["percpu_hash", "lru_percpu_hash", "percpu_array"] as const)("a %s may not: EOPNOTSUPP", (type) => {
    const { host } = hostAt();
    expectErrno(() => host.createMap({ ...SPEC, type }), "EOPNOTSUPP");
    const error = expectErrno(
      () => host.createMap({ ...SPEC, type, value: struct({ w: workqueue, a: u32 }) }),
      "EOPNOTSUPP",
    );
    expect(error.message).toContain(`has a workqueue in its value, which ${type} maps cannot have`);
  });

  it("with BPF_F_RDONLY_PROG: EACCES", () => {
    expectErrno(() => hostAt().host.createMap({ ...SPEC, flags: BPF_F_RDONLY_PROG }), "EACCES");
  });

  it("freeze is ENOTSUPP, P.tm.frz, by host.bpf too", () => {
    const { host } = hostAt();
    const maps = [host.createMap(SPEC), host.createMap({ ...SPEC, value: struct({ w: workqueue, a: u32 }) })];
    for (const map of maps) {
      expectErrno(() => map.freeze(), "ENOTSUPP");
      host.pin("/m", map);
      expect(uapi.bpf_map_freeze(host, uapi.bpf_obj_get(host, "/m"))).toBe(-ERRNO.ENOTSUPP);
      host.unpin("/m");
    }
  });

  it("open wants the same fields in the same place, on shared hosts too", () => {
    for (const shared of [false, true]) {
      const { host } = hostAt({ shared });
      host.pin("/m", host.createMap(SPEC));
      const other = shared ? attachHost(host.share()) : host;
      const moved = struct({ user: u32, idle: timer });
      expect(moved.size).toBe(session.size);
      const open = (value: Parameters<typeof struct>[0]) =>
        caught(() => other.open("/m", { key: u32, value: struct(value) }));
      expect(open({ user: u32, idle: timer }).message).toContain("values have a timer at byte 0, struct");
      expect(open({ idle: workqueue, user: u32 }).message).toContain(
        "values have a timer, struct { idle: workqueue, user: u32 } differs; values have no workqueue, struct",
      );
      expect(other.open("/m", { key: u32, value: session }).size).toBe(0);
    }
  });
});

describe("the spinLock beside it", () => {
  const account = struct({ a: u32, lock: spinLock, idle: timer, b: u32, work: workqueue, c: u32 });
  const spec = { ...SPEC, value: account };

  it.each([
    [false, "hash"],
    [true, "hash"],
    [false, "array"],
    [true, "array"],
  ] as const)(
    "locked leaves the timer, on a host that is shared: %s, in a map of type %s",
    (shared, type) => {
      const { host, at } = hostAt({ shared });
      const map = host.createMap({ ...spec, type });
      map.set(1, { a: 1, b: 2, c: 3 });
      const fired: number[] = [];
      map.timer(1).start(10, (key) => void fired.push(key));
      map.locked(1, ({ a, b, c }) => ({ a: a + 10, b: b + 10, c: c + 10 }));
      expect(map.get(1, BPF_F_LOCK)).toEqual({ a: 11, b: 12, c: 13 });
      // Started under the lock.
      map.locked(1, (value) => {
        map.timer(1).start(20, (key) => void fired.push(key));
        return { ...value, a: 0 };
      });
      at(1019);
      expect(fired).toEqual([]);
      at(1020);
      expect([fired, map.get(1)]).toEqual([[1], { a: 0, b: 12, c: 13 }]);
      expect(map.verify()).toEqual([]);
      map.timer(1).start(10, (key) => void fired.push(key));
      map.update(1, { a: 1, b: 1, c: 1 }, BPF_F_LOCK); // a full write
      expect(map.timer(1).cancel()).toBe(false);
    },
  );

  it("an entry that locked's function has deleted stays deleted", () => {
    const map = hostAt().host.createMap(spec);
    map.set(1, { a: 1, b: 2, c: 3 });
    map.locked(1, (value) => {
      map.delete(1);
      return value;
    });
    expect(map.has(1)).toBe(false);
  });
});

describe("entries that go and come back", () => {
  it("drain takes timers away, also from what it puts back", () => {
    const { host, at } = hostAt();
    const map = host.createMap({ ...SPEC, type: "rhash" });
    const fired: number[] = [];
    for (let key = 0; key < 50; key++) {
      map.set(key, { user: key });
      map.timer(key).start(10, (key) => void fired.push(key));
    }
    for (const _ of map.drain()) break;
    expect(map.size).toBe(49);
    at(1010);
    expect(fired).toEqual([]);
  });

  it("lookupAndDeleteBatch and updateBatch do not carry them along", () => {
    const { host, at } = hostAt();
    const map = host.createMap(SPEC);
    let fired = 0;
    map
      .set(1, { user: 1 })
      .timer(1)
      .start(10, () => fired++);
    const batch = map.createBatch(10);
    map.lookupAndDeleteBatch(batch);
    expect(batch.values.every((byte, i) => i % session.size >= 16 || byte === 0)).toBe(true);
    map.updateBatch(batch);
    expect([map.get(1), map.timer(1).cancel()]).toEqual([{ user: 1 }, false]);
    at(1010);
    expect(fired).toBe(0);
  });

  it("process: deleted entries lose them, kept ones keep them, and a whole value that is written cancels", () => {
    const { host, at } = hostAt();
    const map = host.createMap(SPEC);
    const fired: number[] = [];
    for (const key of [1, 2, 3]) {
      map.set(key, { user: key });
      map.timer(key).start(10, (key) => void fired.push(key));
    }
    map.process({
      filter(entry) {
        if (entry.key === 1) return ACT_DELETE;
        if (entry.key === 2) entry.value = { user: 9 };
        else entry.value.user = 9;
        return ACT_KEEP;
      },
    });
    at(1010);
    expect(fired).toEqual([3]);
  });

  it("an update by host.bpf cancels, and its bytes of the timer are not taken", () => {
    const { host, at } = hostAt();
    const map = host.createMap(SPEC);
    let fired = 0;
    for (const key of [1, 2])
      map
        .set(key, { user: 1 })
        .timer(key)
        .start(10, () => fired++);
    host.pin("/m", map);
    const fd = uapi.bpf_obj_get(host, "/m");
    const value = new Uint8Array(session.size).fill(0xff);
    const [one, both] = [new Uint8Array(4), new Uint8Array(8)];
    one[0] = both[0] = 1;
    both[4] = 2;
    expect(uapi.bpf_map_update_elem(host, fd, one, value, 0)).toBe(0);
    expect([map.timer(1).cancel(), map.get(1)]).toEqual([false, { user: 0xffffffff }]);
    map.timer(1).start(10, () => fired++);
    const values = new Uint8Array(2 * session.size).fill(1);
    expect(uapi.bpf_map_update_batch(host, fd, both, values, Uint32Array.of(2))).toBe(0);
    expect([map.timer(1).cancel(), map.timer(2).cancel()]).toEqual([false, false]);
    map.timer(2).start(10, () => fired++);
    expect(uapi.bpf_map_lookup_and_delete_elem(host, fd, both.subarray(4), value)).toBe(0);
    expect(value.subarray(0, 16).every((byte) => byte === 0)).toBe(true);
    at(1010);
    expect(fired).toBe(0);
  });

  it.each([false, true])("what is evicted loses them, on a host that is shared: %s", (shared) => {
    const { host, at } = hostAt({ shared });
    const map = host.createMap({ ...SPEC, type: "lru_hash", maxEntries: 50 });
    const fired: number[] = [];
    const note = (key: number) => void fired.push(key);
    for (let key = 0; key < 500; key++)
      map
        .set(key % 300, { user: key })
        .timer(key % 300)
        .start(1000, note);
    // One that comes back after it was evicted has none.
    const back = [...Array(300).keys()].filter((key) => !map.has(key)).slice(0, 10);
    for (const key of back) map.set(key, { user: 0 });
    const left = [...map.keys()].filter((key) => !back.includes(key)).sort((a, b) => a - b);
    at(2000);
    expect(map.size).toBe(50);
    expect(left.length).toBeGreaterThan(30);
    expect(fired.sort((a, b) => a - b)).toEqual(left);
  });

  it("bytes of a timer that were copied by their address are no timer", () => {
    for (const shared of [false, true]) {
      const { host, at } = hostAt({ shared });
      const map = host.createMap({ ...SPEC, type: "array", maxEntries: 4 });
      const fired: number[] = [];
      map.timer(1).start(10, (key) => void fired.push(key));
      const view = map.view(Uint8Array);
      view.copyWithin(2 * map.stride, map.stride, 2 * map.stride);
      view.fill(0xff, 3 * map.stride, 4 * map.stride);
      expect(map.timer(2).cancel()).toBe(false);
      map.timer(3).cancel();
      map.timer(2).start(20, (key) => void fired.push(key));
      at(1020);
      expect(fired).toEqual([1, 2]);
    }
  });

  it("records of entries that are gone are dropped before they are due", () => {
    for (const shared of [false, true]) {
      const { host, at } = hostAt({ shared });
      const map = host.createMap({ ...SPEC, maxEntries: 1000 });
      let fired = 0;
      for (let i = 0; i < 40_000; i++) {
        map.set(i % 1000, { user: i }); // cancels
        map.timer(i % 1000).start(1e6, () => fired++);
      }
      const { timer } = map.table.timers as unknown as { timer: { count: number } };
      expect(timer.count).toBeGreaterThanOrEqual(1000);
      expect(timer.count).toBeLessThan(5000);
      at(2e6);
      expect([fired, timer.count]).toEqual([1000, 0]);
    }
  });
});

describe("handles and pins", () => {
  it("a pin keeps timers; the callback of a handle that is closed gets one of its own", () => {
    const { host, at } = hostAt();
    const map = host.createMap(SPEC);
    map.set(1, { user: 1 });
    host.pin("/m", map);
    const seen: unknown[] = [];
    let given: typeof map | undefined;
    map.timer(1).start(10, (key, of) => {
      given = of;
      seen.push(of === map, of.get(key), of.delete(key));
    });
    map.close();
    at(1010);
    expect(seen).toEqual([false, { user: 1 }, true]);
    expectErrno(() => given?.get(1), "EBADF");
    host.unpin("/m");
    expect(host.memoryUsage().bytes).toBe(0);
  });

  it("another handle keeps them; the last one to close cancels", () => {
    const { host, at } = hostAt();
    const map = host.createMap(SPEC);
    host.pin("/m", map.set(1, { user: 1 }));
    const other = host.open("/m", { key: u32, value: session });
    host.unpin("/m");
    let fired = 0;
    map.timer(1).start(10, () => fired++);
    map.close();
    at(1010);
    expect(fired).toBe(1);
    other.timer(1).start(10, () => fired++);
    other.close();
    at(1020);
    expect(fired).toBe(1);
  });

  it("closing the host cancels all, also from a callback", () => {
    const { host, at } = hostAt();
    const map = host.createMap(SPEC);
    let fired = 0;
    for (const key of [1, 2, 3]) {
      map
        .set(key, { user: 1 })
        .timer(key)
        .start(10, () => {
          fired++;
          host.close();
        });
    }
    at(1010);
    expect(fired).toBe(1);
  });

  it("a handle that is read-only starts and cancels nothing: EPERM", () => {
    const map = hostAt().host.createMap({ ...SPEC, flags: BPF_F_RDONLY });
    expectErrno(() => map.timer(1).start(1, () => {}), "EPERM");
    expectErrno(() => map.timer(1).cancel(), "EPERM");
  });

  it("maps of one host share one order", () => {
    const { host, at } = hostAt();
    const maps = [1, 2, 3].map(() => host.createMap(SPEC).set(1, { user: 1 }));
    const order: number[] = [];
    for (const [i, due] of [
      [0, 5],
      [1, 3],
      [2, 5],
      [1, 5],
    ]) {
      const map = maps[i];
      if (map.timer(1).cancel())
        map
          .set(2, { user: 2 })
          .timer(2)
          .start(due, () => order.push(i + 10));
      else map.timer(1).start(due, () => order.push(i));
    }
    maps[1].timer(1).start(3, () => order.push(1));
    at(1005);
    expect(order).toEqual([1, 0, 2, 11]);
  });
});

describe("what is refused", () => {
  it("fields that stand elsewhere, twice, or get a value", () => {
    for (const [name, field] of Object.entries({ timer, workqueue })) {
      const inner = struct({ f: field, a: u32 });
      const nested = `a ${name} is allowed only`;
      expect(caught(() => struct({ inner })).message).toBe(
        `struct(): .inner: ${nested} at the top level of a value`,
      );
      expect(caught(() => struct({ f: field, g: field })).message).toBe(
        `struct(): .g: expected at most one ${name}, got two`,
      );
      expect(caught(() => createMap({ ...SPEC, key: inner, value: u32 } as never)).message).toContain(
        `${nested} in the value`,
      );
      const map = createMap({ ...SPEC, value: inner });
      expect(caught(() => map.set(1, { f: 0, a: 1 } as never)).message).toContain(
        `.f: expected no value for the ${name}`,
      );
      expect(caught(() => map.field("f" as never)).message).toContain('"f"');
      expect(
        caught(() => createHost().createKvStore({ manifest: { pairs: { a: { codec: inner } } } })).message,
      ).toContain(`a ${name} is only for values of maps`);
    }
  });

  it("maps without the field: EINVAL", () => {
    const map = createMap({ ...SPEC, value: struct({ a: u32, w: workqueue }) });
    expect(expectErrno(() => map.timer(1), "EINVAL").message).toContain("has no timer in its value");
    const other = createMap(SPEC);
    expect(expectErrno(() => other.workqueue(1), "EINVAL").message).toContain(
      "has no workqueue in its value",
    );
  });

  it("ms and callbacks of the wrong type or range, before anything is started", () => {
    const { host, at } = hostAt();
    const map = host.createMap(SPEC).set(1, { user: 1 });
    for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const error = caught(() => map.timer(1).start(ms, () => {}));
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toContain(`expected ms from 0, got number ${ms}`);
    }
    for (const ms of ["1", undefined, 1n])
      expect(caught(() => map.timer(1).start(ms as never, () => {}))).toBeInstanceOf(TypeError);
    expect(caught(() => map.timer(1).start(1, undefined as never)).message).toContain(
      "expected a function, got undefined",
    );
    expect(map.timer(1).cancel()).toBe(false);
    at(1e9);
  });

  it("keys that no layout holds are absent; of the wrong type, a TypeError", () => {
    const map = createMap(SPEC);
    expectErrno(() => map.timer(2 ** 40).start(1, () => {}), "ENOENT");
    expect(map.timer(2 ** 40).cancel()).toBe(false);
    expect(caught(() => map.timer("1" as never).start(1, () => {}))).toBeInstanceOf(TypeError);
  });
});

describe("callbacks that throw", () => {
  it("their errors are thrown where nobody catches them, and stop no other timer", () => {
    const thrown: unknown[] = [];
    vi.spyOn(globalThis, "queueMicrotask").mockImplementation((task) => {
      try {
        task();
      } catch (error) {
        thrown.push(error);
      }
    });
    const { host, at } = hostAt();
    const map = host.createMap(SPEC);
    const error = new Error("of the callback");
    let fired = 0;
    for (const key of [1, 2]) map.set(key, { user: 1 });
    map.timer(1).start(1, () => {
      throw error;
    });
    map.timer(2).start(2, () => fired++);
    at(1002);
    expect([thrown, fired]).toEqual([[error], 1]);
  });
});

describe("calls within calls", () => {
  it("a getter of a key that starts others, and one that closes the map", () => {
    const { host, at } = hostAt();
    const key = struct({ a: u32, b: u32, c: u32 });
    const map = host.createMap({ ...SPEC, key });
    map.set({ a: 1, b: 1, c: 1 }, { user: 1 });
    const hostile = {
      a: 1,
      get b() {
        map.timer({ a: 1, b: 1, c: 1 }).start(5, () => {});
        return 1;
      },
      c: 1,
    };
    expectErrno(() => map.timer(hostile).start(1, () => {}), "EBUSY");
    expect(map.timer({ a: 1, b: 1, c: 1 }).cancel()).toBe(true);
    const closing = {
      a: 1,
      get b() {
        map.close();
        return 1;
      },
      c: 1,
    };
    expect(caught(() => map.timer(closing).start(1, () => {}))).toBeInstanceOf(Error);
    at(2000);
  });

  it("a clock that closes the map", () => {
    let closing = false;
    const host = createHost({
      clock() {
        if (closing) map.close();
        return 0;
      },
    });
    const map = host.createMap(SPEC).set(1, { user: 1 });
    closing = true;
    expectErrno(() => map.timer(1).start(1, () => {}), "EBADF");
  });

  it("tick in a callback, in a section, and in a filter", () => {
    const { host, at } = hostAt();
    const map = host.createMap(SPEC);
    const fired: number[] = [];
    for (const key of [1, 2, 3]) map.set(key, { user: 1 });
    map.timer(1).start(1, () => {
      host.tick(1002);
      fired.push(1);
    });
    map.timer(2).start(2, (key) => void fired.push(key));
    at(1001);
    expect(fired).toEqual([2, 1]);
    map.timer(1).start(10, (key) => void fired.push(key));
    map.timer(3).start(20, (key, of) => void fired.push(Number(of.delete(key))));
    host.section(() => host.tick(1012));
    map.process({
      filter() {
        host.tick(1022);
        return ACT_KEEP;
      },
    });
    expect([fired, map.size, map.verify()]).toEqual([[2, 1, 1, 1], 2, []]);
  });
});
