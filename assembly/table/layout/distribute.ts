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
