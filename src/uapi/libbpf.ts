/**
 * The functions of libbpf's bpf.h over `host.bpf`: the host comes first, pointers to buffers are `Uint8Array`s, and `__u32 *`
 * are `Uint32Array`s of which the first element counts. As in libbpf the result is 0 (or a file descriptor), or -errno.
 *
 * Buffers may lie anywhere: they are copied to one transfer buffer and back. `host.bpf` itself is for who has them in one
 * memory already.
 *
 * @module
 */
import type { Host } from "../host/host.ts";
import {
  BPF_ATTR_BATCH,
  BPF_ATTR_ELEM,
  BPF_ATTR_ID,
  BPF_ATTR_INFO,
  BPF_ATTR_MAP_CREATE,
  BPF_ATTR_OBJ,
} from "./abi/attr.ts";
import {
  BPF_MAP_CREATE,
  BPF_MAP_DELETE_BATCH,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_FREEZE,
  BPF_MAP_GET_FD_BY_ID,
  BPF_MAP_GET_NEXT_ID,
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_UPDATE_ELEM,
  BPF_OBJ_GET,
  BPF_OBJ_GET_INFO_BY_FD,
  BPF_OBJ_PIN,
} from "./abi/constants.ts";
import { readStruct, type StructInput, writeStruct } from "./abi/struct.ts";
import { Transfer } from "./commands/transfer.ts";

/** Further fields of MAP_CREATE. */
export type MapCreateOptions = Omit<
  StructInput<typeof BPF_ATTR_MAP_CREATE>,
  "map_type" | "map_name" | "key_size" | "value_size" | "max_entries"
>;

/** `struct bpf_map_batch_opts`. */
export interface MapBatchOptions {
  readonly elem_flags?: number | bigint;
  readonly flags?: number | bigint;
}

/**
 * Creates a map.
 *
 * @returns its file descriptor, or -errno
 * @example
 * ```ts
 * import { createHost } from "bpfmap";
 * import { BPF_ANY, BPF_MAP_TYPE_HASH, bpf_map_create, bpf_map_lookup_elem, bpf_map_update_elem } from "bpfmap/uapi";
 *
 * const host = createHost();
 * const fd = bpf_map_create(host, BPF_MAP_TYPE_HASH, "flows", 4, 8, 1000);
 * const value = new Uint8Array(8);
 * console.log(bpf_map_update_elem(host, fd, Uint8Array.of(1, 0, 0, 0), value.fill(9), BPF_ANY)); // 0
 * console.log(bpf_map_lookup_elem(host, fd, Uint8Array.of(1, 0, 0, 0), value), value[0]); // 0 9
 * console.log(bpf_map_lookup_elem(host, fd, Uint8Array.of(2, 0, 0, 0), value)); // -2
 * ```
 */
export function bpf_map_create(
  host: Host,
  map_type: number,
  map_name: string | null,
  key_size: number,
  value_size: number,
  max_entries: number,
  opts: MapCreateOptions = {},
): number {
  const sizes = { map_type, key_size, value_size, max_entries };
  return host.bpf(
    BPF_MAP_CREATE,
    writeStruct(BPF_ATTR_MAP_CREATE, { ...opts, ...sizes, map_name: map_name ?? "" }),
  );
}

/** Copies the value of a key to `value`, which takes `value_size` bytes, or of a per-CPU map those of all slots. */
export function bpf_map_lookup_elem(
  host: Host,
  fd: number,
  key: Uint8Array,
  value: Uint8Array,
  flags: number | bigint = 0,
): number {
  const transfer = new Transfer(host, fd);
  const attr = { map_fd: fd, key: transfer.key(key), value: transfer.value(value), flags };
  return transfer.call(BPF_MAP_LOOKUP_ELEM, writeStruct(BPF_ATTR_ELEM, attr), [value]);
}

/** Creates or overwrites: `BPF_ANY`, `BPF_NOEXIST` or `BPF_EXIST`. */
export function bpf_map_update_elem(
  host: Host,
  fd: number,
  key: Uint8Array,
  value: Uint8Array,
  flags: number | bigint,
): number {
  const transfer = new Transfer(host, fd);
  const attr = { map_fd: fd, key: transfer.key(key), value: transfer.value(value), flags };
  return transfer.call(BPF_MAP_UPDATE_ELEM, writeStruct(BPF_ATTR_ELEM, attr), []);
}

export function bpf_map_delete_elem(host: Host, fd: number, key: Uint8Array): number {
  const transfer = new Transfer(host, fd);
  const attr = { map_fd: fd, key: transfer.key(key) };
  return transfer.call(BPF_MAP_DELETE_ELEM, writeStruct(BPF_ATTR_ELEM, attr), []);
}

/** Copies the key after `key` to `next_key`; null gives the first, and so does a key that is not in the map. */
export function bpf_map_get_next_key(
  host: Host,
  fd: number,
  key: Uint8Array | null,
  next_key: Uint8Array,
): number {
  const transfer = new Transfer(host, fd);
  const attr = { map_fd: fd, key: transfer.key(key), next_key: transfer.key(next_key) };
  return transfer.call(BPF_MAP_GET_NEXT_KEY, writeStruct(BPF_ATTR_ELEM, attr), [next_key]);
}

/** Copies the value of a key to `value` and deletes the entry. */
export function bpf_map_lookup_and_delete_elem(
  host: Host,
  fd: number,
  key: Uint8Array,
  value: Uint8Array,
  flags: number | bigint = 0,
): number {
  const transfer = new Transfer(host, fd);
  const attr = { map_fd: fd, key: transfer.key(key), value: transfer.value(value), flags };
  return transfer.call(BPF_MAP_LOOKUP_AND_DELETE_ELEM, writeStruct(BPF_ATTR_ELEM, attr), [value]);
}

/** What the batch functions pass on: null is NULL. */
interface BatchBuffers {
  readonly in_batch: Uint8Array | null;
  readonly out_batch: Uint8Array | null;
  readonly keys: Uint8Array;
  readonly values: Uint8Array | null;
}

function batch(
  host: Host,
  command: number,
  fd: number,
  buffers: BatchBuffers,
  outputs: (Uint8Array | null)[],
  count: Uint32Array,
  opts: MapBatchOptions,
): number {
  const transfer = new Transfer(host, fd);
  const attr = writeStruct(BPF_ATTR_BATCH, {
    map_fd: fd,
    in_batch: transfer.cursor(buffers.in_batch),
    out_batch: transfer.cursor(buffers.out_batch),
    keys: transfer.keys(buffers.keys, count[0]),
    values: transfer.values(buffers.values, count[0]),
    count: count[0],
    elem_flags: opts.elem_flags ?? 0,
    flags: opts.flags ?? 0,
  });
  const result = transfer.call(command, attr, outputs);
  count[0] = readStruct(BPF_ATTR_BATCH, attr).count;
  return result;
}

/**
 * Copies the next `count[0]` entries, packed; `count[0]` is then how many there were. -ENOENT is the end of the scan, and the
 * entries of that last call count as well.
 *
 * @param in_batch the cursor, null at the start: what the last call wrote to `out_batch`
 * @param out_batch 4 bytes; may be the same as `in_batch`
 * @example
 * ```ts
 * import { createHost } from "bpfmap";
 * import { BPF_MAP_TYPE_HASH, bpf_map_create, bpf_map_lookup_batch, bpf_map_update_batch, errnoName } from "bpfmap/uapi";
 *
 * const host = createHost();
 * const fd = bpf_map_create(host, BPF_MAP_TYPE_HASH, null, 4, 4, 1000);
 * const bytes = new Uint8Array(Uint32Array.from({ length: 10 }, (_, i) => i).buffer);
 * bpf_map_update_batch(host, fd, bytes, bytes, Uint32Array.of(10));
 *
 * const keys = new Uint8Array(4 * 8), values = new Uint8Array(4 * 8), cursor = new Uint8Array(4);
 * const count = Uint32Array.of(8);
 * console.log(bpf_map_lookup_batch(host, fd, null, cursor, keys, values, count), count[0]); // 0 8
 * count[0] = 8;
 * console.log(errnoName(bpf_map_lookup_batch(host, fd, cursor, cursor, keys, values, count)), count[0]); // ENOENT 2
 * ```
 */
export function bpf_map_lookup_batch(
  host: Host,
  fd: number,
  in_batch: Uint8Array | null,
  out_batch: Uint8Array,
  keys: Uint8Array,
  values: Uint8Array,
  count: Uint32Array,
  opts: MapBatchOptions = {},
): number {
  const buffers = { in_batch, out_batch, keys, values };
  return batch(host, BPF_MAP_LOOKUP_BATCH, fd, buffers, [keys, values, out_batch], count, opts);
}

/** As {@link bpf_map_lookup_batch}, and deletes what it copies. */
export function bpf_map_lookup_and_delete_batch(
  host: Host,
  fd: number,
  in_batch: Uint8Array | null,
  out_batch: Uint8Array,
  keys: Uint8Array,
  values: Uint8Array,
  count: Uint32Array,
  opts: MapBatchOptions = {},
): number {
  const buffers = { in_batch, out_batch, keys, values };
  return batch(host, BPF_MAP_LOOKUP_AND_DELETE_BATCH, fd, buffers, [keys, values, out_batch], count, opts);
}

/** Writes `count[0]` entries in the order of the buffers; the first one that fails ends it, `count[0]` says how many were. */
export function bpf_map_update_batch(
  host: Host,
  fd: number,
  keys: Uint8Array,
  values: Uint8Array,
  count: Uint32Array,
  opts: MapBatchOptions = {},
): number {
  const buffers = { in_batch: null, out_batch: null, keys, values };
  return batch(host, BPF_MAP_UPDATE_BATCH, fd, buffers, [], count, opts);
}

/** Deletes `count[0]` keys; the first one that is absent ends it. */
export function bpf_map_delete_batch(
  host: Host,
  fd: number,
  keys: Uint8Array,
  count: Uint32Array,
  opts: MapBatchOptions = {},
): number {
  const buffers = { in_batch: null, out_batch: null, keys, values: null };
  return batch(host, BPF_MAP_DELETE_BATCH, fd, buffers, [], count, opts);
}

/** Makes a map read-only for system calls, for good. */
export function bpf_map_freeze(host: Host, fd: number): number {
  return host.bpf(BPF_MAP_FREEZE, writeStruct(BPF_ATTR_ELEM, { map_fd: fd }));
}

/**
 * Fills `struct bpf_map_info`.
 *
 * @param info in and out: what the kernel has no answer for keeps what was passed
 * @param info_len how many bytes to fill, and then how many were. Default: all of `info`
 * @example
 * ```ts
 * import { createHost } from "bpfmap";
 * import { BPF_MAP_INFO, BPF_MAP_TYPE_ARRAY, bpf_map_create, bpf_obj_get_info_by_fd, readStruct } from "bpfmap/uapi";
 *
 * const host = createHost();
 * const fd = bpf_map_create(host, BPF_MAP_TYPE_ARRAY, "slots", 4, 8, 16);
 * const info = new Uint8Array(BPF_MAP_INFO.size);
 * bpf_obj_get_info_by_fd(host, fd, info);
 * console.log(readStruct(BPF_MAP_INFO, info).name, readStruct(BPF_MAP_INFO, info).max_entries); // slots 16
 * ```
 */
export function bpf_obj_get_info_by_fd(
  host: Host,
  fd: number,
  info: Uint8Array,
  info_len: Uint32Array = Uint32Array.of(info.length),
): number {
  const transfer = new Transfer(host, fd);
  const pointer = transfer.buffer("info", info, info_len[0]);
  const attr = writeStruct(BPF_ATTR_INFO, { bpf_fd: fd, info_len: info_len[0], info: pointer });
  const result = transfer.call(BPF_OBJ_GET_INFO_BY_FD, attr, [info]);
  info_len[0] = readStruct(BPF_ATTR_INFO, attr).info_len;
  return result;
}

/** Gives a map a path, which keeps it alive; `host.unpin(path)` takes it back. */
export function bpf_obj_pin(host: Host, fd: number, pathname: string): number {
  const transfer = new Transfer(host, fd);
  const attr = { bpf_fd: fd, pathname: transfer.text(pathname) };
  return transfer.call(BPF_OBJ_PIN, writeStruct(BPF_ATTR_OBJ, attr), []);
}

/** A new descriptor of a pinned map; `file_flags`: BPF_F_RDONLY or BPF_F_WRONLY. */
export function bpf_obj_get(
  host: Host,
  pathname: string,
  opts: { readonly file_flags?: number } = {},
): number {
  const transfer = new Transfer(host, -1);
  const attr = { pathname: transfer.text(pathname), file_flags: opts.file_flags ?? 0 };
  return transfer.call(BPF_OBJ_GET, writeStruct(BPF_ATTR_OBJ, attr), []);
}

/** Writes the least id above `start_id` to `next_id[0]`; -ENOENT when there is none. */
export function bpf_map_get_next_id(host: Host, start_id: number, next_id: Uint32Array): number {
  const attr = writeStruct(BPF_ATTR_ID, { start_id });
  const result = host.bpf(BPF_MAP_GET_NEXT_ID, attr);
  if (result === 0) next_id[0] = readStruct(BPF_ATTR_ID, attr).next_id;
  return result;
}

/** A new descriptor of the map with an id; `open_flags`: BPF_F_RDONLY or BPF_F_WRONLY. */
export function bpf_map_get_fd_by_id(
  host: Host,
  id: number,
  opts: { readonly open_flags?: number } = {},
): number {
  const attr = { map_id: id, open_flags: opts.open_flags ?? 0 };
  return host.bpf(BPF_MAP_GET_FD_BY_ID, writeStruct(BPF_ATTR_ID, attr));
}
