// examples/load-balancer with real traffic: bytes arrive intact, clients stay where they are until their backend is killed, counters
// add up, and nothing is left behind.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { BUILD_MS, builtRoot } from "../../support/built.ts";
import { bySize } from "../../support/size.ts";

const run = promisify(execFile);
const folder = new URL("../../../examples/load-balancer/", import.meta.url);
const MAIN = fileURLToPath(new URL("main.mjs", folder));
const load = (name: string) => import(/* @vite-ignore */ new URL(name, folder).href);

interface Traffic {
  connections: number;
  received: number;
  sent: number;
}

beforeAll(() => void builtRoot(), BUILD_MS);

describe("the scenario", () => {
  it("keeps every byte and every client through the death of a backend", async () => {
    const { runScenario } = await load("scenario.mjs");
    const clients = 20;
    const each = bySize(3, 15);
    const made = clients * each;
    const report = await runScenario({ backends: 3, clients, connections: each, requests: 4 });
    // Every answer was compared, byte by byte, with the request.
    expect(report).toMatchObject({ clients, connections: made, answered: 4 * made, problems: [] });
    expect(report.bytes).toBe(made * (3 * 4096 + 128 * 1024));
    // Each client has met one backend, or first the one that was killed and then one other.
    const path: number[][] = report.path;
    for (const numbers of path) {
      if (numbers.length !== 1) expect([numbers.length, numbers[0]]).toEqual([2, 0]);
    }
    expect(path.filter((numbers) => numbers.length === 2).length).toBeGreaterThan(0);
    expect(path.every((numbers) => numbers.at(-1) !== 0)).toBe(true);
    // What the balancer has counted is what the backends have seen.
    const [killed, ...alive] = report.backends as { killed: boolean; counted: Traffic; reported?: Traffic }[];
    expect([killed.killed, killed.reported]).toEqual([true, undefined]);
    for (const { counted, reported } of alive) expect(counted).toMatchObject(reported!);
    const connections = [killed, ...alive].reduce((sum, { counted }) => sum + counted.connections, 0);
    // Some are tried in vain before the death is noticed.
    expect(connections).toBeGreaterThanOrEqual(made);
    expect(connections).toBeLessThanOrEqual(made + report.retries);
    const received = [killed, ...alive].reduce((sum, { counted }) => sum + counted.received, 0);
    expect(received).toBeGreaterThanOrEqual(report.bytes + 4 * made * 4);
    // The dead one is in no map, and no connection is.
    expect(report.maps).toMatchObject({
      backends: { size: 2, maxEntries: 3 },
      sticky: { size: clients, maxEntries: 32 },
      toBackend: { size: 0 },
      toClient: { size: 0 },
    });
    // The maps have one listener on a backend, that of the socket itself aside.
    for (const listeners of report.listeners) expect(listeners).toBeLessThanOrEqual(2);
    // Large requests filled buffers, and nobody sent into a full one.
    expect(report.waits).toBeGreaterThan(0);
  });

  it("needs no second backend when none dies", async () => {
    const { runScenario } = await load("scenario.mjs");
    const report = await runScenario({ backends: 1, clients: 4, connections: 5, requests: 2 });
    expect(report).toMatchObject({ connections: 20, answered: 40, retries: 0 });
    expect(report.backends[0].counted).toMatchObject(report.backends[0].reported);
  });
});

describe("the balancer", () => {
  interface Backend {
    server: Server;
    sockets: Set<Socket>;
    port: number;
  }
  const cleanup: (() => unknown)[] = [];
  afterEach(async () => {
    for (const clean of cleanup.splice(0).reverse()) await clean();
  });

  /** A backend that says its name, then sends back what it gets. */
  async function backend(name: string): Promise<Backend> {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("data", () => socket.write(name));
      socket.pipe(socket);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const kill = () => {
      server.close();
      for (const socket of sockets) socket.resetAndDestroy();
    };
    cleanup.push(kill);
    return { server, sockets, port: (server.address() as AddressInfo).port };
  }

  async function start(names: string) {
    const { Balancer } = await load("balancer.mjs");
    const backends = await Promise.all([...names].map(backend));
    const balancer = new Balancer(backends.map(({ port }) => port));
    cleanup.push(() => balancer.close());
    return { balancer, backends, port: (await balancer.start()) as number };
  }

  /** What comes back for some text; undefined when the connection is cut. */
  async function ask(port: number, address: string, text: string): Promise<string | undefined> {
    const socket = connect(port, "127.0.0.1");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    let answer = "";
    let ended = false;
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("error", () => {});
    socket.on("end", () => {
      ended = true;
    });
    // In pieces, of which the header is in several.
    for (const piece of `PROXY TCP4 ${address} 127.0.0.1 1 80\r\n${text}`.match(/.{1,20}|\r\n/gs)!) {
      socket.write(piece);
      await setTimeout(1);
    }
    socket.end();
    await closed;
    return ended && answer !== "" ? answer : undefined;
  }

  it("spreads clients, and keeps each where it is", async () => {
    const { port, balancer } = await start("abc");
    const clients = Array.from({ length: 9 }, (_, i) => `10.0.0.${i}`);
    const first = [];
    for (const address of clients) first.push(await ask(port, address, "-1"));
    expect(first.toSorted()).toEqual(["a-1", "a-1", "a-1", "b-1", "b-1", "b-1", "c-1", "c-1", "c-1"]);
    const second = await Promise.all(clients.map((address) => ask(port, address, "-1")));
    expect(second).toEqual(first);
    expect([balancer.sticky.size, balancer.toBackend.size, balancer.toClient.size]).toEqual([9, 0, 0]);
  });

  it("sends the clients of a dead backend to the others, and the others where they were", async () => {
    const { port, balancer, backends } = await start("ab");
    const clients = Array.from({ length: 6 }, (_, i) => `10.0.0.${i}`);
    const before = [];
    for (const address of clients) before.push(await ask(port, address, ""));
    // Nothing was sent, so nothing came back.
    expect(before).toEqual(Array(6).fill(undefined));
    for (const address of clients) await ask(port, address, "?");
    const [dead] = backends;
    const watched = balancer.backends.get(0) as Socket;
    dead.server.close();
    for (const socket of dead.sockets) socket.resetAndDestroy();
    if (!watched.closed) await new Promise((resolve) => watched.once("close", resolve));
    expect([balancer.backends.size, balancer.sticky.size]).toEqual([1, 3]);
    for (const address of clients) expect(await ask(port, address, "?")).toBe("b?");
    expect(balancer.sticky.size).toBe(6);
  });

  it("cuts the clients when the last backend is dead, and those without a header", async () => {
    const { port, balancer, backends } = await start("a");
    const watched = balancer.backends.get(0) as Socket;
    while (backends[0].sockets.size === 0) await setTimeout(1);
    backends[0].server.close();
    for (const socket of backends[0].sockets) socket.destroy();
    if (!watched.closed) await new Promise((resolve) => watched.once("close", resolve));
    expect(await ask(port, "10.0.0.1", "?")).toBeUndefined();
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.resume();
    socket.write("x".repeat(200));
    await new Promise((resolve) => socket.once("close", resolve));
    expect([balancer.toBackend.size, balancer.sticky.size]).toEqual([0, 0]);
  });

  it("lets everything go when it is closed in the middle of a connection", async () => {
    const { port, balancer } = await start("a");
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("PROXY TCP4 10.0.0.1 127.0.0.1 1 80\r\nhello");
    await once(socket, "data");
    const [kept] = balancer.backends.values();
    expect(balancer.toBackend.size).toBe(1);
    balancer.close();
    await new Promise((resolve) => socket.once("close", resolve));
    expect([balancer.host.closed, kept.listenerCount("close")]).toEqual([true, 0]);
  });
});

describe("the program", () => {
  it("prints a summary for people, and everything for programs", async () => {
    const args = ["--backends", "2", "--clients", "4", "--connections", "3", "--requests", "2"];
    const { stdout, stderr } = await run(process.execPath, [MAIN, ...args, "--json"], { timeout: 30_000 });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({ clients: 4, connections: 12, answered: 24, problems: [] });
  });

  it("has help, and refuses options it does not know", async () => {
    const { stdout } = await run(process.execPath, [MAIN, "--help"]);
    expect(stdout).toMatch(/^usage: node examples\/load-balancer\/main\.mjs/);
    const few = [["--clients", "0"], ["--wrong"]];
    for (const args of bySize(few.slice(1), [...few, ["--clients", "x"]])) {
      const failed = await run(process.execPath, [MAIN, ...args]).catch((error) => error);
      expect([failed.code, failed.stdout]).toEqual([1, ""]);
      expect(failed.stderr).toMatch(/clients: expected an integer 1\.\.256|Unknown option/);
    }
  });
});
