// The physical floor of a batch lookup: reading two cache lines of random 128-byte blocks, and nothing else.

/** Reads both lines of the block at each of `count` addresses. */
export function readBlocks(addresses: usize, count: u32): u32 {
  let sum: u32 = 0;
  const end = addresses + ((<usize>count) << 2);
  for (let at = addresses; at < end; at += 4) {
    const block = <usize>load<u32>(at);
    sum += load<u32>(block) + load<u32>(block, 64);
  }
  return sum;
}
