import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import { GROUP } from "./sizes.mjs";

export const name = "post-message";
export const title = "a JS Map in a worker of its own; the threads send it requests and wait for each answer";

class Table {
  #owner;

  constructor({ size, keys, kind }) {
    const fill = kind === "values" ? keys.subarray(0, size) : new Uint32Array(0);
    this.#owner = new Worker(new URL("../owner.mjs", import.meta.url), { workerData: { keys: fill } });
  }

  ticket() {
    const { port1, port2 } = new MessageChannel();
    this.#owner.postMessage({ port: port1 }, [port1]);
    return { data: port2, transfer: [port2] };
  }

  async counts(keys) {
    this.#owner.postMessage({ keys });
    const [counts] = await once(this.#owner, "message");
    return counts;
  }

  async close() {
    await this.#owner.terminate();
  }
}

export const open = (options) => new Table(options);

const sum = (values) => {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
};

/** Requests are as small as they can be: see bench/threads/owner.mjs. */
class Subject {
  #port;
  #resolve;

  constructor(port) {
    this.#port = port;
    port.on("message", (answer) => this.#resolve(answer));
  }

  async get({ keys }, from, to) {
    let total = 0;
    for (let i = from; i < to; i++) total += await this.#ask(keys[i]);
    return total;
  }

  async getGroup({ keys }, from, to) {
    let total = 0;
    for (let start = from; start < to; start += GROUP) {
      total += sum(await this.#ask({ get: keys.slice(start, start + GROUP) }));
    }
    return total;
  }

  async mixed({ keys, values, writes }, from, to) {
    let total = 0;
    for (let i = from; i < to; i++) {
      if (writes[i] === 1) await this.#ask([keys[i], values[i]]);
      else total += await this.#ask(keys[i]);
    }
    return total;
  }

  async mixedGroup({ keys, values, writes }, from, to) {
    let total = 0;
    for (let start = from; start < to; start += GROUP) {
      const end = start + GROUP;
      const mixed = keys.slice(start, end);
      const answer = this.#ask({ mixed, values: values.slice(start, end), writes: writes.slice(start, end) });
      total += sum(await answer);
    }
    return total;
  }

  async add({ keys }, from, to) {
    for (let i = from; i < to; i++) await this.#ask([keys[i]]);
    return to - from;
  }

  async addGroup({ keys }, from, to) {
    for (let start = from; start < to; start += GROUP)
      await this.#ask({ add: keys.slice(start, start + GROUP) });
    return to - from;
  }

  insert({ keys, values }, from, to) {
    return this.#ask({ insert: keys.slice(from, to), values: values.slice(from, to) });
  }

  remove({ keys }, from, to) {
    return this.#ask({ remove: keys.slice(from, to) });
  }

  close() {
    this.#port.close();
  }

  #ask(request) {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#port.postMessage(request);
    });
  }
}

export const attach = (port) => new Subject(port);
