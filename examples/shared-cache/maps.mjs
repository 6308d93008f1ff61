// The layouts that the threads agree on.
import { cstring, struct, u32, u53 } from "bpfmap";

/** What the cache keeps of a page: its text. How long, the thread says that makes the map. */
export const CACHE = { type: "lru_hash", key: u32, value: cstring(120) };
/** Whether it is time to stop. */
export const STOP = { type: "array", key: u32, value: u32 };
/** What each worker has met. */
export const STATS = { type: "percpu_array", key: u32, value: struct({ hits: u53, misses: u53 }) };
