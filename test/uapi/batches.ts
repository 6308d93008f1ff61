/** What the tests of the batch commands have in common. */
import { expect } from "vitest";
import {
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_DELETE_BATCH as DB,
  BPF_MAP_LOOKUP_BATCH as LB,
  BPF_MAP_UPDATE_BATCH as UB,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH as XB,
} from "../../src/uapi/index.ts";
import { AT, Machine, type TypeName, UNTOUCHED } from "./machine.ts";

export const COMMANDS = { LB, XB, UB, DB } as const;
export type Command = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as Command[];
export const isArray = (type: TypeName) => type.endsWith("ARRAY");
export const OUT_END = 0xffff_ffff;
export const UNTOUCHED_U32 = 0xaaaa_aaaa;
/** What out_batch holds after the last batch of a scan. The kernel's RHASH (7.2) leaves it alone. */
export const endOf = (type: TypeName) => (type === "RHASH" ? UNTOUCHED_U32 : OUT_END);

/** A map of `max_entries`, with keys 0..entries-1. */
export function withMap(type: TypeName, entries: number, max_entries = 64) {
  const machine = new Machine();
  const fd = machine.create(type, { max_entries });
  const bytes = machine.valueBytes(type);
  machine.fill(
    Array.from({ length: entries }, (_, key) => key),
    bytes,
  );
  expect(machine.batch(UB, fd, entries)).toEqual(["OK", entries]);
  machine.wipe();
  return { machine, fd, bytes };
}

/** The keys that are in a map, of 0..63. */
export function present(machine: Machine, fd: number): number[] {
  const keys = Array.from({ length: 64 }, (_, key) => key);
  return keys.filter((key) => machine.elem(BPF_MAP_LOOKUP_ELEM, fd, key) === "OK");
}

export const upTo = (end: number) => Array.from({ length: end }, (_, i) => i);
export const sorted = (keys: number[]) => keys.toSorted((a, b) => a - b);

/** The key and value pairs of a batch agree with what {@link withMap} wrote. */
export function expectPairs(machine: Machine, count: number, bytes: number): number[] {
  const keys = machine.keys(count);
  const values = keys.map((_, i) => String(machine.value(AT.values + i * bytes, bytes)));
  expect(values).toEqual(keys.map((key) => String(Array(bytes).fill(key + 1))));
  // Nothing behind the last entry.
  expect(machine.bytes[AT.keys + 4 * count]).toBe(UNTOUCHED);
  expect(machine.bytes[AT.values + bytes * count]).toBe(UNTOUCHED);
  return keys;
}
