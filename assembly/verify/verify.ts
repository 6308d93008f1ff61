// What JavaScript calls to have everything checked: a table of any kind, and the memory of a host. What holds is listed in
// invariants.ts.
import { SHARED } from "../build";
import { LAYOUT, LAYOUT_KV, field } from "../table/layout/header";
import { verifyHeap } from "./arena";
import { verifyKv } from "./kv";
import { verifyCpus, verifySlots } from "./slots";
import { verifyTable } from "./table";

/** Words of detail to a broken invariant. */
export const DETAIL_WORDS: u32 = 4;

/** The first broken invariant of a table, its details in four words at `out`; 0 when all hold. */
export function verify(table: usize, out: usize): u32 {
  return field(table, LAYOUT) == LAYOUT_KV ? verifyKv(table, out) : verifyTable(table, out);
}

/** The first broken invariant of the memory, and in the shared build of the CPU slots; its details in four words at `out`. */
export function verifyArena(out: usize): u32 {
  return (SHARED ? verifyCpus(out) : 0) || verifyHeap(out) || (SHARED ? verifySlots(out) : 0);
}
