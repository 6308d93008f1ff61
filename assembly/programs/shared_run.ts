// Runs in the shared build: each bucket is visited under its lock, as an operation of its own. So a compiled program decides about
// an entry and unlinks it in one step; a program of JavaScript gets the addresses, and unlinks what it has chosen later
// (unlink.ts). The run's section keeps entries where they are; tables with entries out of line may be split and merged meanwhile.
import { reverseBits } from "../hash/hash";
import { commit, rollback } from "../sync/journal";
import { VISITED as WIDTH, mine } from "../sync/slot";
import { settle } from "../table/entries/drop";
import { dropExpired } from "../table/entries/noted";
import { bucketOf, insistOnBuckets } from "../table/layout/buckets";
import { byRunLayout, layoutOf } from "../table/layout/by_layout";
import { OVERFLOW_COUNT, field } from "../table/layout/header";
import { countEntries } from "../table/layout/overflow";
import { isTimed } from "../table/notes/book";
import { eventsOf, untell } from "../table/notes/events";
import { END, MOST_PLANNED, WHOLE, plan } from "../table/scan/cursor";
import { behind, isUntouchedAt, lockAt, spanOf } from "../table/scan/shared_scan";
import { NOT, isTooLong, refuse, stageBucket } from "./rows";
import {
  BEFORE_UNLINKED, BEFORE_VICTIMS, BEFORE_VISITED, BEHIND, BY_ENTRY, DONE, FLAGS, KEEPS_VICTIMS, LEFT, LOCKED_BEHIND, NEEDED, NO_LOCK, NO_ROOM,
  OUTCOME, PLAN, PLANNED, POSITION, RESUMABLE, ROW_BYTES, STATE, STOPPED_AT, TOUCHED_AHEAD, UNLINKED, VICTIM_COUNT, VISITED, setWord, victimRoom, word,
} from "./run";

/** Room in the journal for every entry of a bucket. */
const ALL: u32 = 0xffffffff;

/** Touches the next buckets together; what has changed by the time of their turn does not matter. */
function touchAhead<B>(table: usize, run: usize, most: u32): void {
  const ahead = word(run, TOUCHED_AHEAD);
  if (ahead) setWord(run, TOUCHED_AHEAD, ahead - 1);
  else setWord(run, TOUCHED_AHEAD, max(<u32>1, plan<B>(table, run, <u64>word(run, POSITION), min(most, MOST_PLANNED))) - 1);
}

/** `programEntries` of plan.ts. */
export function entriesLocked<B>(table: usize, run: usize, rows: usize, room: u32, most: u32): u32 {
  const buckets = min(most, MOST_PLANNED);
  plan<B>(table, run, <u64>word(run, POSITION), buckets); // touches them; the plan itself is made anew, bucket by bucket
  setWord(run, OUTCOME, DONE);
  let position = <u64>word(run, POSITION);
  let done: u32 = 0;
  insistOnBuckets(table);
  while (done < buckets && position < WHOLE) {
    let entries: u32 = 0;
    if (!isUntouchedAt<B>(table, position)) {
      const timed = isTimed(table);
      const bucket = lockAt<B>(table, position, timed ? ALL : 0);
      if (!bucket) {
        if (!done) setWord(run, OUTCOME, NO_LOCK);
        return done;
      }
      const inside = (position & (spanOf(mine(WIDTH)) - 1)) != 0;
      const told = timed ? eventsOf(table) : 0;
      const swept = timed ? dropExpired<B>(table, bucket, true) : 0;
      entries = stageBucket<B>(table, bucket, inside ? <u32>position : 0, rows, room);
      const all = entries == NOT && !done ? countEntries<B>(table, bucket) : 0;
      if (!swept) rollback(); // nothing was written
      else if (!commit()) untell(table, told); // they stay, and the program sees them no less for that
      if (entries == NOT) {
        if (done) return done;
        setWord(run, OUTCOME, NO_ROOM);
        setWord(run, NEEDED, all);
        return 0;
      }
    }
    position = behind(position);
    const at = run + PLAN + done * PLANNED;
    store<u32>(at, entries);
    store<u32>(at, <u32>position, BEHIND);
    rows += <usize>entries * ROW_BYTES;
    room -= entries;
    done++;
  }
  return done;
}

/** Goes behind the bucket that was just visited. */
function passBucket(run: usize): void {
  const position = word(run, LOCKED_BEHIND);
  setWord(run, POSITION, position);
  if (!position) setWord(run, STATE, END);
  setWord(run, LEFT, word(run, LEFT) - 1);
}

function nextIn<B>(table: usize, run: usize): usize {
  insistOnBuckets(table);
  while (word(run, LEFT) && word(run, STATE) != END) {
    touchAhead<B>(table, run, word(run, LEFT));
    const position = <u64>word(run, POSITION);
    if (isUntouchedAt<B>(table, position)) {
      setWord(run, LOCKED_BEHIND, <u32>behind(position));
      passBucket(run);
      continue;
    }
    const bucket = lockAt<B>(table, position, ALL);
    if (!bucket) return end(run, NO_LOCK);
    if (position & (spanOf(mine(WIDTH)) - 1)) {
      rollback();
      return end(run, BY_ENTRY);
    }
    if (word(run, FLAGS) & (KEEPS_VICTIMS | RESUMABLE)) {
      const entries = countEntries<B>(table, bucket);
      if (entries > victimRoom(run) || isTooLong(run, entries)) {
        rollback();
        refuse(run, entries, victimRoom(run));
        return 0;
      }
    }
    if (isTimed(table)) dropExpired<B>(table, bucket, true);
    setWord(run, LOCKED_BEHIND, <u32>behind(position));
    setWord(run, BEFORE_VISITED, word(run, VISITED));
    setWord(run, BEFORE_UNLINKED, word(run, UNLINKED));
    setWord(run, BEFORE_VICTIMS, word(run, VICTIM_COUNT));
    setWord(run, OUTCOME, DONE); // where the program stops in it, nobody else says so
    return bucket;
  }
  return end(run, DONE);
}

function end(run: usize, outcome: u32): usize {
  setWord(run, OUTCOME, outcome);
  return 0;
}

@unmanaged class Next {
  @inline call1<B>(table: usize, run: usize): usize {
    return nextIn<B>(table, run);
  }
}

/**
 * Locks the next bucket of a run for a compiled program, which ends the visit with `programUnlock`. 0 when LEFT buckets are done, at
 * the end of the run, or when OUTCOME says why.
 */
export function programLock(table: usize, run: usize): usize {
  return byRunLayout<Next>(layoutOf(table), table, run);
}

/** Ends the visit of a bucket. Whether to go on. */
export function programUnlock(table: usize, run: usize): u32 {
  if (commit()) {
    if (word(run, STOPPED_AT)) return 0; // the position stays at the bucket's start: src/runs/run.ts
    passBucket(run);
    return 1;
  }
  setWord(run, VISITED, word(run, BEFORE_VISITED));
  setWord(run, UNLINKED, word(run, BEFORE_UNLINKED));
  setWord(run, VICTIM_COUNT, word(run, BEFORE_VICTIMS));
  setWord(run, STOPPED_AT, 0);
  setWord(run, OUTCOME, NO_LOCK);
  return 0;
}

/** Pulls what is left of chains into their buckets, and frees the blocks that are empty: each bucket an operation of its own. */
export function settleLocked<B>(table: usize): void {
  let position: u64 = 0;
  insistOnBuckets(table);
  while (position < WHOLE && field(table, OVERFLOW_COUNT)) {
    const hash = reverseBits(<u32>position);
    // Without the lock: a chain that this look misses, somebody else is busy with.
    const hasChain = !isUntouchedAt<B>(table, position) && changetype<B>(bucketOf<B>(table, hash)).link(true) != 0;
    if (hasChain) {
      const bucket = lockAt<B>(table, position, ALL);
      if (!bucket) return;
      settle<B>(table, bucket);
      commit();
    }
    position = behind(position);
  }
}
