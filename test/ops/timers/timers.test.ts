// Timers and workqueues in values: when they fire, what cancels them, what sees their bytes, and what is refused.
import { describe, expect, it } from "vitest";
import {
  BPF_EXIST,
  type EntryMap,
  type Host,
  struct,
  text,
  timer,
  u8,
  u32,
  u53,
  workqueue,
} from "../../../src/index.ts";
import * as uapi from "../../../src/uapi/index.ts";
import { expectErrno } from "../../support/caught.ts";
import { hostAt, task } from "./host_at.ts";

const session = struct({ user: u32, idle: timer, hits: u32, refresh: workqueue });
type Session = { user: number; hits: number };
type Sessions = EntryMap<unknown, Session>;

/** Maps by type, kind of key and layout of the buckets; and keys of theirs. */
const MAPS: [string, (host: Host) => Sessions, unknown[]][] = [
  [
    "hash u32",
    (host) => host.createMap({ type: "hash", key: u32, value: session, maxEntries: 100 }) as never,
    [1, 2, 3],
  ],
  [
    "rhash u53",
    (host) => host.createMap({ type: "rhash", key: u53, value: session, maxEntries: 100 }) as never,
    [1, 2 ** 40, 3],
  ],
  [
    "lru_hash",
    (host) => host.createMap({ type: "lru_hash", key: u32, value: session, maxEntries: 100 }) as never,
    [1, 2, 3],
  ],
  [
    "rhash, keys of 3 bytes",
    (host) =>
      host.createMap({
        type: "rhash",
        key: struct({ a: u8, b: u8, c: u8 }),
        value: session,
        maxEntries: 100,
      }) as never,
    [
      { a: 1, b: 0, c: 0 },
      { a: 2, b: 1, c: 0 },
      { a: 1, b: 0, c: 1 },
    ],
  ],
  [
    "hash, texts",
    (host) => host.createMap({ type: "hash", key: text(40), value: session, maxEntries: 100 }) as never,
    ["a", "ab", "a".repeat(40)],
  ],
  [
    "array",
    (host) => host.createMap({ type: "array", key: u32, value: session, maxEntries: 4 }) as never,
    [1, 2, 3],
  ],
];

describe.each([false, true])("on a host that is shared: %s", (shared) => {
  describe.each(MAPS)("%s", (name, make, [first, second, third]) => {
    const isArray = name === "array";

    function setUp() {
      const { host, at } = hostAt({ shared });
      const map = make(host);
      for (const key of [first, second, third]) map.set(key, { user: 7, hits: 0 });
      const fired: unknown[] = [];
      const note = (key: unknown) => void fired.push(key);
      /** What fires up to a time. */
      const firedAt = (now: number) => {
        at(now);
        return fired.splice(0);
      };
      return { host, map, fired, note, at: firedAt };
    }

    it("fires once, when its time has come, with the key and the map", () => {
      const { map, at } = setUp();
      const seen: unknown[] = [];
      map.timer(first).start(10, (key, of) => seen.push([key, of === map]));
      at(1009.9);
      expect(seen).toEqual([]);
      at(1010);
      at(5000);
      expect(seen).toEqual([[first, true]]);
    });

    it("fires in the order of time, and of starting where that is the same", () => {
      const { map, note, at } = setUp();
      map.timer(third).start(5, note);
      map.timer(first).start(20, note);
      map.timer(second).start(5, note);
      expect(at(1020)).toEqual([third, second, first]);
    });

    it("started again, it waits anew and calls the new callback", () => {
      const { map, note, at } = setUp();
      map.timer(first).start(10, () => {
        throw new Error("of the first start");
      });
      map.timer(first).start(20, note);
      expect(at(1019)).toEqual([]);
      expect(at(1020)).toEqual([first]);
      map.timer(first).start(20, note);
      map.timer(first).start(5, note);
      expect(at(1025)).toEqual([first]);
      expect(at(9999)).toEqual([]);
    });

    it("cancel stops it and says whether it was running", () => {
      const { map, note, at } = setUp();
      expect(map.timer(first).cancel()).toBe(false);
      map.timer(first).start(10, note);
      map.timer(second).start(10, note);
      expect([map.timer(first).cancel(), map.timer(first).cancel()]).toEqual([true, false]);
      expect(at(1010)).toEqual([second]);
      expect(map.timer(second).cancel()).toBe(false);
    });

    it("a callback may start it again, delete, write and cancel others", () => {
      const { map, note, at } = setUp();
      map.timer(first).start(10, (key, of) => {
        of.timer(key).start(10, note);
        of.timer(second).cancel();
        of.set(third, { user: 1, hits: 1 });
      });
      map.timer(second).start(10, note);
      map.timer(third).start(10, note);
      expect(at(1010)).toEqual([]);
      expect(at(1020)).toEqual([first]);
    });

    it("started in a callback it waits for the next tick, even without ms", () => {
      const { map, at } = setUp();
      let calls = 0;
      const again = (key: unknown, of: Sessions) => {
        calls++;
        of.timer(key).start(0, again as never);
      };
      map.timer(first).start(0, again as never);
      at(1000);
      expect(calls).toBe(1);
      at(1000);
      expect(calls).toBe(2);
    });

    it("is cancelled by set and update, with BPF_EXIST too", () => {
      const { map, note, at } = setUp();
      for (const key of [first, second]) map.timer(key).start(10, note);
      map.set(first, { user: 8, hits: 0 });
      map.update(second, { user: 8, hits: 0 }, BPF_EXIST);
      expect(map.timer(first).cancel()).toBe(false);
      expect(at(1010)).toEqual([]);
      map.timer(first).start(10, note);
      expect(at(1020)).toEqual([first]);
    });

    it("is cancelled by a batch that writes, whatever is in the bytes of the timer", () => {
      const { map, note, at } = setUp();
      for (const key of [first, second]) map.timer(key).start(10, note);
      const batch = map.createBatch(2);
      batch.set(0, first, { user: 1, hits: 1 });
      batch.count = 1;
      batch.values.fill(0xff, 8, 24);
      map.updateBatch(batch);
      batch.close();
      expect(at(1010)).toEqual([second]);
      expect(map.timer(first).cancel()).toBe(false);
    });

    it("stays with add, addFields, addMany, fields, getOrInsert and writing by an entry's field", () => {
      const { map, note, at } = setUp();
      map.timer(first).start(10, note);
      map.timer(first).start(10, note);
      map.add(first, 1, { field: "hits" } as never);
      map.addFields(first, { user: 1 });
      map.field("hits" as never).set(first, 9 as never);
      map.getOrInsert(first, { user: 1, hits: 1 });
      map.getOrInsertComputed(first, () => ({ user: 1, hits: 1 }));
      expect(map.get(first)).toEqual({ user: 8, hits: 9 });
      expect(at(1010)).toEqual([first]);
    });

    it("an entry that comes back has none", () => {
      if (isArray) return;
      const { map, note, at } = setUp();
      const hash = map as Sessions & {
        delete(key: unknown): boolean;
        lookupAndDelete(key: unknown): unknown;
      };
      for (const key of [first, second]) map.timer(key).start(10, note);
      hash.delete(first);
      hash.lookupAndDelete(second);
      expect(map.timer(first).cancel()).toBe(false);
      map.set(first, { user: 1, hits: 1 });
      map.add(second, 1, { field: "hits" } as never);
      expect([map.timer(first).cancel(), map.timer(second).cancel()]).toEqual([false, false]);
      expect(at(1010)).toEqual([]);
    });

    it("is cancelled by clear", () => {
      const { map, note, at } = setUp();
      map.timer(first).start(10, note);
      map.clear();
      map.set(first, { user: 1, hits: 1 });
      expect(map.timer(first).cancel()).toBe(false);
      expect(at(1010)).toEqual([]);
    });

    it("its bytes read as zeros in batches, lookupMany and host.bpf", () => {
      const { host, map, note } = setUp();
      for (const key of [first, second, third]) {
        map.timer(key).start(10, note);
        map.workqueue(key).start(note);
      }
      const { timerOffset: t = 0, workqueueOffset: w = 0 } = session;
      const areZeros = (values: Uint8Array, count: number) => {
        for (let i = 0; i < count; i++) {
          const at = i * session.size;
          expect(values.subarray(at + t, at + t + 16).every((byte) => byte === 0)).toBe(true);
          expect(values.subarray(at + w, at + w + 16).every((byte) => byte === 0)).toBe(true);
        }
      };
      const batch = map.createBatch(4);
      map.lookupBatch(batch);
      expect(batch.count).toBeGreaterThan(2);
      areZeros(batch.values, batch.count);
      const keys = batch.keys.slice(0, 3 * map.info.keySize);
      const values = new Uint8Array(3 * session.size).fill(1);
      map.lookupMany(keys as never, values);
      areZeros(values, 3);
      batch.close();
      if (name === "hash, texts") return; // which descriptors cannot have
      host.pin("/m", map);
      const fd = uapi.bpf_obj_get(host, "/m");
      const out = new Uint8Array(session.size);
      expect(uapi.bpf_map_lookup_elem(host, fd, keys.subarray(0, map.info.keySize), out)).toBe(0);
      areZeros(out, 1);
      const [cursor, ks, vs] = [new Uint8Array(4), keys.slice(), new Uint8Array(3 * session.size).fill(1)];
      const count = Uint32Array.of(3);
      uapi.bpf_map_lookup_batch(host, fd, null, cursor, ks, vs, count);
      expect(count[0]).toBe(3);
      areZeros(vs, 3);
    });

    it("work is done after the task, once, and not when its entry is gone", async () => {
      const { map, fired, note } = setUp();
      map.workqueue(first).start(() => {
        throw new Error("of the first start");
      });
      map.workqueue(second).start(note);
      map.workqueue(third).start(note);
      map.workqueue(first).start(note);
      map.set(third, { user: 0, hits: 0 });
      await Promise.resolve();
      expect(fired).toEqual([]);
      await task();
      await task();
      expect(fired).toEqual([first, second]);
    });

    it("an entry may have both", async () => {
      const { map, at, note, fired } = setUp();
      map.timer(first).start(10, note);
      map.workqueue(first).start(note);
      await task();
      expect(fired.splice(0)).toEqual([first]);
      expect(at(1010)).toEqual([first]);
    });

    it("ends with the map's last handle", () => {
      const { host, map, note, at } = setUp();
      map.timer(first).start(10, note);
      map.close();
      expect(at(1010)).toEqual([]);
      expect(host.memoryUsage().maps).toEqual([]);
      expectErrno(() => map.timer(first), "EBADF");
    });

    it("a key that is absent: ENOENT, and nothing to cancel", () => {
      const { map, note } = setUp();
      const absent = isArray
        ? 99
        : name === "hash, texts"
          ? "none"
          : name.includes("3 bytes")
            ? { a: 9, b: 9, c: 9 }
            : 99;
      expectErrno(() => map.timer(absent).start(1, note), "ENOENT");
      expectErrno(() => map.workqueue(absent).start(note), "ENOENT");
      expect(map.timer(absent).cancel()).toBe(false);
    });
  });
});
