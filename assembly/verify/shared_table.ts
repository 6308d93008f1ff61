// Checks what tables have in the shared build only (table.ts): locks, widths of buckets, lines of the CPUs, and memory that waits
// until no thread can reach it.
import { allocationSize, bytesInUse } from "../memory/arena";
import { HOST_CPUS } from "../regions";
import { FROZEN } from "../sync/credit_word";
import { leadsBack } from "../table/layout/account";
import { bucketWidth, widthIn } from "../table/layout/buckets";
import {
  BUCKETS, LATE_STRIPES, LIMITED, LINES, POOL_LOCK, RESIZE_LOCK, RETIRED_SEGMENTS, SPARE_NODE, STRIPES, STRIPE_MASK, field, isGrowable,
} from "../table/layout/header";
import { directoryBytes } from "../table/layout/segments";
import { MOST_STRIPES, STRIPE_BYTES } from "../table/life/dismantle";
import { LINE_BYTES } from "../table/limit/credits";
import { ADDRESS, BYTES, nodeBytes } from "../table/resize/retire";
import { isInUse } from "./arena";
import { FROZEN_CREDITS, OLD_DIRECTORIES, OWN_LINES, RETIRED_MEMORY, WIDTH, broken } from "./invariants";
import { verifyLock } from "./slots";

const LATE_BYTES: u32 = MOST_STRIPES * STRIPE_BYTES;

/** Checks what a table has beside its buckets and elements. */
export function verifyShared(table: usize, out: usize): u32 {
  return (
    verifyLines(table, out) ||
    verifyLock(table + RESIZE_LOCK, out) ||
    verifyLock(table + POOL_LOCK, out) ||
    verifyStripes(table, out) ||
    verifyRetired(table, out)
  );
}

function verifyLines(table: usize, out: usize): u32 {
  const cpus = load<u32>(HOST_CPUS);
  const lines = <usize>field(table, LINES);
  if (!isInUse(lines, cpus * LINE_BYTES) || !leadsBack(lines, table + LINES)) return broken(out, OWN_LINES, <u32>lines, cpus * LINE_BYTES, 0, 0);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const word = load<u32>(lines + cpu * LINE_BYTES);
    if (field(table, LIMITED) && !(word & FROZEN)) return broken(out, FROZEN_CREDITS, cpu, word, 0, 0);
  }
  return 0;
}

/** The lock words of an array. */
function verifyStripes(table: usize, out: usize): u32 {
  const stripes = <usize>field(table, STRIPES);
  if (!stripes) return 0;
  const bytes = stripeBytes(table);
  if (!isInUse(stripes, bytes) || !leadsBack(stripes, table + STRIPES)) return broken(out, OWN_LINES, <u32>stripes, <u32>bytes, 1, 0);
  const late = <usize>field(table, LATE_STRIPES);
  if (late && late != stripes && (!isInUse(late, LATE_BYTES) || !leadsBack(late, table + LATE_STRIPES))) return broken(out, OWN_LINES, <u32>late, LATE_BYTES, 1, 0);
  return verifyLocks(stripes, <u32>bytes, out) || (late ? verifyLocks(late, LATE_BYTES, out) : 0);
}

function verifyLocks(locks: usize, bytes: u32, out: usize): u32 {
  for (let at: u32 = 0; at < bytes; at += STRIPE_BYTES) {
    const problem = verifyLock(locks + at, out);
    if (problem) return problem;
  }
  return 0;
}

function stripeBytes(table: usize): u64 {
  return field(table, STRIPES) ? (<u64>field(table, STRIPE_MASK) + 1) * STRIPE_BYTES : 0;
}

/** Bytes of the locks behind an array's first block, where they are others than those of the first block. */
function lateBytes(table: usize): u32 {
  const late = field(table, LATE_STRIPES);
  return late && late != field(table, STRIPES) ? LATE_BYTES : 0;
}

/** The segments that are still to be freed, and the node that is kept for the next one. */
function verifyRetired(table: usize, out: usize): u32 {
  const spare = <usize>field(table, SPARE_NODE);
  if (spare && (!isInUse(spare, nodeBytes()) || !leadsBack(spare, table + SPARE_NODE))) return broken(out, RETIRED_MEMORY, <u32>spare, nodeBytes(), 0, 0);
  const most = bytesInUse() / nodeBytes();
  let nodes: u32 = 0;
  let node = <usize>field(table, RETIRED_SEGMENTS);
  while (node) {
    if (nodes++ > most || !isInUse(node, nodeBytes())) return broken(out, RETIRED_MEMORY, <u32>node, nodeBytes(), nodes, 0);
    const address = <usize>load<u32>(node, ADDRESS);
    const bytes = load<u32>(node, BYTES);
    if (!isInUse(address, bytes)) return broken(out, RETIRED_MEMORY, <u32>address, bytes, nodes, 0);
    node = <usize>load<u32>(node);
  }
  return 0;
}

/** Bytes of all that `verifyShared` checks. */
export function sharedBytes(table: usize): u32 {
  let bytes = allocationSize(load<u32>(HOST_CPUS) * LINE_BYTES) + allocationSize(<u32>stripeBytes(table)) + lateBytes(table);
  if (field(table, SPARE_NODE)) bytes += allocationSize(nodeBytes());
  let node = <usize>field(table, RETIRED_SEGMENTS);
  while (node) {
    bytes += allocationSize(nodeBytes()) + allocationSize(load<u32>(node, BYTES));
    node = <usize>load<u32>(node);
  }
  return bytes;
}

/** Checks the lock and the width of a bucket. */
@inline export function verifyBucketWords<B>(table: usize, index: u32, bucket: usize, out: usize): u32 {
  const width = bucketWidth<B>(bucket);
  const expected = widthIn(field(table, BUCKETS), index);
  if (isGrowable(table) && width != expected) return broken(out, WIDTH, index, <u32>bucket, width, expected);
  return verifyLock(changetype<B>(bucket).lock(), out);
}

/** Checks the directories that the one at `directory` has replaced. */
export function verifyOldDirectories(directory: usize, room: u32, out: usize): u32 {
  while (room) {
    const behind = directory + (<usize>room << 2);
    const old = <usize>load<u32>(behind);
    const oldRoom = load<u32>(behind, 4);
    if (oldRoom >= room || (oldRoom && !isInUse(old, directoryBytes(oldRoom)))) {
      return broken(out, OLD_DIRECTORIES, <u32>old, oldRoom, <u32>directory, room);
    }
    directory = old;
    room = oldRoom;
  }
  return 0;
}

/** Bytes of a directory and all that it has replaced. */
export function directoriesBytes(directory: usize, room: u32): u32 {
  let bytes: u32 = 0;
  while (room) {
    const behind = directory + (<usize>room << 2);
    bytes += allocationSize(directoryBytes(room));
    directory = <usize>load<u32>(behind);
    room = load<u32>(behind, 4);
  }
  return bytes;
}
