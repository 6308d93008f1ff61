// What a thread refers to goes with it, when it leaves or is found dead: its references to maps (registry.ts). The pins of a table with
// PRIVATE go, too: its thread is the only one that refers to it.
import { follow, mostNodes } from "../damage";
import { commit, rollback, write32 } from "../sync/journal";
import { lockErrno } from "../sync/lock";
import { slotOf } from "../sync/slot";
import { field } from "../table/layout/header";
import { linkToPinOf, removePin } from "./pins";
import { NEXT, PIN_COUNT, PRIVATE, TABLES, adoptOrphan, begin, referencesOf, settle, sweepTables } from "./registry";

/**
 * Takes one of a slot's references back, or before that a pin of a table that goes with it. False when it has none, or the lock
 * could not be had: then ERRNO says so.
 */
function dropOne(cpu: u32): bool {
  if (!begin()) return false;
  let table = <usize>load<u32>(TABLES);
  let left = mostNodes();
  while (table && !load<u32>(referencesOf(table, cpu))) {
    left = follow(left);
    table = <usize>load<u32>(table + NEXT);
  }
  if (!table) {
    rollback();
    return false;
  }
  if (field(table, PRIVATE) && field(table, PIN_COUNT)) {
    // One for each operation: a journal has room for a fixed number of words.
    removePin(linkToPinOf(table));
    return commit();
  }
  write32(referencesOf(table, cpu), 0);
  settle(table);
  return commit();
}

/** Takes everything back that a slot refers to, whose thread leaves or is gone. False when the lock could not be had. */
export function dropReferencesOf(cpu: u32): bool {
  while (dropOne(cpu)) {}
  if (lockErrno() || !adoptOrphan(slotOf(cpu))) return false;
  sweepTables();
  return true;
}
