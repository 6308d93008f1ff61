// The workers of one contender, as the main thread sees them.
import { Worker } from "node:worker_threads";
import { newPairs } from "./pairs.mjs";

/** How long a worker may be silent, in ms, beyond the time that it was given: it may have to fill a map, or hang for ever. */
const PATIENCE = 120_000;

/** One worker. It gets one request at a time. */
class Hand {
  #worker;
  #waiting;
  #failure;

  constructor(worker) {
    this.#worker = worker;
    worker.on("message", (message) => this.#settle("resolve", message));
    worker.on("error", (error) => this.#fail(error));
    worker.on("exit", () => this.#fail(new Error("a thread ended too early")));
  }

  /** Its next message. Throws when it fails or keeps silent. */
  next(ms = PATIENCE) {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const silent = () =>
        this.#fail(new Error(`a thread did not answer within ${Math.round(ms / 1000)} seconds`));
      this.#waiting = { resolve, reject, timer: setTimeout(silent, ms) };
    });
  }

  send(message) {
    this.#worker.postMessage(message);
  }

  async ask(request, task = {}) {
    this.send({ request, ...task });
    return (await this.next()).answer;
  }

  /** Lets it end by itself, so that it can clear up, unless something went wrong: then it may be waiting for ever. */
  async close(orderly) {
    if (orderly && this.#failure === undefined) await this.ask("close").catch(() => {});
    await this.#worker.terminate();
  }

  #settle(how, result) {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    clearTimeout(waiting.timer);
    waiting[how](result);
  }

  #fail(error) {
    this.#failure ??= error;
    this.#settle("reject", error);
  }
}

export class Crew {
  #hands = [];
  #table;
  /** The number of the turn that has begun. */
  #start = new Int32Array(new SharedArrayBuffer(4));
  #pairs;
  #orderly = true;

  constructor(name) {
    this.name = name;
    /** What its threads can do. */
    this.methods = [];
  }

  /**
   * @param {string} name of the contender
   * @param {object} contender its module
   * @param {object} options of its `open`
   * @param {object[]} streams by name, for each of the threads
   * @param {string[]} methods that may be asked for
   */
  static async start(name, contender, options, streams, methods) {
    const crew = new Crew(name);
    try {
      await crew.#open(contender, options, streams, methods);
    } catch (error) {
      await crew.close();
      throw error;
    }
    return crew;
  }

  async #open(contender, options, streams, methods) {
    this.#table = await contender.open(options);
    this.#pairs = newPairs(Math.ceil(streams.length / 2));
    for (const [thread, own] of streams.entries()) {
      const { data: ticket, transfer = [] } = this.#table.ticket(thread);
      const worker = new Worker(new URL("./worker.mjs", import.meta.url), {
        workerData: {
          contender: this.name,
          thread,
          ticket,
          streams: own,
          start: this.#start,
          pairs: this.#pairs,
        },
        transferList: transfer,
      });
      this.#table.started?.(worker);
      this.#hands.push(new Hand(worker));
    }
    for (const hand of this.#hands) this.methods = await hand.ask("can", { methods });
  }

  /**
   * Lets the first threads run, all from the same moment on.
   *
   * @param {number} threads
   * @param {{ method: string, stream: string, seconds: number, group?: number }} task
   * @returns {Promise<{ operations: number, result: number, ms: number }[]>} of each of them
   */
  async turn(threads, task) {
    // Until it has ended well.
    this.#orderly = false;
    const hands = this.#hands.slice(0, threads);
    const number = this.#start[0] + 1;
    const ready = hands.map((hand) => hand.next());
    for (const hand of hands) hand.send({ request: "turn", number, ...task });
    await Promise.all(ready);
    const answers = hands.map((hand) => hand.next(PATIENCE + 1000 * task.seconds));
    Atomics.store(this.#start, 0, number);
    Atomics.notify(this.#start, 0);
    const results = (await Promise.all(answers)).map(({ answer }) => answer);
    this.#orderly = true;
    return results;
  }

  /** What a table of counters holds under each of the keys. */
  async counts(keys) {
    if (this.#table.counts !== undefined) return this.#table.counts(keys);
    const total = new Float64Array(keys.length);
    for (const hand of this.#hands) {
      const counts = await hand.ask("counts");
      for (let i = 0; i < total.length; i++) total[i] += counts[i];
    }
    return total;
  }

  bytes() {
    return this.#table.bytes?.();
  }

  async close() {
    await Promise.all(this.#hands.map((hand) => hand.close(this.#orderly)));
    await this.#table?.close();
  }
}
