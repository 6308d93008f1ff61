// The maps of a shared memory: which tables there are, who refers to them, and when they go. Only in the shared build; a host with
// a memory of its own keeps this in JavaScript (src/core/tables/registry.ts).
//
// At REGISTRY: 0 u32 lock | 4 u32 id of the newest map | 8 u32 newest table | 12 u32 newest pin (pins.ts) | 16 u32 first dying table
// A table, in its header:
//   304 u32 next older table, or next dying one | 308 u32 pins | 320 .. 447 what JavaScript has to know of it (META)
//   and in the line of each CPU, at 8, u32 references of that slot's thread
// META: 0 u32 id | 4 u32 type | 8 u32 key size | 12 u32 value size | 16 u32 flags | 20 u32 mapExtra | 24 u32 offset of the spin lock,
//   or 0xffffffff | 28 u32 bytes of the name | 32 the name, up to 15 bytes | 48 u32 whether it is of no use without the thread that
//   made it, since its values are objects of that thread | 52 u32 whether it evicts by recency alone | 60 u32 offset of the timer |
//   64 u32 offset of the workqueue, as that of the lock | 68 u32 ms in a unit of expiry, 0 where nothing expires | 72 f64 ttl in ms, 0 none |
//   80 u32 whether a hit renews it
//   (written by src/core/tables/shared_registry.ts)
//
// All of it is read and written under the lock. A table lives as long as a slot or a pin refers to it. The operation that takes the
// last reference also moves the table from the list of tables to the dying ones, where it stays while any section is open: an address
// in it may point at the table's entries. A section that is entered later cannot have one, since nobody can find the table any more.
//
// Destroying takes many operations. So the one that takes a table off the dying list notes it in ORPHAN of its slot, and so does the
// one that allocates a header: whatever is there when the thread dies goes to the dying list again, and is destroyed by the next
// one, from where it stands. The word is cleared by the operation that registers the table, or that releases its header.
import { follow, insist, mostNodes } from "../damage";
import { destroyTable } from "../maps/create";
import { HOST_CPUS, REGISTRY } from "../regions";
import { beginWrite, commit, rollback, write32 } from "../sync/journal";
import { acquire, lockErrno } from "../sync/lock";
import { inSection } from "../sync/section";
import { ORPHAN, SLOT, mine, ownCpu } from "../sync/slot";
import { BYTES, LINES, MAX_ENTRIES, field } from "../table/layout/header";
import { LINE_BYTES } from "../table/limit/credits";

/** Where JavaScript finds what it needs in a header. */
export const META_OFFSET: u32 = 320;
/** Its words. */
export const META_ID: u32 = 0;
export const META_TYPE: u32 = 4;
export const META_KEY_SIZE: u32 = 8;
export const META_VALUE_SIZE: u32 = 12;
export const META_FLAGS: u32 = 16;
export const META_MAP_EXTRA: u32 = 20;
export const META_LOCK_OFFSET: u32 = 24;
export const META_NAME_LENGTH: u32 = 28;
export const META_NAME: u32 = 32;
export const META_PRIVATE: u32 = 48;
export const META_EVICTION: u32 = 52;
export const META_TIMER_OFFSET: u32 = 60;
export const META_WORKQUEUE_OFFSET: u32 = 64;
export const META_RESOLUTION: u32 = 68;
export const META_TTL: u32 = 72;
export const META_RENEWS: u32 = 80;

export const MAX_ENTRIES_OFFSET: u32 = <u32>MAX_ENTRIES;
export const BYTES_OFFSET: u32 = <u32>BYTES;

const LOCK: usize = REGISTRY;
export const NEWEST_ID: usize = REGISTRY + 4;
export const TABLES: usize = REGISTRY + 8;
export const DYING: usize = REGISTRY + 16;

export const NEXT: usize = 304;
export const PIN_COUNT: usize = 308;
export const ID: usize = META_OFFSET + META_ID;
export const PRIVATE: usize = META_OFFSET + META_PRIVATE;
/** In the line of a CPU. */
const REFERENCES: usize = 8;

/** Starts an operation under the lock. False when it gave up, and the operation is over. */
export function begin(): bool {
  beginWrite();
  if (acquire(LOCK)) return true;
  rollback();
  return false;
}

/** Ends an operation: 0 or an errno. */
export function end(): u32 {
  return commit() ? 0 : lockErrno();
}

/** Ends an operation that has written nothing. */
export function leave(result: usize): usize {
  rollback();
  return result;
}

@inline export function referencesOf(table: usize, cpu: u32): usize {
  return <usize>field(table, LINES) + cpu * LINE_BYTES + REFERENCES;
}

export function hold(table: usize): void {
  const at = referencesOf(table, ownCpu());
  write32(at, load<u32>(at) + 1);
}

/** Whether a slot or a pin refers to a table. */
export function isReferenced(table: usize): bool {
  if (field(table, PIN_COUNT)) return true;
  const cpus = load<u32>(HOST_CPUS);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) if (load<u32>(referencesOf(table, cpu))) return true;
  return false;
}

/** The word that points at a table of the list. */
function linkTo(table: usize): usize {
  let link = TABLES;
  let left = mostNodes();
  while (<usize>load<u32>(link) != table) {
    insist(load<u32>(link) != 0);
    left = follow(left);
    link = <usize>load<u32>(link) + NEXT;
  }
  return link;
}

function pushDying(table: usize): void {
  write32(table + NEXT, load<u32>(DYING));
  write32(DYING, <u32>table);
}

/** Moves a table that has lost a reference to the dying ones if that was the last. */
export function settle(table: usize): void {
  if (isReferenced(table)) return;
  write32(linkTo(table), field(table, NEXT));
  pushDying(table);
}

/** The id of a map to be; 0 when the lock could not be had. */
export function takeMapId(): u32 {
  // A table that could not be destroyed would be forgotten by the next one that is made.
  if ((mine(ORPHAN) && !adoptOrphan(SLOT)) || !begin()) return 0;
  const id = load<u32>(NEWEST_ID) + 1;
  write32(NEWEST_ID, id);
  return end() ? 0 : id;
}

/** Makes a table known whose META is written, with one reference, which is the caller's. 0 or an errno. */
export function registerTable(table: usize): u32 {
  if (!begin()) return lockErrno();
  const id = load<u32>(table + ID);
  // The newest first; two threads may come here in another order than they took their ids in.
  let link = TABLES;
  let left = mostNodes();
  while (load<u32>(link) && load<u32>(<usize>load<u32>(link) + ID) > id) {
    left = follow(left);
    link = <usize>load<u32>(link) + NEXT;
  }
  write32(table + NEXT, load<u32>(link));
  write32(link, <u32>table);
  hold(table);
  write32(SLOT + ORPHAN, 0);
  return end();
}

/** The table with an id, with a reference for the caller; 0 or an errno. */
export function holdTable(id: u32): usize {
  if (!begin()) return lockErrno();
  let table = <usize>load<u32>(TABLES);
  let left = mostNodes();
  while (table && load<u32>(table + ID) != id) {
    left = follow(left);
    table = <usize>load<u32>(table + NEXT);
  }
  if (!table) return leave(0);
  hold(table);
  const errno = end();
  return errno ? <usize>errno : table;
}

/** The table with the lowest id above `id`, for a caller in a section; 0 or an errno. */
export function tableAfter(id: u32): usize {
  if (!begin()) return lockErrno();
  let found: usize = 0;
  let table = <usize>load<u32>(TABLES);
  let left = mostNodes();
  while (table && load<u32>(table + ID) > id) {
    left = follow(left);
    found = table;
    table = <usize>load<u32>(table + NEXT);
  }
  return leave(found);
}

/** Takes a reference of the caller back. 0 or an errno. */
export function dropTable(table: usize): u32 {
  if (!begin()) return lockErrno();
  const at = referencesOf(table, ownCpu());
  write32(at, load<u32>(at) - 1);
  settle(table);
  const errno = end();
  if (!errno) sweepTables();
  return errno;
}

/** Whether tables wait to be destroyed, and nothing keeps the calling thread from it. */
export function isSweepDue(): bool {
  return (load<u32>(DYING) != 0 && !inSection()) || mine(ORPHAN) != 0;
}

/** Destroys the dying tables, unless a section is open: then it is for whoever comes next. */
export function sweepTables(): void {
  // One that could not be destroyed would be forgotten by the next.
  if (mine(ORPHAN) && !adoptOrphan(SLOT)) return;
  while (load<u32>(DYING)) {
    if (!begin()) return;
    const table = <usize>load<u32>(DYING);
    if (!table || inSection()) {
      rollback();
      return;
    }
    write32(DYING, field(table, NEXT));
    write32(SLOT + ORPHAN, <u32>table);
    if (!commit()) return;
    destroyTable(table);
    if (!mine(ORPHAN)) continue;
    // A lock could not be had: it dies again later.
    adoptOrphan(SLOT);
    return;
  }
}

/** Moves what a slot was making or destroying to the dying tables. False when the lock could not be had. */
export function adoptOrphan(slot: usize): bool {
  if (!begin()) return false;
  const orphan = <usize>load<u32>(slot, ORPHAN);
  if (orphan) {
    pushDying(orphan);
    write32(slot + ORPHAN, 0);
  }
  return commit();
}
