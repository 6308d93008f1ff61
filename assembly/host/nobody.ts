// The table of closed handles, and of those that may not read or write: no entry is in it, and it is frozen. So the calls that every
// nanosecond counts in need not ask whether their map is open. Its one bucket is of the zeros that untouched buckets read as.
// Plain build, layout "keys".
import { NOBODY, ZEROS } from "../regions";
import { BUCKETS, FILTER, FLAT, FLAT_BUCKETS, FROZEN, MASK, setField } from "../table/layout/header";

export function initNobody(): void {
  setField(NOBODY, BUCKETS, 1);
  setField(NOBODY, MASK, 1);
  setField(NOBODY, FLAT, <u32>ZEROS);
  setField(NOBODY, FLAT_BUCKETS, 1);
  setField(NOBODY, FROZEN, 1);
  setField(NOBODY, FILTER, <u32>(NOBODY + FLAT)); // a directory of those zeros: no key passes
}
