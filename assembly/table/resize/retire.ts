// Segments of buckets that a merge has emptied, in the shared build. A writer that computed the address of a bucket just before
// may still try to lock it, and that compare-and-swap must not hit memory which has become something else. So the memory stays
// what it was, type-stable (SLAB_TYPESAFE_BY_RCU: linux/slab.h), until every thread that was writing then has finished.
//
// Threads do not pay for that with a fence: a slot's SEQUENCE is odd while it writes, a plain store. A store becomes visible to
// other cores in well under a millisecond, so the sequences are read only some milliseconds after the segment was retired; who was
// in a write then may hold its address, who was not will see the new number of buckets. When all those have gone on, it is free.
// Readers need none of this: they see from RETIRED in the header that a segment has gone, and do it again (table/entries/shared_read.ts).
//
//   node, from the arena: 0 u32 next | 4 u32 address | 8 u32 bytes | 12 u32 1 when the sequences are read, of the spare one the way back | 16 f64 when it was retired |
//                         24 u32 sequence of each slot [cpus]
import { follow, mostNodes } from "../../damage";
import { HOST_CPUS } from "../../regions";
import { beginWrite, commit, write32 } from "../../sync/journal";
import { acquireOnce } from "../../sync/lock";
import { KIND, LIVE, SEQUENCE, SLOT, STATE, now, ownCpu, slotOf } from "../../sync/slot";
import { BACK, leadBack, tableAllocate, tableRelease } from "../layout/account";
import { RESIZE_LOCK, RETIRED_SEGMENTS, SPARE_NODE, field, setField } from "../layout/header";
import { warnReaders } from "../layout/segments";

export const ADDRESS: usize = 4;
export const BYTES: usize = 8;
const READ: usize = 12;
const TIME: usize = 16;
const SEQUENCES: usize = 24;
/** ms */
const VISIBLE_AFTER: f64 = 2;

/** Takes the memory for one node, so that a table that is alone can give back memory when there is none. */
export function prepareRetiring(table: usize): bool {
  const node = tableAllocate(table, nodeBytes());
  if (!node) return false;
  leadBack(node, table + SPARE_NODE);
  setField(table, SPARE_NODE, <u32>node);
  return true;
}

export function nodeBytes(): u32 {
  return <u32>SEQUENCES + (load<u32>(HOST_CPUS) << 2);
}

/** Whether this thread is the only one that is attached: then nobody else can be writing. */
function isAlone(): bool {
  const cpus = load<u32>(HOST_CPUS);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) if (cpu != ownCpu() && atomic.load<u32>(slotOf(cpu), STATE)) return false;
  return true;
}

/** Frees a segment of buckets as soon as nobody can lock one of them. Under the resize lock, in an operation. False without memory. */
export function retireSegment(table: usize, address: usize, bytes: u32): bool {
  let node = <usize>field(table, SPARE_NODE);
  if (node) setField(table, SPARE_NODE, 0);
  else node = tableAllocate(table, nodeBytes());
  if (!node) return false;
  store<u32>(node, field(table, RETIRED_SEGMENTS));
  store<u32>(node, <u32>address, ADDRESS);
  store<u32>(node, bytes, BYTES);
  write32(node + READ, 0); // where a spare node leads back
  store<f64>(node, now(), TIME);
  setField(table, RETIRED_SEGMENTS, <u32>node);
  return true;
}

function readSequences(node: usize): void {
  const cpus = load<u32>(HOST_CPUS);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    store<u32>(node + SEQUENCES + (<usize>cpu << 2), atomic.load<u32>(slotOf(cpu), SEQUENCE));
  }
  store<u32>(node, 1, READ);
}

function isFree(node: usize): bool {
  if (!load<u32>(node, READ)) {
    if (now() - load<f64>(node, TIME) >= VISIBLE_AFTER) readSequences(node);
    return false;
  }
  const cpus = load<u32>(HOST_CPUS);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const slot = slotOf(cpu);
    const sequence = load<u32>(node + SEQUENCES + (<usize>cpu << 2));
    if (slot == SLOT || !(sequence & 1)) continue;
    if ((atomic.load<u32>(slot, STATE) & KIND) == LIVE && atomic.load<u32>(slot, SEQUENCE) == sequence) return false;
  }
  return true;
}

/** Frees what nobody can reach any more: one operation for each. Called with no lock held. */
export function reclaimSegments(table: usize): void {
  while (field(table, RETIRED_SEGMENTS)) {
    beginWrite();
    const freed = acquireOnce(table + RESIZE_LOCK) && reclaimOne(table, isAlone());
    if (!commit() || !freed) return;
  }
}

function reclaimOne(table: usize, all: bool): bool {
  let previous = table + RETIRED_SEGMENTS;
  let node = <usize>load<u32>(previous);
  let left = mostNodes();
  while (node) {
    left = follow(left);
    const next = <usize>load<u32>(node);
    if (all || isFree(node)) {
      write32(previous, <u32>next);
      warnReaders(table);
      tableRelease(table, <usize>load<u32>(node, ADDRESS), load<u32>(node, BYTES));
      if (field(table, SPARE_NODE)) tableRelease(table, node, nodeBytes());
      else {
        write32(node + BACK, <u32>table + <u32>SPARE_NODE);
        setField(table, SPARE_NODE, <u32>node);
      }
      return true;
    }
    previous = node;
    node = next;
  }
  return false;
}
