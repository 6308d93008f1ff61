// The low-water mark: once for each crossing, from within the call that crosses it, before that call can fail.
import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { BPF_EXIST, BPF_NOEXIST, createHost, type SocketMap, u32 } from "../../../src/index.ts";
import { expectErrno } from "../../support/caught.ts";
import { hostOf } from "../../support/host_of.ts";

type AnySockets = SocketMap<number, object>;

function open(
  type: "sockmap" | "sockhash",
  maxEntries: number,
  free: number,
  grow: (map: AnySockets) => void,
  maxMemory = 16 * 1024 * 1024,
): AnySockets {
  const host = createHost({ seed: 2, maxMemory });
  const lowWater = { free, grow };
  return type === "sockmap"
    ? host.createMap({ type, name: "m", maxEntries, lowWater })
    : host.createMap({ type, name: "m", key: u32, maxEntries, lowWater });
}

describe.each(["sockmap", "sockhash"] as const)("%s", (type) => {
  it("is called by the insert that takes the free slots below the mark, before it", () => {
    const calls: number[] = [];
    const map = open(type, 10, 4, ({ size }) => calls.push(size));
    for (let key = 0; key < 6; key++) map.set(key, {});
    expect(calls).toEqual([]);
    map.set(6, {});
    expect(calls).toEqual([6]);
  });

  it("is called once for a crossing: a hook that does not grow lets inserts go on to the limit", () => {
    let calls = 0;
    const map = open(type, 10, 4, () => calls++);
    for (let key = 0; key < 10; key++) map.set(key, {});
    expect([calls, map.size]).toEqual([1, 10]);
    if (type === "sockhash") expectErrno(() => map.set(10, {}), "E2BIG");
    for (let key = 0; key < 10; key++) map.set(key, {});
    expect(calls).toBe(1);
  });

  it("is called again when deletes have brought the free slots back to the mark", () => {
    let calls = 0;
    const map = open(type, 10, 4, () => calls++);
    for (let key = 0; key < 8; key++) map.set(key, {});
    expect(calls).toBe(1);
    map.delete(0);
    map.set(0, {});
    expect(calls).toBe(1); // Back to 3 free, which is below the mark: no crossing.
    map.delete(0);
    map.delete(1);
    map.set(0, {});
    expect(calls).toBe(2);
    const emitters = [new EventEmitter(), new EventEmitter(), new EventEmitter()];
    for (const [i, emitter] of emitters.entries()) map.set(i, emitter);
    for (const emitter of emitters) emitter.emit("close");
    map.set(0, {});
    map.set(1, {});
    expect(calls).toBe(3);
    map.clear();
    for (let key = 0; key < 10; key++) map.set(key, {});
    expect(calls).toBe(4);
  });

  it("grows by its own rule, without a call that fails", () => {
    const limits: number[] = [];
    const map = open(type, 4, 2, (self) => {
      self.grow(self.info.maxEntries * 2);
      limits.push(self.info.maxEntries);
    });
    for (let key = 0; key < 1000; key++) map.set(key, { key });
    expect(limits).toEqual([8, 16, 32, 64, 128, 256, 512, 1024]);
    expect(map.size).toBe(1000);
    for (let key = 0; key < 1000; key++) expect(map.get(key)).toEqual({ key });
    expect(map.verify()).toEqual([]);
  });

  it("is not called by what takes no slot", () => {
    let calls = 0;
    const map = open(type, 4, 4, () => calls++);
    expectErrno(() => map.update(0, {}, BPF_EXIST), "ENOENT");
    expectErrno(() => map.set(0, { destroyed: true }), "EINVAL");
    expect(() => map.set(0, 1 as never)).toThrow(TypeError);
    map.get(0);
    map.delete(0);
    expect(calls).toBe(0);
    map.set(0, {});
    expect(calls).toBe(1);
    map.delete(0);
    map.update(0, {}, BPF_NOEXIST);
    expect(calls).toBe(2);
    expectErrno(() => map.update(0, {}, BPF_NOEXIST), "EEXIST");
    expect(calls).toBe(2);
  });

  it("ends the call with what the hook throws, which has changed nothing; the next one crosses again", () => {
    let calls = 0;
    const map = open(type, 4, 2, () => {
      if (++calls === 1) throw new Error("not now");
    });
    map.set(0, {}).set(1, {});
    const emitter = new EventEmitter();
    expect(() => map.set(2, emitter)).toThrow("not now");
    expect([map.size, map.has(2), emitter.listenerCount("close")]).toEqual([2, false, 0]);
    map.set(2, emitter);
    expect([calls, map.size]).toEqual([2, 3]);
  });

  it("lets the hook do anything with the map", () => {
    const own = {};
    let hook = (_: AnySockets): void => {};
    const map = open(type, 4, 4, (self) => hook(self));
    // What it inserts does not call it again.
    hook = (self) => void self.set(1, own).set(2, own);
    map.set(0, {});
    expect(map.size).toBe(3);
    map.clear();
    // It inserts the very key: the call replaces it, or is refused by its condition.
    hook = (self) => void self.set(0, own);
    const mine = {};
    map.set(0, mine);
    expect([map.get(0), map.size]).toEqual([mine, 1]);
    map.clear();
    expectErrno(() => map.update(0, mine, BPF_NOEXIST), "EEXIST");
    expect(map.get(0)).toBe(own);
    map.clear();
    // It fills the map.
    hook = (self) => {
      for (let key = 0; key < 4; key++) self.set(key, own);
    };
    map.set(0, mine);
    expect(map.size).toBe(4);
    map.clear();
    // It has the object closed, freezes the map, closes it.
    const emitter = new EventEmitter();
    hook = () => emitter.emit("close");
    expectErrno(() => map.set(0, emitter), "EINVAL");
    expect([map.size, emitter.listenerCount("close")]).toEqual([0, 0]);
    hook = (self) => self.freeze();
    expectErrno(() => map.set(0, emitter), "EPERM");
    const other = open(type, 4, 4, (self) => self.close());
    expectErrno(() => other.set(0, emitter), "EBADF");
    expect(emitter.listenerCount("close")).toBe(0);
  });

  it("refuses a hook that would go on after the call, which finds out at the latest when it is called", () => {
    expect(() => open(type, 4, 1, (async () => {}) as never)).toThrow(
      /^createMap: map "m": lowWater.grow: expected a plain function: .* outlives the operation$/,
    );
    const map = open(type, 4, 4, (() => Promise.resolve()) as never);
    expect(() => map.set(0, {})).toThrow(/lowWater.grow: the function returned a promise/);
    expect(map.size).toBe(0);
  });

  it("is called for whichever handle crosses the mark, with that handle", () => {
    const seen: AnySockets[] = [];
    const map = open(type, 4, 4, (self) => seen.push(self));
    hostOf(map).pin("/m", map);
    const spec = type === "sockmap" ? ({ type } as const) : ({ type: "sockhash", key: u32 } as const);
    const other = hostOf(map).open("/m", spec as never) as unknown as AnySockets;
    other.set(0, {});
    expect(seen).toEqual([other]);
  });

  it("leaves the map intact when the host has no memory for what it grew to", () => {
    const map = open(type, 4, 2, (self) => self.grow(self.info.maxEntries * 2), 128 * 1024);
    let entries = 0;
    expectErrno(() => {
      for (; ; entries++) map.set(entries, { entries });
    }, "ENOMEM");
    expect(map.size).toBe(entries);
    expect(map.verify()).toEqual([]);
    for (let key = 0; key < entries; key++) expect(map.get(key)).toEqual({ entries: key });
    expect(map.delete(0)).toBe(true);
    map.set(0, {});
    expect(map.size).toBe(entries);
  });
});

describe("an index beyond a sockmap", () => {
  it("asks for growth, too, and is E2BIG when that does not help", () => {
    const limits: number[] = [];
    const map = open("sockmap", 4, 1, (self) => {
      limits.push(self.info.maxEntries);
      if (self.info.maxEntries < 16) self.grow(self.info.maxEntries * 2);
    });
    map.set(7, {});
    expect(limits).toEqual([4]);
    expectErrno(() => map.set(100, {}), "E2BIG");
    expect([limits, map.info.maxEntries, map.size]).toEqual([[4, 8], 16, 1]);
    expectErrno(() => map.update(100, {}, BPF_EXIST), "E2BIG");
    expect(limits.length).toBe(2);
    map.set(15, {});
    expect(limits.length).toBe(2);
  });

  it("is not asked for by the hook itself", () => {
    let calls = 0;
    const map = open("sockmap", 4, 1, (self) => {
      calls++;
      expectErrno(() => self.set(50, {}), "E2BIG");
    });
    expectErrno(() => map.set(4, {}), "E2BIG");
    expect([calls, map.size]).toEqual([1, 0]);
  });
});
