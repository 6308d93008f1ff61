// A client: connects again and again from one address, sends requests and compares the answers.
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { Frames, frame } from "./frames.mjs";

const MOST_RETRIES = 100;
const RETRY_MS = 20;
/** Every so many requests are large enough to fill the buffers on the way. */
const LARGE_EVERY = 4;
const SMALL_BYTES = 4096;
const LARGE_BYTES = 128 * 1024;

export class Client {
  /** Requests that were answered right, their bytes, and connections that were cut. */
  answered = 0;
  bytes = 0;
  retries = 0;
  /** Numbers of the backends that have answered, one after the other. */
  backends = [];
  #random;

  constructor(port, number) {
    this.port = port;
    this.address = `10.0.${number >>> 8}.${number & 255}`;
    this.#random = number + 1;
  }

  /** One connection with so many requests; those that a cut leaves without an answer are sent again. */
  async session(requests) {
    const payloads = Array.from({ length: requests }, (_, i) => this.#payload(i));
    while (payloads.length > 0) {
      if (await this.#connection(payloads)) return;
      if (++this.retries > MOST_RETRIES) throw new Error(`client ${this.address} gets no answer`);
      await setTimeout(RETRY_MS);
    }
  }

  /** Takes each payload away that was answered. Whether all were, and the connection ended as it should. */
  async #connection(payloads) {
    const socket = connect(this.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(`PROXY TCP4 ${this.address} 127.0.0.1 4242 80\r\n`);
    for (const payload of payloads) socket.write(frame(payload));
    socket.end();
    const frames = new Frames();
    socket.on("data", (chunk) => {
      for (const answer of frames.push(chunk)) this.#check(answer, payloads.shift());
    });
    await new Promise((resolve) => socket.once("close", resolve));
    return payloads.length === 0;
  }

  #check(answer, payload) {
    if (payload === undefined || !answer.subarray(1).equals(payload)) {
      throw new Error(`client ${this.address} got a wrong answer`);
    }
    this.answered++;
    this.bytes += payload.length;
    if (this.backends.at(-1) !== answer[0]) this.backends.push(answer[0]);
  }

  /** Bytes that differ from client to client and from request to request (xorshift32, Marsaglia 2003). */
  #payload(index) {
    const words = new Uint32Array((index % LARGE_EVERY === LARGE_EVERY - 1 ? LARGE_BYTES : SMALL_BYTES) / 4);
    for (let i = 0; i < words.length; i++) {
      this.#random ^= this.#random << 13;
      this.#random ^= this.#random >>> 17;
      this.#random ^= this.#random << 5;
      words[i] = this.#random;
    }
    return Buffer.from(words.buffer);
  }
}
