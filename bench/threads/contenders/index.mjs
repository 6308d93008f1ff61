import { CONTENDERS } from "../../contenders/index.mjs";

/**
 * All contenders that run in threads, ours first. Of each module:
 *
 * - `name`, `title`, and `mostEntries` where more would take too long;
 * - `open(options)`, on the main thread: the table. `ticket(thread)` gives what a worker needs, `{ data, transfer }`; `started(worker)`
 *   is told of each worker; `counts(keys)` of a table of counters, where the threads have one; `bytes()`; `close()`.
 *   Options: `size`, `keys` and `threads`; `kind`, which is "values" (key number i has the value i), "counters" (of each thread in its
 *   own slot, where there is such a thing), or "empty"; `type` of the maps of bpfmap, where it is not that of the kind; and for "empty" `maxEntries` and `flags`;
 * - `attach(data)`, in a worker: a subject as in bench/threads/contenders/map_subject.mjs.
 */
export const THREAD_CONTENDERS = {
  bpfmap: () => import("./bpfmap.mjs"),
  "bpfmap-unshared": () => import("./bpfmap_unshared.mjs"),
  sharedmap: () => import("./sharedmap.mjs"),
  lmdb: () => import("./lmdb.mjs"),
  "post-message": () => import("./post_message.mjs"),
  "js-map": () => import("./js_map.mjs"),
};

/** Those that run nowhere else. */
export const ONLY_THREADS = Object.keys(THREAD_CONTENDERS).filter((name) => !(name in CONTENDERS));
