/** One step of a comparison, in plain data: both sides can replay it, and so can a later run. */
import { COMMAND_NAMES } from "./commands.ts";
import type { Pointer } from "./memory.ts";

/** What all calls have in common. */
interface Call {
  readonly cmd: number;
  /** index of the descriptor; below 0: one of BAD_FDS */
  readonly slot: number;
  /** how long the attribute is said to be, in bytes */
  readonly size: number;
  /** offset of a byte of the attribute, behind the last field of the command or in padding, that is set to 1; or -1 */
  readonly poke: number;
}

/** MAP_CREATE into a slot that is free. `fields` are u32 words of the attribute by offset. */
export interface Create {
  readonly kind: "create";
  readonly slot: number;
  readonly fields: readonly (readonly [offset: number, word: number])[];
  /** the 16 bytes of map_name, in hex */
  readonly name: string;
  /** excl_prog_hash; its size is a field */
  readonly hashAt: Pointer;
  readonly size: number;
  readonly poke: number;
}

/** LOOKUP, UPDATE, DELETE, GET_NEXT_KEY, LOOKUP_AND_DELETE; keys and values by number. */
export interface Element extends Call {
  readonly kind: "element";
  readonly key: number;
  readonly value: number;
  readonly keyAt: Pointer;
  /** value, or next_key, which may be the same buffer as the key */
  readonly valueAt: Pointer;
  readonly flags: number;
  readonly flagsHigh: number;
}

/** The four batch commands. */
export interface Batch extends Call {
  readonly kind: "batch";
  readonly count: number;
  /** key numbers of updates and deletes, one per element */
  readonly keys: readonly number[];
  /** element i of an update gets the value of this number plus i */
  readonly value: number;
  readonly keysAt: Pointer;
  readonly valuesAt: Pointer;
  /** what in_batch points at: nothing, the cursor of the scan, or a number */
  readonly cursor: "null" | "carried" | number;
  readonly inAt: Pointer;
  readonly outAt: Pointer;
  /** index of the scan whose cursor this call carries on, or starts anew */
  readonly scan: number;
  readonly elemFlags: number;
  readonly flags: number;
}

export interface Freeze extends Call {
  readonly kind: "freeze";
}

export interface Info extends Call {
  readonly kind: "info";
  readonly length: number;
  readonly infoAt: Pointer;
  /** bytes of the buffer before the call: zero, or a pattern where it is output only */
  readonly fill: "zero" | "pattern" | "tail";
  /** info.hash and info.hash_size, which are inputs */
  readonly hashAt: Pointer;
  readonly hashSize: number;
}

/** A second descriptor of the map in `from`, by GET_FD_BY_ID. */
export interface Open {
  readonly kind: "open";
  readonly slot: number;
  readonly from: number;
  readonly flags: number;
  readonly size: number;
  readonly poke: number;
}

export interface Close {
  readonly kind: "close";
  readonly slot: number;
}

/** Reads everything, by batches of `count` or one key after the other, and compares it. */
export interface Walk {
  readonly kind: "walk";
  readonly slot: number;
  readonly by: "batch" | "next";
  readonly count: number;
}

/** A command number that does not exist. */
export interface Unknown extends Call {
  readonly kind: "unknown";
}

export type Operation = Create | Element | Batch | Freeze | Info | Open | Close | Walk | Unknown;

/** Keys of a batch that a message shows. */
const SHOWN_KEYS = 20;

/** The operation as a message shows it, with the name of the command. */
export function showOperation(operation: Operation): string {
  const name =
    "cmd" in operation ? (COMMAND_NAMES.get(operation.cmd) ?? `command ${operation.cmd}`) : operation.kind;
  const text = JSON.stringify(operation, (field, value) =>
    field === "keys" && value.length > SHOWN_KEYS ? [...value.slice(0, SHOWN_KEYS), "..."] : value,
  );
  return `${name} ${text}`;
}
