// A host: one linear memory, set up once.
import { SHARED } from "../build";
import { ENOMEM } from "../errno";
import { initSecrets } from "../hash/hash";
import { allocate as allocateBlock, bytesInUse as allBytes, initArena, logsStart, PAGE, release as releaseBlock } from "../memory/arena";
import { allocateOwned, journalBytes, releaseOwnedBlock } from "../memory/owned";
import { BITMAP, HOST_LOGS } from "../regions";
import { attach } from "./attach";
import { initNobody } from "./nobody";

/** The last page stays out, so that no address of the heap's end wraps to 0. */
const MOST: u32 = 0xffff0000;

/** Sets up a fresh memory that may grow to `maxBytes` (0: as far as addresses reach). 0 or ENOMEM. */
export function initHost(maxBytes: u32, seed: u32): u32 {
  assert(__heap_base <= BITMAP);
  initSecrets(seed);
  if (!SHARED) initNobody();
  const most = maxBytes && maxBytes < MOST ? maxBytes & ~(PAGE - 1) : MOST;
  if (SHARED) {
    store<u32>(HOST_LOGS, logsStart(most));
    attach(0, 0);
  }
  return initArena(most) ? 0 : ENOMEM;
}

/** Bytes of all live allocations, but for the journals of threads. */
export function bytesInUse(): u32 {
  return SHARED ? allBytes() - journalBytes() : allBytes();
}

/** A block for JavaScript, aligned to 64; 0 when there is none. In the shared build it belongs to the calling thread. */
export function allocate(bytes: u32): usize {
  return SHARED ? allocateOwned(bytes) : allocateBlock(bytes);
}

export function release(block: usize, bytes: u32): void {
  if (SHARED) releaseOwnedBlock(block);
  else releaseBlock(block, bytes);
}
