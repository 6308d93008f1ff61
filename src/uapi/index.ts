/**
 * The kernel's own interface: constants, attributes and structs byte for byte, errno names, and libbpf's functions over
 * `host.bpf()`. For C programs that move to JavaScript, and for tests that compare a host with a kernel.
 *
 * @module
 * @example
 * ```ts
 * import { createHost } from "bpfmap";
 * import { BPF_MAP_CREATE, BPF_MAP_TYPE_RHASH, BPF_ATTR_MAP_CREATE, errnoName, writeStruct } from "bpfmap/uapi";
 *
 * const host = createHost();
 * const map = { map_type: BPF_MAP_TYPE_RHASH, key_size: 4, value_size: 8, max_entries: 1000 };
 * console.log(errnoName(host.bpf(BPF_MAP_CREATE, writeStruct(BPF_ATTR_MAP_CREATE, map)))); // EINVAL
 * console.log(host.bpf(BPF_MAP_CREATE, writeStruct(BPF_ATTR_MAP_CREATE, { ...map, map_flags: 1 }))); // 3
 * ```
 */
export * from "./abi/attr.ts";
export * from "./abi/constants.ts";
export { ERRNO, errnoName } from "./abi/errno.ts";
export {
  type Field,
  type FieldKind,
  readStruct,
  type StructInput,
  type StructOutput,
  type UapiStruct,
  writeStruct,
} from "./abi/struct.ts";
export * from "./libbpf.ts";
