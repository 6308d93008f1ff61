// Sending through a map: what it gives back, for everything that can send and cannot.
import { EventEmitter, once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { PassThrough, Writable } from "node:stream";
import { MessageChannel, Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { createHost, SK_BUSY, SK_DROP, SK_PASS, type SockHash, u32 } from "../../../src/index.ts";
import { expectErrno } from "../../support/caught.ts";

const open = (): SockHash<number, object> =>
  createHost().createMap({ type: "sockhash", name: "m", key: u32, maxEntries: 100 });

const cleanup: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanup.splice(0)) clean();
});

async function connection(): Promise<{ client: Socket; served: Socket }> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = connect((server.address() as { port: number }).port, "127.0.0.1");
  const [[served]] = await Promise.all([once(server, "connection"), once(client, "connect")]);
  cleanup.push(() => {
    client.destroy();
    served.destroy();
    server.close();
  });
  return { client, served };
}

describe("redirect", () => {
  it("has the kernel's verdicts, and one more", () => {
    expect([SK_DROP, SK_PASS, SK_BUSY]).toEqual([0, 1, 2]);
  });

  it("drops what is for nobody", () => {
    const map = open();
    expect(map.redirect(1, "data")).toBe(SK_DROP);
    map.set(1, new PassThrough()).delete(1);
    expect(map.redirect(1, "data")).toBe(SK_DROP);
  });

  it("net.Socket: the bytes arrive", async () => {
    const map = open();
    const { client, served } = await connection();
    map.set(1, client);
    expect(map.redirect(1, "one ")).toBe(SK_PASS);
    expect(map.redirect(1, new TextEncoder().encode("two"))).toBe(SK_PASS);
    client.end();
    expect(map.redirect(1, "three")).toBe(SK_DROP);
    let text = "";
    for await (const chunk of served) text += chunk;
    expect(text).toBe("one two");
  });

  it("net.Socket: says when its buffer is full, and drains", async () => {
    const map = open();
    const { client, served } = await connection();
    map.set(1, client);
    const chunk = new Uint8Array(64 * 1024).fill(7);
    let sent = 0;
    let action: number;
    do {
      action = map.redirect(1, chunk);
      sent += chunk.length;
    } while (action === SK_PASS && sent < 64 * 1024 * 1024);
    expect(action).toBe(SK_BUSY);
    let received = 0;
    served.on("data", (data: Uint8Array) => {
      received += data.length;
    });
    await once(client, "drain");
    expect(map.redirect(1, "!")).toBe(SK_PASS);
    client.end();
    await once(served, "end");
    expect(received).toBe(sent + 1);
  });

  it("net.Socket: drops between destroy() and close", async () => {
    const map = open();
    const { client } = await connection();
    map.set(1, client);
    client.destroy();
    expect([map.redirect(1, "late"), map.has(1)]).toEqual([SK_DROP, true]);
    await once(client, "close");
    expect([map.redirect(1, "late"), map.has(1)]).toEqual([SK_DROP, false]);
  });

  it("net.Socket: keeps what is sent before it has connected", async () => {
    const map = open();
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    const client = connect((server.address() as { port: number }).port, "127.0.0.1");
    map.set(1, client);
    // Its buffer counts as full until it has connected.
    expect(map.redirect(1, "early")).not.toBe(SK_DROP);
    client.end();
    const [served] = await once(server, "connection");
    let text = "";
    for await (const chunk of served) text += chunk;
    expect(text).toBe("early");
    server.close();
  });

  it("MessagePort and Worker: messages arrive", async () => {
    const map = open();
    const { port1, port2 } = new MessageChannel();
    const echo =
      'const { parentPort } = require("node:worker_threads"); parentPort.once("message", (m) => parentPort.postMessage(m))';
    const worker = new Worker(echo, { eval: true });
    map.set(1, port1).set(2, worker);
    expect([map.redirect(1, { a: 1 }), map.redirect(2, [2])]).toEqual([SK_PASS, SK_PASS]);
    const [[one], [two]] = await Promise.all([once(port2, "message"), once(worker, "message")]);
    expect([one, two]).toEqual([{ a: 1 }, [2]]);
    port1.close();
    await worker.terminate();
  });

  it("WebSocket: only when it is open", () => {
    const map = open();
    const sent: unknown[] = [];
    const socket = {
      readyState: 0,
      send(data: unknown) {
        if (this.readyState !== 1) throw new Error("InvalidStateError");
        sent.push(data);
      },
      close() {},
    };
    map.set(1, socket);
    expect(map.redirect(1, "connecting")).toBe(SK_DROP);
    socket.readyState = 1;
    expect(map.redirect(1, "open")).toBe(SK_PASS);
    socket.readyState = 2;
    expect(map.redirect(1, "closing")).toBe(SK_DROP);
    expect(sent).toEqual(["open"]);
  });

  it("prefers write, then postMessage, then send, and calls them as methods", () => {
    const map = open();
    const calls: [string, unknown][] = [];
    const method = (name: string, result?: unknown) =>
      function (this: unknown, data: unknown) {
        calls.push([name, data]);
        expect(this).toBe(map.get(1));
        return result;
      };
    map.set(1, { write: method("write", true), postMessage: method("post"), send: method("send") });
    expect(map.redirect(1, 1)).toBe(SK_PASS);
    map.set(1, { postMessage: method("post"), send: method("send") });
    expect(map.redirect(1, 2)).toBe(SK_PASS);
    map.set(1, { send: method("send", false) });
    expect(map.redirect(1, 3)).toBe(SK_BUSY);
    expect(calls).toEqual([
      ["write", 1],
      ["post", 2],
      ["send", 3],
    ]);
  });

  it("says when an object cannot send", () => {
    const map = open();
    map.set(1, new EventEmitter());
    const { message, operation, syscall } = expectErrno(() => map.redirect(1, "x"), "EOPNOTSUPP");
    expect(message).toBe(
      'redirect: map "m" has an object there that cannot send: it has no write, postMessage or send (EOPNOTSUPP)',
    );
    // No command of bpf(2), but a helper of programs.
    expect([operation, syscall]).toEqual(["redirect", undefined]);
  });

  it("passes on what the object throws, and stays as it was", () => {
    const map = open();
    map.set(1, new PassThrough()).set(2, new MessageChannel().port1);
    expect(() => map.redirect(1, 5)).toThrow(/The "chunk" argument must be/);
    expect(() => map.redirect(2, () => {})).toThrow(/could not be cloned/);
    expect(map.size).toBe(2);
    for (const [, port] of map) (port as { close?(): void }).close?.();
  });

  it("drops for streams that have ended or failed", async () => {
    const map = open();
    const ended = new PassThrough();
    ended.end();
    const failed = new Writable({ write: (_chunk, _encoding, done) => done(new Error("broken")) });
    failed.on("error", () => {});
    map.set(1, ended).set(2, failed);
    expect(map.redirect(1, "x")).toBe(SK_DROP);
    map.redirect(2, "x");
    await once(failed, "error");
    expect(map.redirect(2, "x")).toBe(SK_DROP);
  });
});
