/**
 * The commands that find a map by a name of its own: OBJ_PIN and OBJ_GET by a path, MAP_GET_NEXT_ID and MAP_GET_FD_BY_ID by its
 * id. Paths are those of `host.pin` and `host.open`: any text, one name space for each host. Bytes that are no UTF-8 are EINVAL, as on
 * a file system with strict encoding (generic_ci_validate_strict_name); read as U+FFFD, they would lead to each other's pins.
 *
 * @module
 */
import { isSocketMap } from "../../core/tables/registry.ts";
import type { Table } from "../../core/tables/table.ts";
import { BPF_ATTR_ID, BPF_ATTR_OBJ } from "../abi/attr.ts";
import { BPF_F_PATH_FD, BPF_F_RDONLY, BPF_F_WRONLY } from "../abi/constants.ts";
import { ERRNO } from "../abi/errno.ts";
import { asksForNothing, type Call, openFile } from "./call.ts";

const { pathname, bpf_fd, file_flags, path_fd } = BPF_ATTR_OBJ.fields;
const { start_id, map_id, next_id, open_flags } = BPF_ATTR_ID.fields;
/** BPF_OBJ_FLAG_MASK */
const ACCESS = BPF_F_RDONLY | BPF_F_WRONLY;
/** PATH_MAX, with the NUL. */
const PATH_BYTES = 4096;
/** AT_FDCWD: a relative path as it stands. */
const CURRENT_FOLDER = -100;
const ID_END = 0x7fff_ffff;

function decodePath(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The path that an attribute points at (`getname`), or -errno. */
function readPath(call: Call): string | number {
  const pointer = call.u64(pathname);
  const mapped = call.memory.mapped(pointer, PATH_BYTES);
  const bytes = call.memory.take(pointer, mapped);
  if (bytes === undefined || mapped === 0) return -ERRNO.EFAULT;
  const end = bytes.indexOf(0);
  if (end < 0) return -(mapped < PATH_BYTES ? ERRNO.EFAULT : ERRNO.ENAMETOOLONG);
  if (end === 0) return -ERRNO.ENOENT;
  const path = decodePath(bytes.subarray(0, end));
  if (path === undefined) return -ERRNO.EINVAL;
  const relativeTo = (call.u32(file_flags) & BPF_F_PATH_FD) !== 0 ? call.s32(path_fd) : CURRENT_FOLDER;
  // A host has no folders that could be open.
  if (relativeTo !== CURRENT_FOLDER && !path.startsWith("/")) return -ERRNO.EBADF;
  return path;
}

/** What both commands refuse; `known`: the flags that they take. */
function refuseFlags(call: Call, known: number): boolean {
  const flags = call.u32(file_flags);
  if (call.hasTail(path_fd) || (flags & ~known) !== 0) return true;
  return (flags & BPF_F_PATH_FD) === 0 && call.s32(path_fd) !== 0;
}

export function objPin(call: Call): number {
  if (refuseFlags(call, BPF_F_PATH_FD)) return -ERRNO.EINVAL;
  // bpf_fd_probe_obj asks for a map, a program and a link in turn, and the last of them says EINVAL for any descriptor.
  const file = call.file(call.u32(bpf_fd));
  if (typeof file === "number") return -ERRNO.EINVAL;
  const path = readPath(call);
  if (typeof path === "number") return path;
  return call.host.registry.pin(path, file.table) ? 0 : -ERRNO.EEXIST;
}

/** A descriptor of a table that comes with a reference. */
function openFound(call: Call, table: Table | undefined, flags: number): number {
  if (table === undefined) return -ERRNO.ENOENT;
  if (table.type === "kv") {
    // Not a map: there is nothing like it behind bpf(2).
    call.host.registry.drop(table);
    return -ERRNO.ENOENT;
  }
  if (isSocketMap(table.type)) {
    // Its values are objects, and no descriptor of a host stands for one.
    call.host.registry.drop(table);
    return -ERRNO.EOPNOTSUPP;
  }
  if (table.texts) {
    // A key of bpf(2) has a fixed size.
    call.host.registry.drop(table);
    return -ERRNO.EOPNOTSUPP;
  }
  const fd = openFile(call.host, table, flags);
  call.host.registry.drop(table);
  return fd;
}

export function objGet(call: Call): number {
  if (refuseFlags(call, ACCESS | BPF_F_PATH_FD) || call.u32(bpf_fd) !== 0) return -ERRNO.EINVAL;
  const flags = call.u32(file_flags);
  if (asksForNothing(flags)) return -ERRNO.EINVAL;
  const path = readPath(call);
  if (typeof path === "number") return path;
  return openFound(call, call.host.registry.pinned(path), flags);
}

export function mapGetNextId(call: Call): number {
  const start = call.u32(start_id);
  if (call.hasTail(next_id) || start >= ID_END) return -ERRNO.EINVAL;
  for (const { id, type } of call.host.registry.all()) {
    if (id > start && type !== "kv") return call.put(next_id, id) ? 0 : -ERRNO.EFAULT;
  }
  return -ERRNO.ENOENT;
}

export function mapGetFdById(call: Call): number {
  const flags = call.u32(open_flags);
  if (call.hasTail(open_flags) || (flags & ~ACCESS) !== 0 || asksForNothing(flags)) return -ERRNO.EINVAL;
  return openFound(call, call.host.registry.byId(call.u32(map_id)), flags);
}
