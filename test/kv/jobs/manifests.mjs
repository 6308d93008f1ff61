// The two manifests that the threads of these tests roll back and forth. In v1 all of `x`, `y` and `z` are the same, and so they are in
// v2, a thousand more; `n0` and `n1` are counters, each of one thread.
import { cstring, f64, u32 } from "bpfmap";

const up = { codec: f64, convert: (old) => old + 1000, revert: (value) => value - 1000 };
const down = { codec: u32, default: 7, convert: (old) => old - 1000, revert: (value) => value + 1000 };
const wide = { codec: f64, convert: (old) => old, revert: (value) => value };
const narrow = { codec: u32, convert: (old) => old, revert: (value) => value };

export const v1 = {
  pairs: { x: down, n0: narrow, y: down, n1: narrow, z: down, only1: { codec: cstring(40), default: "v1" } },
};
export const v2 = {
  pairs: { n1: wide, x: up, y: up, z: up, n0: wide, only2: { codec: cstring(50), default: "v2" } },
};
