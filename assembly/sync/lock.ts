// Lock words. Every bucket has one, and so has everything else that threads share: the resizing of a table, its pools, the
// stripes of an array, the arena, the registry, and the spin lock of a value. What is in the word: lock_word.ts.
//
// A lock is noted in its owner's list (slot.ts) before the compare-and-swap, so that whoever recovers the owner finds every lock that
// it may hold, and the word itself tells whether it does.
// Order: resize lock of a table < buckets < registry < pool lock of a table < arena. Two buckets are held by a resize, one of which there is
// at a time in a table, and by an insert that evicts or sweeps: the second one it only tries (`tryAcquire`), so it waits for none that is out of order.
//
// Nobody waits for ever: spinning is short (a holder that was descheduled holds its lock for a time slice, and spinning through
// it cost 70 to 88 % of the throughput in the studies), then the thread sleeps on the word, and after HOST_TIMEOUT the call fails
// with the owner's name.
import { EDEADLK, ETIMEDOUT } from "../errno";
import { ARENA_LOCK, HOST_TIMEOUT } from "../regions";
import { LOCKED, WAITERS, heldWord, isHeldBy, ownerOf, unlock } from "./lock_word";
import { relieve } from "./recover";
import { BLOCKED_BY, ERRNO, FENCE, HELD, IN_HASTE, LOCKS, MAY_WAIT, SLOT, SLOT_FLAGS, mine, now, ownCpu, setMine } from "./slot";
import { STEPPING, STEP_BLOCKED, STEP_LOCK, STEP_LOCKED, step } from "./step";

/** Reads of a held lock before a thread looks at its owner: some 200 ns. */
const SPINS: u32 = 100;
/** How often so many, when it is in haste: some 10 us, in which a holder that is running lets go. */
const HASTY_ROUNDS: u32 = STEPPING ? 1 : 50;
/** How long a thread sleeps before it looks at the owner again: the owner may be gone. */
const SLICE: i64 = 1_000_000; // ns
/** How long it sleeps where it cannot be woken. */
const NAP: i64 = 50_000; // ns

@inline function tryLock(word: usize, version: u32, held: u32): bool {
  const entry = SLOT + LOCKS + (<usize>held << 3);
  store<u32>(entry, <u32>word);
  store<u32>(entry, version, 4);
  setMine(HELD, held + 1);
  if (atomic.cmpxchg<u32>(word, version, heldWord(ownCpu())) == version) {
    if (STEPPING) step(STEP_LOCKED);
    return true;
  }
  setMine(HELD, held);
  return false;
}

/** Takes a lock that this thread does not hold. False when it gave up; ERRNO of the slot says why. */
export function acquire(word: usize): bool {
  assert(!isHeldBy(load<u32>(ARENA_LOCK), ownCpu())); // the arena's lock is the last one in the order
  if (STEPPING) step(STEP_LOCK);
  const held = mine(HELD);
  const version = atomic.load<u32>(word);
  if (!(version & LOCKED) && tryLock(word, version, held)) return true;
  return acquireSlowly(word, held);
}

/** Takes the first lock of an operation, if it is free: the short way of `acquire`. */
@inline export function acquireFirst(word: usize): bool {
  if (STEPPING) step(STEP_LOCK);
  const version = load<u32>(word); // the compare-and-swap decides whether it is true
  if (version & LOCKED) return false;
  setMine(LOCKS, <u32>word);
  setMine(LOCKS + 4, version);
  setMine(HELD, 1);
  if (atomic.cmpxchg<u32>(word, version, heldWord(ownCpu())) == version) {
    if (STEPPING) step(STEP_LOCKED);
    return true;
  }
  setMine(HELD, 0);
  return false;
}

/** Releases the lock of an operation that has only one. */
@inline export function releaseFirst(): void {
  unlock(<usize>mine(LOCKS), mine(LOCKS + 4));
  setMine(HELD, 0);
}

/** Takes a lock unless this thread holds it already. */
export function acquireOnce(word: usize): bool {
  return isHeldBy(atomic.load<u32>(word), ownCpu()) || acquire(word);
}

/** Takes a lock if it is free, or its owner dead. */
export function tryAcquire(word: usize): bool {
  if (STEPPING) step(STEP_LOCK);
  const seen = atomic.load<u32>(word);
  if (!(seen & LOCKED)) return tryLock(word, seen, mine(HELD));
  relieve(ownerOf(seen));
  return false;
}

function acquireSlowly(word: usize, held: u32): bool {
  let deadline: f64 = 0;
  let spins: u32 = 0;
  let rounds: u32 = 0;
  while (true) {
    const seen = atomic.load<u32>(word);
    if (!(seen & LOCKED) && tryLock(word, seen, held)) return true;
    if (++spins < SPINS) continue;
    spins = 0;
    if (seen & LOCKED && isHeldBy(seen, ownCpu())) return giveUp(seen, EDEADLK);
    if (mine(SLOT_FLAGS) & IN_HASTE) {
      if (seen & LOCKED && relieve(ownerOf(seen))) continue;
      if (++rounds < HASTY_ROUNDS) continue;
      return giveUp(seen, ETIMEDOUT);
    }
    const time = now();
    if (!deadline) deadline = time + <f64>load<u32>(HOST_TIMEOUT);
    else if (time > deadline) return giveUp(seen, ETIMEDOUT);
    if (seen & LOCKED) waitFor(word, seen);
  }
}

/** Waits until a held lock may have been released: not for long. */
function waitFor(word: usize, seen: u32): void {
  if (relieve(ownerOf(seen))) return;
  if (STEPPING) {
    step(STEP_BLOCKED);
    return;
  }
  // The main thread of a page may not wait: it goes on spinning, up to the same limit.
  if (!(mine(SLOT_FLAGS) & MAY_WAIT)) return;
  const waiting = seen | WAITERS;
  if (seen != waiting && atomic.cmpxchg<u32>(word, seen, waiting) != seen) return;
  atomic.wait<i32>(word, <i32>waiting, SLICE);
}

/**
 * Waits for the spin lock of a value, without touching its word: the entry may go meanwhile, and its memory be something else. 0,
 * or an errno when that has gone on since `start` for too long.
 */
export function waitForValue(seen: u32, start: f64): u32 {
  if (!(seen & LOCKED)) return 0;
  if (isHeldBy(seen, ownCpu())) return gaveUp(seen, EDEADLK);
  if (now() - start > <f64>load<u32>(HOST_TIMEOUT)) return gaveUp(seen, ETIMEDOUT);
  if (relieve(ownerOf(seen))) return 0;
  if (STEPPING) step(STEP_BLOCKED);
  else if (mine(SLOT_FLAGS) & MAY_WAIT) atomic.wait<i32>(SLOT + FENCE, 0, NAP);
  return 0;
}

function gaveUp(seen: u32, errno: u32): u32 {
  giveUp(seen, errno);
  return errno;
}

function giveUp(seen: u32, errno: u32): bool {
  setMine(BLOCKED_BY, seen & LOCKED ? ownerOf(seen) + 1 : 0);
  setMine(ERRNO, errno);
  return false;
}

/** Releases all locks of this thread. */
export function release(): void {
  for (let held = mine(HELD); held > 0; held--) {
    const entry = SLOT + LOCKS + (<usize>(held - 1) << 3);
    unlock(<usize>load<u32>(entry), load<u32>(entry, 4));
  }
  setMine(HELD, 0);
}

/** Releases all locks of this thread but the one that it took first. */
export function releaseToFirst(): void {
  for (let held = mine(HELD); held > 1; held--) {
    const entry = SLOT + LOCKS + (<usize>(held - 1) << 3);
    unlock(<usize>load<u32>(entry), load<u32>(entry, 4));
  }
  setMine(HELD, 1);
}

/** Releases the lock taken last; nothing was written under it. */
export function releaseLast(): void {
  const held = mine(HELD) - 1;
  const entry = SLOT + LOCKS + (<usize>held << 3);
  unlock(<usize>load<u32>(entry), load<u32>(entry, 4));
  setMine(HELD, held);
}

/**
 * The version of the lock taken last, which stays held when the operation ends. It stays in the list while the caller writes it down,
 * so that it is never in none: `forgetLast` takes it out.
 */
export function lastVersion(): u32 {
  return load<u32>(SLOT + LOCKS + (<usize>(mine(HELD) - 1) << 3), 4);
}

export function forgetLast(): void {
  setMine(HELD, mine(HELD) - 1);
}

/** The errno of an operation that gave up. */
@inline export function lockErrno(): u32 {
  return mine(ERRNO);
}
