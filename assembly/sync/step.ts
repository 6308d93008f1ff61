// Steps of the protocol, for tests that decide what happens between two of them: the target "stepped" of asconfig.json calls
// out at each, and a test lets another thread go first there, or kills this one (test/threads/explorer).
@external("env", "step") declare function env_step(point: u32): void;

/** Whether this build has steps. As in counting.ts, calls stand behind `if (STEPPING)`. */
export const STEPPING: bool = isDefined(STEPPED);

export const STEP_LOCK: u32 = 1; // before a lock is tried
export const STEP_LOCKED: u32 = 2; // a lock was taken
export const STEP_UNLOCK: u32 = 3; // before a lock is released
export const STEP_STORE: u32 = 4; // a word is in the journal, its new value is not stored yet
export const STEP_COMMIT: u32 = 5; // before the commit point
export const STEP_PUBLISH: u32 = 6; // after the commit point, before a word is published
export const STEP_READ: u32 = 7; // a reader has read the version of a bucket
export const STEP_CHECK: u32 = 8; // a reader has read all it wants and checks the version next
export const STEP_INDEX: u32 = 9; // the bucket of a hash is computed, not yet looked at
export const STEP_HAZARD: u32 = 10; // a writer of its own per-CPU slot has announced itself
export const STEP_COUNT: u32 = 11; // a credit is noted in the journal, not yet taken
export const STEP_BLOCKED: u32 = 13; // this thread would sleep until another lets go of something
export const STEP_COPY: u32 = 14; // in the middle of a copy, or between finding a value and copying it
export const STEP_UNDO: u32 = 12; // an entry of a journal is about to be taken back

export function step(point: u32): void {
  env_step(point);
}
