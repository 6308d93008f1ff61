// What tables whose entries expire have beside other tables.
import { SHARED } from "../build";
import { FIRST_ADDRESS } from "../regions";
import { sweepNext } from "../table/entries/noted";
import { sweepAlone } from "../table/entries/shared_sweep";
import { byLayout, layoutOf } from "../table/layout/by_layout";
import { BUCKETS, field } from "../table/layout/header";
import { openExpiry, remainingIn } from "../table/notes/expiry";
import { shrinkLocked } from "../table/resize/shared_resize";
import { seekAt } from "./noted";

/** Says when entries of a new table expire; once, before anything is written. `renews`: whether a hit does it anew. */
export function setExpiry(table: usize, unit: f64, ttl: f64, valueBytes: u32, renews: u32): void {
  openExpiry(table, unit, ttl, valueBytes, renews);
}

/** Ms until the entry of a key at an address expires: infinite when it never does, 0 when it is absent. */
export function remainingTtl(table: usize, key: usize): f64 {
  const value = seekAt(table, key, 0);
  if (SHARED && value && value < FIRST_ADDRESS) return NaN; // it gave up: the ordinary lookup says why
  return value ? remainingIn(table, value) : 0;
}

@unmanaged class Sweep {
  @inline call1<B>(table: usize, buckets: usize): usize {
    let swept: u32 = 0;
    let rest = <u32>buckets;
    while (rest) {
      const all = field(table, BUCKETS);
      const round = min(rest, all);
      for (let left = round; left; left--) swept += SHARED ? sweepAlone<B>(table) : sweepNext<B>(table);
      // A table that shrinks by it merges buckets to come into such that are swept already: once more round.
      if (SHARED || field(table, BUCKETS) >= all) break;
      rest -= round;
    }
    if (SHARED && swept) shrinkLocked<B>(table, swept);
    return swept;
  }
}

/** Sweeps the next buckets, at most so many; with more than there are, nothing stays that has expired. How many entries went. */
export function sweepExpired(table: usize, buckets: u32): u32 {
  return <u32>byLayout<Sweep>(layoutOf(table), table, buckets);
}
