// The settings of a rate limiter, so that limit and window belong together: in v1 the limit is in requests a second and the window in ms,
// in v2 the limit is in microseconds a request, and the window is a struct of two halves.
import { cstring, struct, u16, u32, u53 } from "bpfmap";

export const v1 = {
  pairs: {
    limit: { codec: u32, default: 2000 },
    window: { codec: u32, default: 60_000 },
    requests: { codec: u32 },
    comment: { codec: cstring(24), default: "first" },
  },
};

export const v2 = {
  pairs: {
    limit: {
      codec: u32,
      version: 2, // the layout of before, in another unit
      convert: (perSecond) => 1_000_000 / perSecond,
      revert: (microseconds) => 1_000_000 / microseconds,
    },
    window: {
      codec: struct({ open: u16, closed: u16 }),
      convert: (window) => ({ open: window / 2, closed: window / 2 }),
      revert: ({ open, closed }) => open + closed,
    },
    requests: { codec: u53 }, // wider: it grows by itself
    zone: { codec: cstring(8), default: "eu" },
  },
};

/** Whether values that were read together belong to one manifest. Whoever changes a limit changes nothing of this. */
export function isWhole(values, manifest) {
  if (manifest === v1) return values.limit >= 1000 && values.window === 60_000 && values.comment === "first";
  return values.limit <= 1000 && values.window.open + values.window.closed === 60_000 && values.zone === "eu";
}
