// Taking back, or finishing, what the journal of a slot says; for the slot's own thread and for whoever recovers it. Doing it
// again after dying in the middle gives the same: every entry stores an old value, or checks whether it was done.
import { insist } from "../damage";
import { takeBack } from "./credit_word";
import { LOG, LOG_COUNT, LOG_ROOM, PUBLISH_AT, PUBLISH_VALUE } from "./slot";
import { STEPPING, STEP_UNDO, step } from "./step";

/** In place of the number of entries: past the commit point. */
export const COMMITTED: u32 = 0x80000000;
/** Address in an entry that says how many credits the entry before it is about. */
export const CREDIT: usize = 2;

export function undo(slot: usize): void {
  const count = load<u32>(slot, LOG_COUNT);
  if (count == COMMITTED) {
    const at = <usize>load<u32>(slot, PUBLISH_AT);
    if (at) atomic.store<u32>(at, load<u32>(slot, PUBLISH_VALUE));
  } else {
    const log = <usize>load<u32>(slot, LOG);
    insist(count <= load<u32>(slot, LOG_ROOM));
    let taken: i32 = 0;
    for (let i = count; i > 0; i--) {
      if (STEPPING) step(STEP_UNDO);
      const entry = log + (<usize>(i - 1) << 3);
      const at = <usize>load<u32>(entry);
      if (at == CREDIT) taken = load<i32>(entry, 4);
      else if (at & 1) takeBack(at & ~1, load<u32>(entry, 4), taken);
      else store<u32>(at, load<u32>(entry, 4));
    }
  }
  store<u32>(slot, 0, PUBLISH_AT);
  store<u32>(slot, 0, LOG_COUNT);
}
