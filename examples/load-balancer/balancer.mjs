// A TCP balancer. The clients of one address go to one backend, as long as that lives; then to another.
//
// Clients are told apart by the address in a PROXY protocol header, version 1, as a balancer behind another one gets it
// (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt): "PROXY TCP4 10.0.0.7 127.0.0.1 4242 80\r\n".
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { createHost, SK_BUSY, SK_DROP } from "bpfmap";
import { createMaps } from "./maps.mjs";

const LOOPBACK = "127.0.0.1";
/** The longest header of version 1, in bytes. */
const HEADER_MAX = 107;
/** ms without a byte after which a connection is given up. */
const IDLE = 15_000;

const HEADER = /^PROXY TCP4 (\d+)\.(\d+)\.(\d+)\.(\d+) \S+ \d+ \d+\r\n/;

function toU32(bytes) {
  return bytes.reduce((address, byte) => address * 256 + Number(byte), 0);
}

export class Balancer {
  host = createHost();
  /** Times that a side had to wait for the other one's buffer. */
  waits = 0;
  #server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  /** Connections that have not sent their header yet. */
  #waiting = new Set();

  /** @param ports where the backends listen */
  constructor(ports) {
    this.ports = ports;
    Object.assign(this, createMaps(this.host, ports.length));
  }

  /** Puts the backends into service and listens; the port. */
  async start() {
    await Promise.all(this.ports.map((port, index) => this.#enlist(port, index)));
    await once(this.#server.listen(0, LOOPBACK), "listening");
    return this.#server.address().port;
  }

  /** A backend is in service as long as this connection is open. Nothing has to be done when it closes: all maps forget it. */
  async #enlist(port, index) {
    const backend = connect(port, LOOPBACK);
    await once(backend, "connect");
    backend.on("error", () => {});
    backend.resume();
    this.counters.set(port, { clients: 0, connections: 0, received: 0, sent: 0 });
    this.backends.set(index, backend);
  }

  /** The backend of a client: where it was, or else the one that has got the fewest clients. */
  #backendOf(address) {
    const known = this.sticky.get(address);
    if (known !== undefined) return known;
    let best;
    let fewest = Number.POSITIVE_INFINITY;
    for (const backend of this.backends.values()) {
      const { clients } = this.counters.get(backend.remotePort);
      if (clients < fewest) [best, fewest] = [backend, clients];
    }
    if (best === undefined) return undefined;
    this.sticky.set(address, best);
    this.counters.add(best.remotePort, 1, { field: "clients" });
    return best;
  }

  /** Reads the header of a new connection. */
  #accept(client) {
    let head = Buffer.alloc(0);
    this.#waiting.add(client);
    client.on("close", () => this.#waiting.delete(client));
    client.on("error", () => {});
    client.setTimeout(IDLE, () => client.destroy());
    const read = (chunk) => {
      head = Buffer.concat([head, chunk]);
      const header = HEADER.exec(head.toString("latin1", 0, HEADER_MAX));
      if (header !== null) {
        client.off("data", read);
        client.pause();
        this.#waiting.delete(client);
        this.#join(client, toU32(header.slice(1, 5)), head.subarray(header[0].length));
      } else if (head.length >= HEADER_MAX) client.destroy();
    };
    client.on("data", read);
  }

  /** Joins a client with its backend. */
  #join(client, address, rest) {
    const backend = this.#backendOf(address);
    if (backend === undefined) {
      client.destroy();
      return;
    }
    const port = backend.remotePort;
    const upstream = connect({ port, host: LOOPBACK, allowHalfOpen: true });
    // It does not answer any more, though the connection to it has not closed yet.
    upstream.on("error", ({ code }) => code === "ECONNREFUSED" && backend.destroy());
    upstream.setTimeout(IDLE, () => upstream.destroy());
    const key = { address: toU32(client.remoteAddress.split(".")), port: client.remotePort };
    this.toBackend.set(key, upstream);
    this.toClient.set(key, client);
    this.counters.add(port, 1, { field: "connections" });
    this.#pass(client, upstream, this.toBackend, key, port, "received");
    this.#pass(upstream, client, this.toClient, key, port, "sent");
    if (rest.length > 0) client.unshift(rest);
    client.resume();
  }

  /** Passes on what comes from one side, through the map that has the other, and its end. */
  #pass(from, to, map, key, port, field) {
    from.on("data", (chunk) => {
      const action = map.redirect(key, chunk);
      if (action === SK_DROP) return from.destroy();
      this.counters.add(port, chunk.length, { field });
      if (action === SK_BUSY) {
        this.waits++;
        from.pause();
        to.once("drain", () => from.resume());
      }
    });
    from.on("end", () => to.end());
    // Closed without an end: the other side is to know that something is missing.
    from.on("close", () => from.readableEnded || to.destroy());
  }

  /** Waits until all connections of clients have closed, and takes no more. */
  async drain() {
    this.#server.close();
    await once(this.#server, "close");
    for (const socket of this.toBackend.values())
      await new Promise((resolve) => socket.once("close", resolve));
  }

  /** Lets go of everything. Calling it again does nothing. */
  close() {
    if (this.host.closed) return;
    this.#server.close();
    for (const map of [this.backends, this.toBackend, this.toClient])
      for (const socket of map.values()) socket.destroy();
    for (const client of this.#waiting) client.destroy();
    this.host.close();
  }
}
