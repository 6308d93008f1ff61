// What splits and merges do to the slots of two buckets, entry by entry. The layout "keys" has ways of its own.

/** The part of a split that looks at the entries of a bucket: those with a bit of their hash set move to an empty one. How many. */
@inline export function distributeOneByOne<B>(table: usize, bucket: usize, bit: u32, target: usize): u32 {
  const from = changetype<B>(bucket);
  let moved: u32 = 0;
  let rest = from.occupied(table, true);
  while (rest) {
    const slot = <u32>ctz(rest);
    rest &= rest - 1;
    if (!from.side(table, slot, bit, true)) continue;
    from.move(table, slot, true, target, moved++, true);
    from.drop(table, slot, true, false);
  }
  return moved;
}

/** The part of a merge: entries of `source` move to free slots of another bucket. The set of slots that were left. */
@inline export function absorbOneByOne<B>(table: usize, bucket: usize, source: usize): u32 {
  let rest = changetype<B>(source).occupied(table, true);
  let free = changetype<B>(bucket).vacant(table, true, false);
  while (rest && free) {
    changetype<B>(source).move(table, <u32>ctz(rest), true, bucket, <u32>ctz(free), true);
    rest &= rest - 1;
    free &= free - 1;
  }
  return rest;
}
