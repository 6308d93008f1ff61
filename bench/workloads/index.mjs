/** All workloads, in the order in which `all` runs them. */
export const WORKLOADS = {
  operations: () => import("./operations.mjs"),
  "hashmap-lookup": () => import("./hashmap_lookup.mjs"),
  "hashmap-full-update": () => import("./hashmap_full_update.mjs"),
  "rhashmap-full-update": () => import("./rhashmap_full_update.mjs"),
  "htab-mem": () => import("./htab_mem.mjs"),
  "rhtab-mem": () => import("./rhtab_mem.mjs"),
  "batch-walk": () => import("./batch_walk.mjs"),
  drain: () => import("./drain.mjs"),
  mixed: () => import("./mixed.mjs"),
  "warm-up": () => import("./warm_up.mjs"),
  memory: () => import("./memory.mjs"),
  "grow-pause": () => import("./grow_pause.mjs"),
  capacity: () => import("./capacity.mjs"),
  counters: () => import("./counters.mjs"),
};
