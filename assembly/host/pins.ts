// Paths that lead to maps of a shared memory, and keep them alive (registry.ts). Written under the registry's lock.
//
//   pin, from the arena: 0 u32 next | 4 u32 table | 8 u32 bytes of the path | 12 the path
import { follow, insist, mostNodes } from "../damage";
import { EEXIST, ENOENT, ENOMEM } from "../errno";
import { allocate, release } from "../memory/arena";
import { copyBytes } from "../memory/bytes";
import { REGISTRY } from "../regions";
import { write32 } from "../sync/journal";
import { lockErrno } from "../sync/lock";
import { field } from "../table/layout/header";
import { PIN_COUNT, begin, end, hold, leave, settle, sweepTables } from "./registry";

export const PINS: usize = REGISTRY + 12;

export const PIN_TABLE: usize = 4;
export const PIN_LENGTH: usize = 8;
export const PIN_PATH: usize = 12;

function isPath(pin: usize, path: usize, length: u32): bool {
  if (load<u32>(pin, PIN_LENGTH) != length) return false;
  for (let i: u32 = 0; i < length; i++) if (load<u8>(pin + i, PIN_PATH) != load<u8>(path + i)) return false;
  return true;
}

/** The word that points at the pin with a path, or the last one, which is 0. */
function linkToPin(path: usize, length: u32): usize {
  let link = PINS;
  let left = mostNodes();
  while (load<u32>(link) && !isPath(<usize>load<u32>(link), path, length)) {
    left = follow(left);
    link = <usize>load<u32>(link);
  }
  return link;
}

/** Gives a table of the caller a path. 0, EEXIST, ENOMEM or another errno. */
export function pinTable(table: usize, path: usize, length: u32): u32 {
  if (!begin()) return lockErrno();
  if (load<u32>(linkToPin(path, length))) return <u32>leave(EEXIST);
  const pin = allocate(<u32>PIN_PATH + length);
  if (!pin) return <u32>leave(lockErrno() ? lockErrno() : ENOMEM);
  store<u32>(pin, load<u32>(PINS));
  store<u32>(pin, <u32>table, PIN_TABLE);
  store<u32>(pin, length, PIN_LENGTH);
  copyBytes(pin + PIN_PATH, path, length);
  write32(PINS, <u32>pin);
  write32(table + PIN_COUNT, field(table, PIN_COUNT) + 1);
  return end();
}

/** The table that a path leads to, with a reference for the caller; 0 or an errno. */
export function holdPinned(path: usize, length: u32): usize {
  if (!begin()) return lockErrno();
  const pin = <usize>load<u32>(linkToPin(path, length));
  if (!pin) return leave(0);
  const table = <usize>load<u32>(pin, PIN_TABLE);
  hold(table);
  const errno = end();
  return errno ? <usize>errno : table;
}

/** Removes the pin that a word points at, and leaves it to the caller what becomes of its table. */
export function removePin(link: usize): void {
  const pin = <usize>load<u32>(link);
  const table = <usize>load<u32>(pin, PIN_TABLE);
  write32(link, load<u32>(pin));
  release(pin, <u32>PIN_PATH + load<u32>(pin, PIN_LENGTH));
  write32(table + PIN_COUNT, field(table, PIN_COUNT) - 1);
}

/** Takes a path back. 0, ENOENT or another errno. */
export function unpinTable(path: usize, length: u32): u32 {
  if (!begin()) return lockErrno();
  const link = linkToPin(path, length);
  const pin = <usize>load<u32>(link);
  if (!pin) return <u32>leave(ENOENT);
  const table = <usize>load<u32>(pin, PIN_TABLE);
  removePin(link);
  settle(table);
  const errno = end();
  if (!errno) sweepTables();
  return errno;
}

/** The word that points at a pin of a table, which has one. */
export function linkToPinOf(table: usize): usize {
  let link = PINS;
  let left = mostNodes();
  while (<usize>load<u32>(<usize>load<u32>(link), PIN_TABLE) != table) {
    insist(load<u32>(link) != 0);
    left = follow(left);
    link = <usize>load<u32>(link);
  }
  return link;
}
