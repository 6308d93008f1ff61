// What shared hosts refuse, and by what name.

import { afterEach, describe, expect, it, vi } from "vitest";
import { ARENA_LOCK, LOCK_HELD, LOCK_OWNER } from "../../src/generated/abi.js";
import {
  attachHost,
  BPF_F_LOCK,
  BpfError,
  createHost,
  type HashMap,
  type Host,
  type HostHandle,
  type HostOptions,
  LockTimeoutError,
  NoFreeSlotError,
  NotIsolatedError,
  spinLock,
  struct,
  u32,
} from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { pair, sharedHost } from "./hosts.ts";

const spec = { type: "hash", name: "m", key: u32, value: u32, maxEntries: 8 } as const;
const locking = { ...spec, value: struct({ lock: spinLock, n: u32 }) } as const;

/** What is in a lock word while CPU 1 holds it (assembly/sync/lock_word.ts). */
const HELD_BY_1 = LOCK_HELD | (1 << LOCK_OWNER);

describe("createHost", () => {
  it.each<[unknown, typeof TypeError | typeof RangeError, RegExp]>([
    [{ shared: 1 }, TypeError, /shared: expected a boolean, got number 1/],
    [{ shared: true, cpus: 65 }, RangeError, /cpus: expected an integer 1\.\.64/],
    [{ shared: true, lockTimeout: 0 }, RangeError, /lockTimeout/],
    [{ shared: true, lockTimeout: "5" }, TypeError, /lockTimeout/],
    [{ lockTimeout: 100 }, TypeError, /not shared.*shared: true/],
  ])("refuses the options %j", (options, Kind, message) => {
    const error = caught(() => createHost(options as HostOptions));
    expect(error).toBeInstanceOf(Kind);
    expect(error.message).toMatch(message);
  });

  it("has 1 GiB and up to 64 CPUs by default", () => {
    const host = createHost({ shared: true });
    expect(host.memoryUsage().limit).toBe(2 ** 30);
    expect(host.cpus).toBeGreaterThanOrEqual(1);
    expect(host.cpus).toBeLessThanOrEqual(64);
    expect(createHost({ shared: true, cpus: 64, maxMemory: 2 ** 24 }).cpus).toBe(64);
  });

  it("says ENOMEM when there is no room to start", () => {
    expectErrno(() => createHost({ shared: true, maxMemory: 65536 }), "ENOMEM");
  });
});

describe("attachHost", () => {
  it.each([undefined, null, 5, {}, { memory: new WebAssembly.Memory({ initial: 1 }) }])(
    "refuses %j",
    (handle) => {
      const error = caught(() => attachHost(handle as unknown as HostHandle));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/^attachHost: expected what share\(\) of a host gave, got /);
    },
  );

  it("refuses memory that is not shared", () => {
    const { module } = sharedHost().share();
    const memory = new WebAssembly.Memory({ initial: 1 });
    expect(caught(() => attachHost({ memory, module }))).toBeInstanceOf(TypeError);
  });

  it("says how many slots there are when all are taken", () => {
    const [host, other] = pair({ cpus: 2 });
    const error = caught(() => attachHost(host.share()));
    expect(error).toBeInstanceOf(NoFreeSlotError);
    expect(error).toBeInstanceOf(BpfError);
    expect(error).toMatchObject({ code: "ENOSPC", errno: 28, slots: 2 });
    expect(error.message).toMatch(/all 2 slots of the host are taken \(ENOSPC\).*`cpus`/);
    other.detach();
    expect(attachHost(host.share()).cpu).toBe(1);
  });

  it("gives its slot back when it fails", () => {
    const host = sharedHost({ cpus: 2 });
    class Refusing {
      constructor() {
        throw new Error("out of address space");
      }
    }
    const refused = vi.spyOn(WebAssembly, "Instance").mockImplementation(Refusing as never);
    expect(caught(() => attachHost(host.share())).message).toBe("out of address space");
    refused.mockRestore();
    expect(attachHost(host.share()).cpu).toBe(1);
  });
});

describe("in a page that is not cross-origin isolated", () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each([
    ["crossOriginIsolated", false],
    ["SharedArrayBuffer", undefined],
  ])("the error names the two headers (%s = %s)", (name, value) => {
    const handle = sharedHost().share();
    vi.stubGlobal(name, value);
    for (const call of [() => createHost({ shared: true }), () => attachHost(handle)]) {
      const error = caught(call);
      expect(error).toBeInstanceOf(NotIsolatedError);
      expect(error.name).toBe("NotIsolatedError");
      expect(error.message).toContain("Cross-Origin-Opener-Policy: same-origin");
      expect(error.message).toContain("Cross-Origin-Embedder-Policy: require-corp");
    }
    expect(createHost({ seed: 1 }).createMap(spec).set(1, 2).get(1)).toBe(2);
  });
});

describe("a lock that is not to be had", () => {
  it("is a LockTimeoutError that names the owner, the map and the way out", () => {
    const [host, other] = pair();
    const map = host.createMap(locking);
    host.pin("/m", map);
    const seen = other.open("/m", { key: u32, value: locking.value });
    map.set(1, { n: 5 });
    seen.locked(1, () => {
      for (const [operation, call] of [
        ["get", () => map.get(1, BPF_F_LOCK)],
        ["update", () => map.update(1, { n: 6 }, BPF_F_LOCK)],
        ["locked", () => map.locked(1, () => undefined)],
      ] as const) {
        const error = expectErrno(call, "ETIMEDOUT");
        expect(error).toBeInstanceOf(LockTimeoutError);
        expect(error).toMatchObject({ name: "LockTimeoutError", errno: 110, owner: 1 });
        expect(error.message).toBe(
          `${operation}: map "m" is locked by CPU 1, for more than 50 ms (ETIMEDOUT); if its thread is gone, ` +
            "reap(1) on the host",
        );
      }
      expect(map.get(1)).toEqual({ n: 5 });
    });
    map.update(1, { n: 6 }, BPF_F_LOCK);
    expect(seen.get(1)).toEqual({ n: 6 });
  });

  it.each<[string, (host: Host, map: HashMap<number, number>) => unknown]>([
    ["createMap", (host) => host.createMap({ ...spec, name: "new" })],
    ["createMap", (host) => host.createMap({ ...spec, name: "new", type: "rhash" })],
    ["createMap", (host) => host.createMap({ ...spec, name: "new", type: "array" })],
    ["createKvStore", (host) => host.createKvStore()],
    ["createBatch", (_, map) => map.createBatch(2)],
    ["lookupMany", (_, map) => map.lookupMany(new Uint32Array(10_000))],
    ["process", (_, map) => map.process({ filter: () => 0 })],
  ])("is not taken for a want of memory: %s %#", (operation, call) => {
    const [host] = pair();
    const map = host.createMap(spec).set(1, 2);
    const before = host.memoryUsage();
    const arena = ARENA_LOCK >>> 2;
    const free = host.i32[arena];
    host.i32[arena] = HELD_BY_1;
    const error = expectErrno(() => call(host, map), "ETIMEDOUT");
    host.i32[arena] = free;
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(error).toMatchObject({ operation, owner: 1 });
    expect(host.memoryUsage()).toEqual(before);
    host.verify();
    call(host, map);
  });

  it("is EDEADLK when the thread itself holds it", () => {
    const map = sharedHost().createMap(locking).set(1, { n: 5 });
    map.locked(1, () => {
      expect(expectErrno(() => map.get(1, BPF_F_LOCK), "EDEADLK").message).toMatch(/inside locked\(\)/);
      expectErrno(() => map.locked(1, () => undefined), "EDEADLK");
    });
    expect(map.get(1, BPF_F_LOCK)).toEqual({ n: 5 });
  });
});

describe.each([true, false])("maps on a host with shared: %s", (shared) => {
  const open = () => (shared ? sharedHost() : createHost({ seed: 1 }));

  it("refuse flags of get", () => {
    const plain = open().createMap(spec).set(1, 2);
    expect(expectErrno(() => plain.get(1, BPF_F_LOCK), "EINVAL").message).toMatch(/no spinLock/);
    expectErrno(() => plain.get(1, 1), "EINVAL");
    expect(caught(() => plain.get(1, 0.5))).toBeInstanceOf(RangeError);
    expect(plain.get(1, 0)).toBe(2);
    const map = open().createMap(locking).set(1, { n: 2 });
    expect(map.get(1, BPF_F_LOCK)).toEqual({ n: 2 });
    expect(map.get(2, BPF_F_LOCK)).toBeUndefined();
    expectErrno(() => map.get(1, BPF_F_LOCK | 1), "EINVAL");
  });

  it("refuse what locked cannot do", () => {
    const plain = open().createMap(spec).set(1, 2);
    expectErrno(() => plain.locked(1, () => 3), "EINVAL");
    const map = open().createMap(locking).set(1, { n: 2 });
    for (const fn of [null, async () => ({ n: 1 }), function* () {}, () => Promise.resolve({ n: 1 })]) {
      const error = caught(() => map.locked(1, fn as never));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/^locked: map "m": /);
    }
    expect(caught(() => map.locked(1, () => ({ n: -1 })))).toBeInstanceOf(RangeError);
    expect(map.locked(-1, () => ({ n: 1 }))).toBeUndefined();
    expect(map.get(1, BPF_F_LOCK)).toEqual({ n: 2 });
    expect(map.locked(1, ({ n }) => ({ n: n + 1 }))).toEqual({ n: 3 });
    expect(map.get(1)).toEqual({ n: 3 });
  });
});

describe("a host that is not shared", () => {
  it("has one thread, and says so", () => {
    const host = createHost({ seed: 1, cpus: 2 });
    expect([host.cpu, host.shared]).toEqual([0, false]);
    expect(host.slots()).toEqual([
      { cpu: 0, state: "live", thread: undefined, self: true },
      { cpu: 1, state: "free", thread: undefined, self: false },
    ]);
    for (const call of [
      () => host.share(),
      () => host.detach(),
      () => host.reap(1),
      () => host.watch({ threadId: 1, once: () => {} }),
    ]) {
      expect(expectErrno(call, "EINVAL").message).toMatch(
        /the host is not shared \(EINVAL\); create it with shared: true/,
      );
    }
    expectErrno(() => host.section(() => host.synchronize()), "EDEADLK");
    host.synchronize();
  });
});

describe("a shared host", () => {
  it("refuses to reap itself, and what is no slot", () => {
    const host = sharedHost();
    expectErrno(() => host.reap(0), "EINVAL");
    expect(host.reap(3)).toBe(false);
    for (const cpu of [-1, 4, 0.5]) expect(caught(() => host.reap(cpu))).toBeInstanceOf(RangeError);
    expect(caught(() => host.reap("1" as never))).toBeInstanceOf(TypeError);
  });

  it("refuses to watch what is no running worker", () => {
    const host = sharedHost();
    for (const worker of [null, {}, { threadId: -1, once: () => {} }, { threadId: 5 }]) {
      const error = caught(() => host.watch(worker as never));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/^watch: expected a running worker of node:worker_threads/);
    }
  });

  it("is EBADF when closed, and closing again does nothing", () => {
    const [host, other] = pair();
    const map = host.createMap({ ...spec, name: "m" });
    host.detach();
    host.close();
    expectErrno(() => host.detach(), "EBADF");
    expectErrno(() => map.get(1), "EBADF");
    expectErrno(() => map.verify(), "EBADF");
    const calls: [string, () => unknown][] = [
      ["share", () => host.share()],
      ["slots", () => host.slots()],
      ["reap", () => host.reap(1)],
      ["watch", () => host.watch({ threadId: 1, once: () => {} })],
      ["synchronize", () => host.synchronize()],
      ["verify", () => host.verify()],
      ["createMap", () => host.createMap(spec)],
    ];
    for (const [name, call] of calls) {
      expect(expectErrno(call, "EBADF").message).toBe(`${name}: the host is closed (EBADF)`);
    }
    expect(other.memoryUsage()).toMatchObject({ bytes: 0, maps: [] });
  });

  it("leaves no trace of a map that does not fit", () => {
    const [host, other] = pair({ maxMemory: 4 * 1024 * 1024 });
    expectErrno(() => host.createMap({ ...spec, maxEntries: 1_000_000 }), "ENOMEM");
    expectErrno(() => host.createMap({ ...spec, type: "array", maxEntries: 1_000_000 }), "ENOMEM");
    expect(other.memoryUsage()).toMatchObject({ bytes: 0, maps: [] });
  });
});
