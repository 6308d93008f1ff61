// Maps of objects on shared hosts: they belong to the thread that made them, others see that they are there, and they go with it.
import { EventEmitter, once } from "node:events";
import { Worker } from "node:worker_threads";
import { beforeAll, describe, expect, it } from "vitest";
import { attachHost, type Host, type SocketMap, type SockHash, u32 } from "../../../src/index.ts";
import * as uapi from "../../../src/uapi/index.ts";
import { pair, sharedHost } from "../../shared/hosts.ts";
import { BUILD_MS, builtRoot } from "../../support/built.ts";
import { expectErrno } from "../../support/caught.ts";
import { CoreConstants } from "../../support/core/constants.ts";

const HASH = { type: "sockhash", name: "s", key: u32, maxEntries: 100 } as const;
const OPEN = { type: "sockhash", key: u32 } as const;
const PRIVATE =
  'map "s" holds objects of the thread that made it, which no other thread can reach (EOPNOTSUPP)';

function getFdById(host: Host, id: number): number {
  return host.bpf(uapi.BPF_MAP_GET_FD_BY_ID, uapi.writeStruct(uapi.BPF_ATTR_ID, { map_id: id }));
}

function objGet(host: Host, path: string): number {
  return uapi.bpf_obj_get(host, path);
}

describe("another thread", () => {
  it("sees the map, and cannot open it", () => {
    const [host, other] = pair();
    const map = host.createMap(HASH);
    host.pin("/s", map);
    map.set(1, {});
    expect(other.memoryUsage().maps).toMatchObject([{ id: 1, name: "s", type: "sockhash", entries: 1 }]);
    const error = expectErrno(() => other.open("/s", OPEN), "EOPNOTSUPP");
    expect(error.message).toBe(`open: ${PRIVATE}; if that thread is gone, reap() its CPU slot`);
    expect(expectErrno(() => other.unpin("/s"), "EOPNOTSUPP").message).toContain(`unpin: ${PRIVATE}`);
    expectErrno(() => other.pin("/s", other.createMap(HASH)), "EEXIST");
    expect([getFdById(other, 1), objGet(other, "/s")]).toEqual([-95, -95]);
    expect([host.verify(), map.verify()]).toEqual([[], []]);
    expect(map.get(1)).toEqual({});
  });

  it("finds nothing of it when its thread has detached", () => {
    const [host, other] = pair();
    const before = host.memoryUsage().bytes;
    const emitter = new EventEmitter();
    const map = other.createMap(HASH).set(1, emitter);
    other.pin("/a", map);
    other.pin("/b", map);
    other.pin("/plain", other.createMap({ type: "hash", key: u32, value: u32, maxEntries: 4 }));
    map.close();
    expect(emitter.listenerCount("close")).toBe(1);
    other.detach();
    expect(emitter.listenerCount("close")).toBe(0);
    expectErrno(() => host.open("/a", OPEN), "ENOENT");
    expectErrno(() => host.unpin("/b"), "ENOENT");
    expect(host.memoryUsage().maps.map(({ type }) => type)).toEqual(["hash"]);
    host.unpin("/plain");
    expect(host.memoryUsage()).toMatchObject({ bytes: before, maps: [] });
    expect(host.verify()).toEqual([]);
  });

  it("finds nothing of it when its thread was reaped", () => {
    const [host, other] = pair();
    const before = host.memoryUsage().bytes;
    for (let i = 0; i < 3; i++) {
      const map = other.createMap({ ...HASH, name: "s" });
      for (let key = 0; key < 50; key++) map.set(key, {});
      other.pin(`/${i}/a`, map);
      other.pin(`/${i}/b`, map);
    }
    const kept = host.createMap(HASH).set(1, {});
    host.pin("/kept", kept);
    host.reap(other.cpu);
    for (let i = 0; i < 3; i++) expectErrno(() => host.open(`/${i}/a`, OPEN), "ENOENT");
    expect(host.memoryUsage().maps.length).toBe(1);
    expect(host.open("/kept", OPEN).size).toBe(1);
    host.unpin("/kept");
    kept.close();
    for (const map of [host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 4 })]) map.close();
    expect(host.verify()).toEqual([]);
    expect(host.memoryUsage().bytes).toBeLessThanOrEqual(before + 4096);
  });

  describe("of Node", () => {
    beforeAll(() => void builtRoot(), BUILD_MS);

    it("can be killed with maps of objects open and pinned", async () => {
      const host = sharedHost({ lockTimeout: 2000 });
      const source = `
        import { parentPort, workerData } from "node:worker_threads";
        import { attachHost, u32 } from "bpfmap";
        const host = attachHost(workerData);
        const map = host.createMap({ type: "sockhash", name: "s", key: u32, maxEntries: 1000 });
        host.pin("/s", map);
        parentPort.postMessage("pinned");
        for (let i = 0; ; i++) {
          map.set(i % 1000, {});
          map.delete((i * 7) % 1000);
        }`;
      const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
      const built = new URL("../../../dist/index.js", import.meta.url).href;
      const loader = new URL(
        url.href.replace(encodeURIComponent('"bpfmap"'), encodeURIComponent(JSON.stringify(built))),
      );
      const worker = host.watch(new Worker(loader, { workerData: host.share() }));
      await once(worker, "message");
      expectErrno(() => host.open("/s", OPEN), "EOPNOTSUPP");
      await worker.terminate();
      expectErrno(() => host.open("/s", OPEN), "ENOENT");
      expect(host.memoryUsage().maps).toEqual([]);
      expect(host.verify()).toEqual([]);
    });
  });
});

describe("the own thread", () => {
  it("opens its pins, and unpins them", () => {
    const [host, other] = pair();
    const map = host.createMap(HASH).set(1, {});
    host.pin("/a", map);
    host.pin("/b", map);
    map.close();
    const again = host.open("/a", OPEN);
    expect(again.size).toBe(1);
    host.unpin("/a");
    expectErrno(() => host.unpin("/a"), "ENOENT");
    again.close();
    expect(host.open("/b", OPEN).get(1)).toEqual({});
    host.unpin("/b");
    host.close();
    expect(other.memoryUsage().maps).toEqual([]);
  });

  it("may have several hosts on one memory, of which each has its own", () => {
    const [host, other] = pair();
    host.pin("/s", host.createMap(HASH));
    expectErrno(() => other.open("/s", OPEN), "EOPNOTSUPP");
    const third = attachHost(host.share());
    third.pin("/t", third.createMap({ type: "sockmap", maxEntries: 4 }));
    expectErrno(() => host.open("/t", { type: "sockmap" }), "EOPNOTSUPP");
    third.detach();
    expectErrno(() => host.open("/t", { type: "sockmap" }), "ENOENT");
  });
});

describe("a lock that is not to be had", () => {
  const arenaLock = new CoreConstants(true).region("ARENA_LOCK");
  const poolLock = new CoreConstants(true).header("POOL_LOCK");

  /** Runs `fn` while the thread with CPU slot 1 seems to hold locks: bit 0, and its number from bit 2 on. */
  function locked(map: SocketMap<number, object>, fn: () => void): void {
    const { u32: words } = map.host;
    const locks = [arenaLock, map.table.handle + poolLock].map((address) => address >>> 2);
    const before = locks.map((lock) => words[lock]);
    for (const lock of locks) words[lock] = 1 | (1 << 2);
    try {
      fn();
    } finally {
      for (const [i, lock] of locks.entries()) words[lock] = before[i];
    }
  }

  function filled(): { map: SockHash<number, EventEmitter>; emitters: EventEmitter[] } {
    const [host] = pair({ lockTimeout: 5 });
    const map = host.createMap<number, EventEmitter>({ ...HASH, maxEntries: 20 });
    const emitters = Array.from({ length: 20 }, () => new EventEmitter());
    for (const [key, emitter] of emitters.entries()) map.set(key, emitter);
    return { map, emitters };
  }

  it("keeps no socket that closes in the map, and is made up for later", () => {
    const { map, emitters } = filled();
    // The room that iterators need is there.
    expect([...map].length).toBe(20);
    locked(map, () => {
      for (const emitter of emitters) emitter.emit("close");
      expect(map.size).toBe(0);
      for (const key of emitters.keys()) expect([map.get(key), map.has(key)]).toEqual([undefined, false]);
      expect([...map]).toEqual([]);
    });
    // There was something to make up for.
    expect(map.stats().entries).toBeGreaterThan(0);
    expect(map.verify()).toEqual([]);
    const next = new EventEmitter();
    map.set(100, next);
    expect([map.size, map.stats().entries]).toEqual([1, 1]);
    expect([...map]).toEqual([[100, next]]);
    expect(map.verify()).toEqual([]);
  });

  it("lets a key be used again, and deleted, before that", () => {
    const { map, emitters } = filled();
    const next = new EventEmitter();
    locked(map, () => {
      for (const emitter of emitters) emitter.emit("close");
      const stuck = map.stats().entries;
      expect(stuck).toBeGreaterThan(0);
      // Nothing is inserted, so that no lock but the bucket's is needed.
      const key = [...emitters.keys()].find((at) => map.sockets.slotOf(map.encodeKey("get", at)) >= 0)!;
      map.set(key, next);
      expect([map.get(key), map.size]).toEqual([next, 1]);
      map.update(key, next, 2);
      expectErrno(() => map.update((key + 1) % 20, next, 2), "ENOENT");
    });
    expect(map.verify()).toEqual([]);
    map.clear();
    expect([map.size, map.stats().entries, next.listenerCount("close")]).toEqual([0, 0, 0]);
    expect(map.verify()).toEqual([]);
  });

  it("is LockTimeoutError for whoever asks for it, with the map as it was", () => {
    const { map, emitters } = filled();
    locked(map, () => {
      expectErrno(() => {
        for (const key of emitters.keys()) map.delete(key);
      }, "ETIMEDOUT");
      expectErrno(() => map.clear(), "ETIMEDOUT");
      expectErrno(() => map.grow(1000), "ETIMEDOUT");
    });
    expect(map.info.maxEntries).toBe(20);
    for (const [key, emitter] of emitters.entries())
      expect(emitter.listenerCount("close")).toBe(map.has(key) ? 1 : 0);
    expect(map.size).toBe(map.stats().entries);
    expect(map.verify()).toEqual([]);
  });
});
