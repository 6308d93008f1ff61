// What the core does when its memory holds what it never wrote: it traps, and JavaScript makes a DamagedError of the trap
// (src/core/wasm/guard.ts). Nothing of this is there for callers, whose mistakes have errnos: a bit of the memory has turned over, or
// somebody else wrote to it.
//
// A trap costs nothing where none happens, and needs no way back through the callers. So what could go on for ever is bounded, and
// what could write to memory of others is checked, where that is not on the way of every single operation. `verify` says beforehand
// what is wrong.

/** Ends the call unless something holds. */
@inline export function insist(holds: bool): void {
  if (!holds) unreachable();
}

/** The most nodes that a list can have: each is an allocation of its own, and the memory has no more granules of 64 bytes. */
@inline export function mostNodes(): u32 {
  return <u32>memory.size() << 10;
}

/** Counts a step along a list: steps left. A list of more than `mostNodes()` is a circle. */
@inline export function follow(left: u32): u32 {
  if (!left) unreachable();
  return left - 1;
}

/** The same for lists that mostly have one node: called where there is a further one, it starts to count by itself, from 0. */
@inline export function further(left: u32): u32 {
  if (left == 1) unreachable();
  return left ? left - 1 : mostNodes();
}
