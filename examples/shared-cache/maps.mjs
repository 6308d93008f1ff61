// The layouts that the threads agree on.
import { cstring, struct, u32, u53 } from "bpfmap";

/** What the cache keeps of a page: the round of the main thread's clock in which it was made, and its text. */
export const CACHE = {
  type: "rhash",
  key: u32,
  value: struct({ round: u32, text: cstring(120) }),
};
/** The clock, and whether it is time to stop. */
export const CLOCK = { type: "array", key: u32, value: u32 };
export const ROUND = 0;
export const STOP = 1;
/** What each worker has met. */
export const STATS = {
  type: "percpu_array",
  key: u32,
  value: struct({ hits: u53, misses: u53, refused: u53 }),
};
