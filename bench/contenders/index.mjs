/** All contenders, ours first; loaded when they take part. */
export const CONTENDERS = {
  bpfmap: () => import("./bpfmap.mjs"),
  "bpfmap-syscall": () => import("./bpfmap_syscall.mjs"),
  "bpfmap-shared": () => import("./bpfmap_shared.mjs"),
  "bpfmap-filter": () => import("./bpfmap_filter.mjs"),
  "js-map": () => import("./js_map.mjs"),
  "js-map-int32": () => import("./js_map_int32.mjs"),
  "js-map-string": () => import("../peers/js_map_string.mjs"),
  "open-addressing": () => import("./open_addressing.mjs"),
  "hashbrown-wasm": () => import("./hashbrown.mjs"),
  "kernel-bpf": () => import("./kernel.mjs"),
  "kernel-bpf-noprealloc": () => import("./kernel_noprealloc.mjs"),
  "kernel-syscall": () => import("./kernel_syscall.mjs"),
  "lru-cache": () => import("../peers/lru_cache.mjs"),
  mnemonist: () => import("../peers/mnemonist.mjs"),
  sharedmap: () => import("../peers/sharedmap.mjs"),
  lmdb: () => import("../peers/lmdb.mjs"),
  ronomon: () => import("../peers/ronomon.mjs"),
};

/** Those that need no installation, and that a map from numbers to numbers is mostly compared with. */
export const DEFAULT_CONTENDERS = [
  "bpfmap",
  "js-map",
  "js-map-int32",
  "open-addressing",
  "hashbrown-wasm",
  "kernel-bpf",
];
