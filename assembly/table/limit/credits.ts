// Counting the entries of a table that several threads insert into and delete from, up to an exact limit.
//
// The header's COUNT is what has been handed out: entries plus the credits that the CPUs hold. An insert takes one of its own CPU's
// credits and a delete gives it one, a compare-and-swap on a line that nobody else writes; the shared word changes once in a
// chunk, under the pool lock. (The kernel's percpu_counter works in batches of 32, too, and lets a map overshoot by what the
// CPUs hold back; here nobody can insert without a credit, so the limit is hard.)
//
// Near the limit the credits that other CPUs hold would be missing, so the table changes to LIMITED: all words of credits are
// frozen, and every insert and delete counts under the pool lock, where it may take a credit of any CPU. "Near" begins at the low-water
// mark of a map that has one (table/limit/low_water.ts), so that it is crossed in one insert that everybody agrees on.
//
//   line of a CPU, 64 bytes: 0 u32 word of credits (sync/credit_word.ts) | 8 u32 references (host/registry.ts)
//   | 12 u32 in the first one: the address of LINES   (table/layout/account.ts)
//   | 16 words of who evicts and sweeps              (table/notes/book.ts)
import { HOST_CPUS } from "../../regions";
import { FROZEN, changed, creditsOf } from "../../sync/credit_word";
import { beginWrite, commit, failWith, logCredit, unlogCredit, write32 } from "../../sync/journal";
import { acquireOnce } from "../../sync/lock";
import { AHEAD, HOOKS, mine, ownCpu, setMine } from "../../sync/slot";
import { STEPPING, STEP_COUNT, step } from "../../sync/step";
import { COUNT, LIMITED, LINES, LOW_FREE, MARKED, MAX_ENTRIES, POOL_LOCK, field, setField } from "../layout/header";
import { LOW_WATER, markOf, takePass } from "./low_water";

export const LINE_BYTES: u32 = 64;
const MOST_CHUNK: u32 = 32;
/** A CPU holds at most two chunks, or in a batch this many; so far from the limit the credits of others cannot matter. */
const MARGIN: u32 = 2 * MOST_CHUNK;
/** Credits are handed out in chunks of a 64th of what there is: growth and shrinking go by COUNT, which must not be far off. */
const CHUNK_SHIFT: u32 = 6;

@inline function lineOf(table: usize, cpu: u32): usize {
  return <usize>field(table, LINES) + cpu * LINE_BYTES;
}

@inline function chunkOf(handedOut: u32): u32 {
  return min(MOST_CHUNK, max(<u32>1, handedOut >> CHUNK_SHIFT));
}

/**
 * What growth and shrinking go by: what is handed out, without the credits of this CPU. So a table does not grow for those that a batch
 * has taken ahead.
 */
@inline export function estimatedEntries(table: usize): u32 {
  return field(table, COUNT) - creditsOf(load<u32>(lineOf(table, ownCpu())));
}

/** Entries of a table: exact while nobody writes. */
export function entriesOf(table: usize): u32 {
  const cpus = load<u32>(HOST_CPUS);
  let entries = atomic.load<u32>(table, COUNT);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) entries -= creditsOf(atomic.load<u32>(lineOf(table, cpu)));
  return <i32>entries < 0 ? 0 : entries; // read word by word, the sum may be off while others write
}

/**
 * Whether a table is full, without a lock: it counts under its pool lock, all is handed out, and no CPU holds a credit. While it counts so,
 * credits are only taken, so if none is left when COUNT is read, the table was full then.
 */
export function isFull(table: usize): bool {
  if (!atomic.load<u32>(table, LIMITED)) return false;
  const cpus = load<u32>(HOST_CPUS);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) if (creditsOf(atomic.load<u32>(lineOf(table, cpu)))) return false;
  return atomic.load<u32>(table, COUNT) == field(table, MAX_ENTRIES) && atomic.load<u32>(table, LIMITED) != 0;
}

function change(line: usize, word: u32, taken: i32): bool {
  logCredit(line, word, taken);
  if (STEPPING) step(STEP_COUNT);
  if (atomic.cmpxchg<u32>(line, word, changed(word, taken)) == word) return true;
  unlogCredit();
  return false;
}

/**
 * Counts an insert. False when the table is full, or when ERRNO of the slot says why: the pool lock could not be had, or the thread
 * is to be told of the low-water mark.
 */
@inline export function takeCredit(table: usize): bool {
  const line = lineOf(table, ownCpu());
  const word = atomic.load<u32>(line);
  if (!(word & FROZEN) && creditsOf(word) && change(line, word, 1)) return true;
  return takeFromPool(table, line);
}

function takeFromPool(table: usize, line: usize): bool {
  if (!acquireOnce(table + POOL_LOCK)) return false;
  const cpus = load<u32>(HOST_CPUS);
  const handedOut = field(table, COUNT);
  const most = field(table, MAX_ENTRIES);
  const mark = markOf(table, most);
  if (!field(table, LIMITED)) {
    if (handedOut < mark && mark - handedOut >= cpus * MARGIN) {
      atomic.and<u32>(line, ~FROZEN);
      const word = atomic.load<u32>(line);
      if (creditsOf(word)) return change(line, word, 1); // thawed; nobody else changes it
      const chunk = max(chunkOf(handedOut), min(mine(AHEAD), MARGIN));
      setField(table, COUNT, handedOut + chunk);
      return change(line, word, 1 - <i32>chunk);
    }
    limit(table);
  }
  if (field(table, LOW_FREE) && entriesOf(table) >= mark && isTold(table, most)) {
    failWith(LOW_WATER);
    return false;
  }
  if (handedOut < most) {
    setField(table, COUNT, handedOut + 1);
    return true;
  }
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const other = lineOf(table, cpu);
    const word = atomic.load<u32>(other);
    if (!creditsOf(word)) continue;
    write32(other, changed(word, 1)); // frozen, and this thread has the pool lock
    return true;
  }
  return false;
}

/** From now on everybody counts under the pool lock, which this thread has. */
function limit(table: usize): void {
  const cpus = load<u32>(HOST_CPUS);
  setField(table, LIMITED, 1);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) atomic.or<u32>(lineOf(table, cpu), FROZEN);
}

/** After the low-water mark has moved, under the pool lock: where it may be near, everybody counts exactly. */
export function tighten(table: usize): void {
  const mark = markOf(table, field(table, MAX_ENTRIES));
  const handedOut = field(table, COUNT);
  if (!field(table, LIMITED) && (handedOut > mark || mark - handedOut < load<u32>(HOST_CPUS) * MARGIN)) limit(table);
}

/** Whether this thread is to be told that the mark is crossed: nobody was, and it has a hook. Under the pool lock. */
function isTold(table: usize, most: u32): bool {
  if (atomic.load<u32>(table, MARKED) || !mine(HOOKS)) return false;
  atomic.store<u32>(table, 1, MARKED); // not journaled: that it was told stands when the insert is undone
  return !takePass(table, most);
}

/** After the entries have become fewer, or the limit higher, under the pool lock: the mark is armed again, and credits flow again. */
export function relax(table: usize, handedOut: u32, most: u32): void {
  const mark = markOf(table, most);
  if (field(table, MARKED) && entriesOf(table) <= mark) setField(table, MARKED, 0);
  // Thawed one by one, by their owners; not at once again at the edge.
  const margin = load<u32>(HOST_CPUS) * MARGIN;
  if (field(table, LIMITED) && mark > handedOut && mark - handedOut > margin << 1) setField(table, LIMITED, 0);
}

/** Counts deletes. */
export function giveCredits(table: usize, entries: u32): void {
  const line = lineOf(table, ownCpu());
  const word = atomic.load<u32>(line);
  const most = mine(AHEAD) ? MARGIN : chunkOf(field(table, COUNT)) << 1;
  if (!(word & FROZEN) && creditsOf(word) + entries <= most && change(line, word, -<i32>entries)) return;
  giveToPool(table, line, entries);
}

/**
 * A batch is about to write to so many keys: from now on this CPU takes the credits of many inserts at once, and keeps those of many
 * deletes. They are in its word as any others are: who comes to the limit finds them there, whatever becomes of the batch.
 */
@inline export function beginGroup(keys: u32): void {
  setMine(AHEAD, keys);
}

/** The batch is over: credits beyond what a CPU keeps go back. With no lock held. */
export function endGroup(table: usize): void {
  setMine(AHEAD, 0);
  const line = lineOf(table, ownCpu());
  const word = atomic.load<u32>(line);
  if (word & FROZEN || creditsOf(word) <= chunkOf(field(table, COUNT)) << 1) return;
  beginWrite();
  giveToPool(table, line, 0);
  commit(); // where the lock could not be had they stay; no key depends on it
}

function giveToPool(table: usize, line: usize, entries: u32): void {
  if (!acquireOnce(table + POOL_LOCK)) return; // ERRNO is set: the operation fails at its end
  const handedOut = field(table, COUNT);
  const word = atomic.load<u32>(line);
  let back = entries;
  if (!(word & FROZEN)) {
    const kept = min(creditsOf(word), chunkOf(handedOut));
    const surplus = creditsOf(word) - kept;
    if (surplus) {
      change(line, word, <i32>surplus);
      back += surplus;
    }
  }
  setField(table, COUNT, handedOut - back);
  relax(table, handedOut - back, field(table, MAX_ENTRIES));
}
