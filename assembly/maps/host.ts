// A host: one linear memory, set up once.
import { initSecrets } from "../hash/hash";
import { initArena } from "../memory/arena";
import { BITMAP } from "../memory/regions";
import { ENOMEM } from "../memory/errno";

/** The last page stays out, so that no address of the heap's end wraps to 0. */
const MOST: u32 = 0xffff0000;

/** Sets up a fresh memory that may grow to `maxBytes` (0: as far as addresses reach). 0 or ENOMEM. */
export function initHost(maxBytes: u32, seed: u32): u32 {
  assert(__heap_base <= BITMAP);
  initSecrets(seed);
  return initArena(maxBytes && maxBytes < MOST ? maxBytes : MOST) ? 0 : ENOMEM;
}
