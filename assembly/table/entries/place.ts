// Where a new entry goes: a free slot of its bucket, or of the chain behind it.
import { SHARED } from "../../build";
import { holdSectionsBack } from "../../sync/section";
import { blockWithRoom, chain, newOverflow } from "../layout/overflow";
import { pinned } from "../resize/resize";

/** Writes a new entry into its bucket. Address of its value, 0 when there is no memory. */
@inline export function place<B, K>(table: usize, bucket: usize, key: K, hash: u32, entry: usize): usize {
  const free = changetype<B>(bucket).vacant(table, true, pinned<B>());
  if (free) {
    const slot = <u32>ctz(free);
    changetype<B>(bucket).put<K>(table, slot, key, hash, entry, true);
    return changetype<B>(bucket).valueAt(table, slot, true);
  }
  return placeInChain<B, K>(table, bucket, key, hash, entry);
}

function placeInChain<B, K>(table: usize, bucket: usize, key: K, hash: u32, entry: usize): usize {
  const held = pinned<B>(); // once: a section of another thread may open or close in between
  const block = roomInChain<B>(table, bucket, held);
  if (!block) return 0;
  const free = changetype<B>(block).vacant(table, false, held);
  const slot = <u32>ctz(free);
  changetype<B>(block).put<K>(table, slot, key, hash, entry, false);
  return changetype<B>(block).valueAt(table, slot, false);
}

/** The block of a bucket's chain that has a free slot, a new one if need be; 0 when there is no memory. */
export function roomInChain<B>(table: usize, bucket: usize, held: bool): usize {
  let block = blockWithRoom<B>(table, changetype<B>(bucket).link(true), held);
  if (block) return block;
  if (SHARED && held) noteDebt<B>(bucket);
  block = newOverflow<B>(table);
  if (block) chain<B>(bucket, block);
  return block;
}

/** Blocks of a chain from which on sections are in the way of everybody (sync/section.ts). */
const LONG_CHAIN: u32 = 8;

function noteDebt<B>(bucket: usize): void {
  let blocks: u32 = 0;
  for (let block = changetype<B>(bucket).link(true); block; block = changetype<B>(block).link(false)) {
    if (++blocks > LONG_CHAIN) {
      holdSectionsBack();
      return;
    }
  }
}
