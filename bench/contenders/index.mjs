/** All contenders, ours first; loaded when they take part. */
export const CONTENDERS = {
  bpfmap: () => import("./bpfmap.mjs"),
  "bpfmap-syscall": () => import("./bpfmap_syscall.mjs"),
  "bpfmap-shared": () => import("./bpfmap_shared.mjs"),
  "js-map": () => import("./js_map.mjs"),
  "js-map-int32": () => import("./js_map_int32.mjs"),
  "js-map-string": () => import("./js_map_string.mjs"),
  "open-addressing": () => import("./open_addressing.mjs"),
  "hashbrown-wasm": () => import("./hashbrown.mjs"),
  "kernel-bpf": () => import("./kernel.mjs"),
  "kernel-bpf-noprealloc": () => import("./kernel_noprealloc.mjs"),
  "kernel-syscall": () => import("./kernel_syscall.mjs"),
  "lru-cache": () => import("./lru_cache.mjs"),
  mnemonist: () => import("./mnemonist.mjs"),
  sharedmap: () => import("./sharedmap.mjs"),
  lmdb: () => import("./lmdb.mjs"),
  ronomon: () => import("./ronomon.mjs"),
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
