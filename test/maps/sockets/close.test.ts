// Objects leave maps by themselves when they close: real sockets, ports and workers, and what looks like them.
import { EventEmitter, getEventListeners, once } from "node:events";
import { connect, createServer, Server, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { MessageChannel, Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { createHost, type SockHash, type SockMap, u32 } from "../../../src/index.ts";
import { caught, expectErrno } from "../../support/caught.ts";
import { hostOf } from "../../support/host_of.ts";
import { bySize } from "../../support/size.ts";

interface Maps {
  readonly byIndex: SockMap<object>;
  readonly byKey: SockHash<number, object>;
}

function open(shared = false): Maps {
  const host = createHost({ seed: 3, cpus: 1, shared, maxMemory: 16 * 1024 * 1024 });
  return {
    byIndex: host.createMap({ type: "sockmap", name: "byIndex", maxEntries: 100 }),
    byKey: host.createMap({ type: "sockhash", name: "byKey", key: u32, maxEntries: 100 }),
  };
}

/** Two ends of a TCP connection. */
async function connection(): Promise<{ client: Socket; served: Socket; server: Server }> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as { port: number };
  const client = connect(port, "127.0.0.1");
  const [[served]] = await Promise.all([once(server, "connection"), once(client, "connect")]);
  cleanup.push(() => {
    client.destroy();
    served.destroy();
    server.close();
  });
  return { client, served, server };
}

const cleanup: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanup.splice(0)) clean();
});

/** A WebSocket as browsers have it. */
class FakeWebSocket extends EventTarget {
  readyState = 1;
  send(): void {}
  close(): void {
    this.readyState = 2;
  }
  end(): void {
    this.readyState = 3;
    this.dispatchEvent(new Event("close"));
  }
}

describe.each([false, true])("shared: %s", (shared) => {
  it("net.Socket: when the other side hangs up", async () => {
    const { byIndex, byKey } = open(shared);
    const { client, served } = await connection();
    byIndex.set(1, served).set(2, client);
    byKey.set(7, served).set(8, served);
    served.resume();
    client.destroy();
    await once(served, "close");
    expect([byIndex.size, byIndex.get(1), byKey.size, [...byKey]]).toEqual([0, undefined, 0, []]);
    for (const socket of [client, served]) {
      expect(expectErrno(() => byIndex.set(1, socket), "EINVAL").message).toBe(
        'set: map "byIndex" was given an object that is closed (EINVAL)',
      );
    }
    expect([...byIndex.verify(), ...byKey.verify()]).toEqual([]);
  });

  it("leaves before other listeners hear of it", async () => {
    const { byKey } = open(shared);
    const { client } = await connection();
    const sizes: number[] = [];
    client.on("close", () => sizes.push(byKey.size));
    byKey.set(1, client);
    client.destroy();
    await once(client, "close");
    expect(sizes).toEqual([0]);
  });

  it("leaves a frozen map, and one that is only pinned", async () => {
    const { byIndex, byKey } = open(shared);
    const { client } = await connection();
    byIndex.set(1, client).freeze();
    byKey.set(1, client);
    hostOf(byKey).pin("/byKey", byKey);
    byKey.close();
    client.destroy();
    await once(client, "close");
    expect(byIndex.size).toBe(0);
    expect(hostOf(byIndex).open("/byKey", { type: "sockhash", key: u32 }).size).toBe(0);
  });
});

describe("objects", () => {
  it("net.Socket: a connecting one is let in, and one that fails to connect leaves", async () => {
    const { byKey } = open();
    const { server } = await connection();
    const { port } = server.address() as { port: number };
    server.close();
    cleanup.pop()?.();
    await setTimeout(1);
    const socket = connect(port, "127.0.0.1");
    byKey.set(1, socket);
    expect(byKey.get(1)).toBe(socket);
    await once(socket, "error");
    await once(socket, "close");
    expect(byKey.size).toBe(0);
  });

  it("streams, servers and other emitters", async () => {
    const { byKey } = open();
    const stream = new PassThrough();
    const server = new Server().listen(0, "127.0.0.1");
    const emitter = new EventEmitter();
    byKey.set(1, stream).set(2, server).set(3, emitter);
    stream.destroy();
    server.close();
    await Promise.all([once(stream, "close"), once(server, "close")]);
    expect([...byKey.keys()]).toEqual([3]);
    emitter.emit("close");
    expect(byKey.size).toBe(0);
    expectErrno(() => byKey.set(1, stream), "EINVAL");
  });

  it("emitters without off() and prependListener()", () => {
    const { byKey } = open();
    const listeners = new Set<() => void>();
    const emitter = {
      on: (_type: string, listener: () => void) => listeners.add(listener),
      removeListener: (_type: string, listener: () => void) => listeners.delete(listener),
    };
    byKey.set(1, emitter).set(2, emitter);
    expect(listeners.size).toBe(1);
    byKey.delete(1);
    for (const listener of [...listeners]) listener();
    expect([byKey.size, listeners.size]).toEqual([0, 0]);
  });

  it("MessagePort: either end", async () => {
    const { byIndex } = open();
    const { port1, port2 } = new MessageChannel();
    byIndex.set(1, port1).set(2, port2);
    port2.close();
    await Promise.all([once(port1, "close"), once(port2, "close")]);
    expect(byIndex.size).toBe(0);
  });

  it("a listener keeps neither a port nor the process alive", () => {
    const { byIndex } = open();
    const { port1, port2 } = new MessageChannel();
    byIndex.set(1, port1);
    expect((port1 as unknown as { hasRef(): boolean }).hasRef()).toBe(false);
    port2.close();
  });

  it("WebSocket, and other event targets", () => {
    const { byKey } = open();
    const socket = new FakeWebSocket();
    const target = new EventTarget();
    byKey.set(1, socket).set(2, target).set(3, socket);
    socket.end();
    expect([...byKey.keys()]).toEqual([2]);
    expectErrno(() => byKey.set(1, socket), "EINVAL");
    target.dispatchEvent(new Event("close"));
    expect(byKey.size).toBe(0);
    const closing = new FakeWebSocket();
    closing.close();
    expectErrno(() => byKey.set(1, closing), "EINVAL");
  });

  it("channels that say closing and closed; and what has such words for something else", () => {
    const { byKey } = open();
    expectErrno(() => byKey.set(1, { readyState: "closing" }), "EINVAL");
    expectErrno(() => byKey.set(1, { readyState: "closed" }), "EINVAL");
    expectErrno(() => byKey.set(1, { closed: true }), "EINVAL");
    expectErrno(() => byKey.set(1, { destroyed: true }), "EINVAL");
    // WebTransport; XMLHttpRequest.
    byKey.set(1, { closed: Promise.resolve() }).set(2, { readyState: 4, send() {} });
    expect(byKey.size).toBe(2);
  });

  it("Worker", async () => {
    const { byKey } = open();
    const worker = new Worker("0", { eval: true });
    byKey.set(1, worker);
    await once(worker, "exit");
    expect(byKey.size).toBe(0);
    expectErrno(() => byKey.set(1, worker), "EINVAL");
  });

  it("objects without a word of their end stay", () => {
    const { byKey } = open();
    byKey.set(1, {}).set(2, Object.create(null)).set(3, Object.freeze([]));
    expect(byKey.size).toBe(3);
    byKey.clear();
    expect(byKey.size).toBe(0);
  });
});

describe("listeners", () => {
  const count = (emitter: EventEmitter) => emitter.listenerCount("close");

  it("are one for each object, however often it is in maps", () => {
    const { byIndex, byKey } = open();
    const warnings: Error[] = [];
    const warn = (warning: Error) => warnings.push(warning);
    process.on("warning", warn);
    const emitter = new EventEmitter();
    for (let i = 0; i < 50; i++) {
      byIndex.set(i, emitter);
      byKey.set(i, emitter);
    }
    expect(count(emitter)).toBe(1);
    for (let i = 0; i < 50; i++) byIndex.delete(i);
    expect(count(emitter)).toBe(1);
    emitter.emit("close");
    expect([count(emitter), byKey.size]).toEqual([0, 0]);
    process.off("warning", warn);
    expect(warnings).toEqual([]);
  });

  it("go with the last entry, however it goes", () => {
    const { byIndex, byKey } = open();
    const ways: ((emitter: EventEmitter) => void)[] = [
      () => byKey.delete(1),
      () => byKey.lookupAndDelete(1),
      () => byKey.clear(),
      () => byKey.set(1, {}),
      () => byKey.update(1, new EventEmitter()),
      (emitter) => emitter.emit("close"),
    ];
    for (const way of ways) {
      const emitter = new EventEmitter();
      byKey.set(1, emitter);
      byKey.set(1, emitter);
      byIndex.set(1, emitter);
      expect(count(emitter)).toBe(1);
      byIndex.delete(1);
      expect(count(emitter)).toBe(1);
      way(emitter);
      expect(count(emitter)).toBe(0);
    }
    const target = new EventTarget();
    byKey.set(1, target);
    expect(getEventListeners(target, "close").length).toBe(1);
    byKey.delete(1);
    expect(getEventListeners(target, "close").length).toBe(0);
  });

  it("go with the map, and with its host", () => {
    const { byIndex, byKey } = open();
    const host = hostOf(byIndex);
    const emitter = new EventEmitter();
    byIndex.set(1, emitter);
    host.pin("/byIndex", byIndex);
    byIndex.close();
    expect(count(emitter)).toBe(1);
    host.unpin("/byIndex");
    expect(count(emitter)).toBe(0);
    byKey.set(1, emitter);
    host.pin("/byKey", byKey);
    host.close();
    expect(count(emitter)).toBe(0);
  });

  it("are not left behind by a call that fails", () => {
    const { byKey } = open();
    byKey.set(1, {});
    const emitter = new EventEmitter();
    const failing = [
      () => byKey.update(1, emitter, 1),
      () => byKey.update(2, emitter, 2),
      () => byKey.set(-1, emitter),
      () => byKey.set("x" as never, emitter),
    ];
    for (const call of failing) caught(call);
    for (let key = 2; byKey.size < 100; key++) byKey.set(key, {});
    expectErrno(() => byKey.set(1000, emitter), "E2BIG");
    byKey.freeze();
    expectErrno(() => byKey.set(1, emitter), "EPERM");
    expect(count(emitter)).toBe(0);
  });

  it("that use the map themselves find it whole", () => {
    const { byKey } = open();
    const emitter = new EventEmitter();
    const seen: unknown[] = [];
    emitter.on("newListener", () => seen.push(byKey.set(50, {}).get(1)));
    emitter.on("removeListener", () => seen.push(byKey.get(1), byKey.delete(50), byKey.size));
    seen.length = 0;
    byKey.set(1, emitter);
    expect(byKey.get(1)).toBe(emitter);
    byKey.delete(1);
    expect(seen).toEqual([undefined, undefined, true, 0]);
    expect(byKey.verify()).toEqual([]);
  });

  it("an object whose on() throws is not let in", () => {
    const { byKey } = open();
    const broken = {
      on() {
        throw new Error("no");
      },
      off() {},
    };
    expect(() => byKey.set(1, broken)).toThrow("no");
    expect(byKey.size).toBe(0);
  });

  it("end an entry that another listener of the same event has replaced", () => {
    const { byIndex, byKey } = open();
    const emitter = new EventEmitter();
    const next = {};
    // The one that came last is told first, and changes what the others are about to be told of.
    byKey.set(1, emitter).set(2, emitter);
    emitter.prependListener("close", () => {
      byKey.set(1, next);
      byIndex.set(0, next);
    });
    emitter.emit("close");
    expect([...byKey]).toEqual([[1, next]]);
    expect(byKey.verify()).toEqual([]);
  });
});

describe("objects that have left", () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;

  /** Whether so many collections take all of them. */
  async function collected(refs: WeakRef<object>[], most = 50): Promise<boolean> {
    for (let i = 0; i < most; i++) {
      await setTimeout(1);
      gc();
      if (refs.every((ref) => ref.deref() === undefined)) return true;
    }
    return false;
  }

  function fill(map: SockHash<number, object>, make: () => object): WeakRef<object>[] {
    return Array.from({ length: 10 }, (_, key) => {
      const object = make();
      map.set(key, object);
      return new WeakRef(object);
    });
  }

  it.each([
    ["deleted", (map: SockHash<number, object>) => [...map.keys()].forEach((key) => void map.delete(key))],
    ["replaced", (map: SockHash<number, object>) => [...map.keys()].forEach((key) => void map.set(key, {}))],
    ["cleared", (map: SockHash<number, object>) => map.clear()],
    ["of a closed map", (map: SockHash<number, object>) => map.close()],
    [
      "closed",
      (map: SockHash<number, object>) => {
        for (const object of map.values()) (object as EventEmitter).emit("close");
      },
    ],
  ])("are collected: %s", async (_, remove) => {
    const { byKey } = open();
    const refs = fill(byKey, () => new EventEmitter());
    expect(refs.every((ref) => ref.deref() !== undefined)).toBe(true);
    remove(byKey);
    expect(await collected(refs)).toBe(true);
    hostOf(byKey).close();
  });

  it("are kept while they are in", async () => {
    const { byKey } = open();
    const refs = fill(byKey, () => ({}));
    expect(await collected(refs, bySize(5, 50))).toBe(false);
    expect(refs.every((ref) => ref.deref() !== undefined)).toBe(true);
    byKey.clear();
    expect(await collected(refs)).toBe(true);
  });

  it("do not keep a map that is closed", async () => {
    const emitter = new EventEmitter();
    const map = new WeakRef(
      (() => {
        const { byKey } = open();
        hostOf(byKey.set(1, emitter)).close();
        return byKey;
      })(),
    );
    expect(await collected([map])).toBe(true);
    expect(emitter.listenerCount("close")).toBe(0);
  });
});
