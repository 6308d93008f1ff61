// A sliding window per client: at most `limit` requests within `window` ms, estimated from the counts of this window and the last one.
import { struct, text, u32 } from "bpfmap";

/**
 * What the limiter counts in. Each client has a count for each window. Those of windows that are over are not used any more, so they are what
 * a full map evicts: nothing has to be cleared up, and no number of clients takes more memory.
 */
export const COUNTS = {
  type: "lru_hash",
  key: struct({ client: u32, window: u32 }),
  value: u32,
  eviction: "recency",
};
/** How many requests of each client were let through, by window: for the report of this example. */
export const ADMITTED = { type: "rhash", key: text(32), value: u32 };

export class RateLimiter {
  #counts;
  #limit;
  #window;

  constructor(counts, { limit, window }) {
    this.#counts = counts;
    this.#limit = limit;
    this.#window = window;
  }

  /** Whether a request of a client at a time (ms) is within its limit; then it counts. */
  allow(client, now) {
    const window = Math.floor(now / this.#window);
    const isOver = (now % this.#window) / this.#window;
    // One step, whatever other threads do: two of them never get the same count.
    const count = this.#counts.add({ client, window }, 1);
    const before = this.#counts.get({ client, window: window - 1 }) ?? 0;
    if (count + before * (1 - isOver) <= this.#limit) return true;
    this.#counts.add({ client, window }, -1);
    return false;
  }
}
