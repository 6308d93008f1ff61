import { createHost } from "../../dist/index.js";

/** The one host of the process: with several, the call sites of the library would see several cores and cost more. */
let host;

/** Whether the host may be shared with other threads: see bpfmap_shared.mjs. */
export let shared = false;

/** Before the host is made. */
export function shareBenchHost(share) {
  shared = share;
}

/** The host on which bpfmap is measured. */
export function benchHost(seed) {
  host ??= createHost({ seed, shared });
  return host;
}
