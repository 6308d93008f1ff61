// Checks the registry of a shared memory (host/registry.ts), and that all memory in use belongs to somebody: to a table, a pin or a slot.
import { PINS, PIN_LENGTH, PIN_PATH, PIN_TABLE } from "../host/pins";
import { DYING, ID, NEWEST_ID, NEXT, PIN_COUNT, TABLES, isReferenced, referencesOf } from "../host/registry";
import { allocationSize, bytesInUse } from "../memory/arena";
import { HOST_CPUS } from "../regions";
import { FREE, ORPHAN, slotOf } from "../sync/slot";
import { BYTES, HEADER_BYTES, LINES, field } from "../table/layout/header";
import { LINE_BYTES } from "../table/limit/credits";
import { isInUse } from "./arena";
import { BELONGINGS, REFERENCE_COUNTS, REGISTRY_LISTS, broken } from "./invariants";

/** In the place of a CPU slot in the details. */
const PINNED: u32 = 0xffffffff;
const NOBODY: u32 = 0xfffffffe;

/** Checks the lists of the registry, and compares what all have with what is in use; `owned` bytes belong to slots. */
export function verifyBelongings(owned: u32, out: usize): u32 {
  return verifyTables(TABLES, out) || verifyTables(DYING, out) || verifyPins(out) || verifyReferences(out) || verifyBytes(owned, out);
}

/** Whether there is a table, or what is left of one: it accounts for its header until that goes. */
function isTable(table: usize): bool {
  return isInUse(table, HEADER_BYTES) && field(table, BYTES) >= HEADER_BYTES;
}

/** Checks a list of tables; those that can be opened are in the order of their ids, the newest first. */
function verifyTables(list: usize, out: usize): u32 {
  const most = bytesInUse() / HEADER_BYTES;
  let newest = load<u32>(NEWEST_ID);
  let table = <usize>load<u32>(list);
  for (let tables: u32 = 0; table; tables++) {
    if (tables > most || !isTable(table)) return broken(out, REGISTRY_LISTS, <u32>list, <u32>table, tables, 0);
    if (list == TABLES) {
      const id = load<u32>(table + ID);
      if (!id || id > newest) return broken(out, REGISTRY_LISTS, <u32>list, <u32>table, tables, id);
      newest = id - 1;
    }
    table = <usize>load<u32>(table + NEXT);
  }
  return 0;
}

function isListed(table: usize): bool {
  let listed = <usize>load<u32>(TABLES);
  while (listed && listed != table) listed = <usize>load<u32>(listed + NEXT);
  return listed != 0;
}

/** Checks the list of pins, each of which leads to a table that can be opened. */
function verifyPins(out: usize): u32 {
  const most = bytesInUse() / allocationSize(<u32>PIN_PATH);
  let pin = <usize>load<u32>(PINS);
  for (let pins: u32 = 0; pin; pins++) {
    if (pins > most || !isInUse(pin, PIN_PATH) || !isInUse(pin, <u64>PIN_PATH + load<u32>(pin, PIN_LENGTH))) {
      return broken(out, REGISTRY_LISTS, <u32>PINS, <u32>pin, pins, 0);
    }
    if (!isListed(<usize>load<u32>(pin, PIN_TABLE))) return broken(out, REGISTRY_LISTS, <u32>PINS, <u32>pin, pins, 0);
    pin = <usize>load<u32>(pin);
  }
  return 0;
}

function pinsOf(table: usize): u32 {
  let pins: u32 = 0;
  let pin = <usize>load<u32>(PINS);
  while (pin) {
    pins += <u32>(<usize>load<u32>(pin, PIN_TABLE) == table);
    pin = <usize>load<u32>(pin);
  }
  return pins;
}

/** Checks who refers to the tables that can be opened: each thread in use once at most, and its pins. */
function verifyReferences(out: usize): u32 {
  const cpus = load<u32>(HOST_CPUS);
  let table = <usize>load<u32>(TABLES);
  while (table) {
    const pins = pinsOf(table);
    if (field(table, PIN_COUNT) != pins) return broken(out, REFERENCE_COUNTS, <u32>table, PINNED, field(table, PIN_COUNT), pins);
    if (!isInUse(<usize>field(table, LINES), cpus * LINE_BYTES)) return 0; // the check of the table says so
    for (let cpu: u32 = 0; cpu < cpus; cpu++) {
      const references = load<u32>(referencesOf(table, cpu));
      const most = <u32>(atomic.load<u32>(slotOf(cpu)) != FREE);
      if (references > most) return broken(out, REFERENCE_COUNTS, <u32>table, cpu, references, most);
    }
    if (!isReferenced(table)) return broken(out, REFERENCE_COUNTS, <u32>table, NOBODY, 0, 0);
    table = <usize>load<u32>(table + NEXT);
  }
  return 0;
}

function verifyBytes(owned: u32, out: usize): u32 {
  let tables = tableBytes(TABLES) + tableBytes(DYING);
  const cpus = load<u32>(HOST_CPUS);
  for (let cpu: u32 = 0; cpu < cpus; cpu++) {
    const orphan = <usize>load<u32>(slotOf(cpu), ORPHAN);
    if (!orphan) continue;
    if (!isTable(orphan)) return broken(out, REGISTRY_LISTS, <u32>(slotOf(cpu) + ORPHAN), <u32>orphan, 0, 0);
    tables += field(orphan, BYTES);
  }
  const pins = pinBytes();
  return owned + tables + pins == bytesInUse() ? 0 : broken(out, BELONGINGS, bytesInUse(), tables, owned, pins);
}

function tableBytes(list: usize): u32 {
  let bytes: u32 = 0;
  let table = <usize>load<u32>(list);
  while (table) {
    bytes += field(table, BYTES);
    table = <usize>load<u32>(table + NEXT);
  }
  return bytes;
}

function pinBytes(): u32 {
  let bytes: u32 = 0;
  let pin = <usize>load<u32>(PINS);
  while (pin) {
    bytes += allocationSize(<u32>PIN_PATH + load<u32>(pin, PIN_LENGTH));
    pin = <usize>load<u32>(pin);
  }
  return bytes;
}
