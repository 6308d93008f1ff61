/**
 * Checks of everything that must hold in a map and in the memory of a host.
 *
 * @module
 */
import { mapSubject } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { TableInfo } from "../host/table.ts";
import { problemOf } from "./invariants.ts";

const DETAIL_WORDS = 4;

/** What a check of the core has found. */
function problem(host: Host, subject: string, check: (out: number) => number): string[] {
  host.scratch.turn++;
  const out = host.scratch.value;
  const broken = check(out);
  if (broken === 0) return [];
  return [`${subject}: ${problemOf(broken, host.u32.subarray(out >>> 2, (out >>> 2) + DETAIL_WORDS))}`];
}

/** What does not hold in a table. */
export function problemsOfTable(host: Host, table: TableInfo): string[] {
  const { name, type, id, handle } = table;
  return problem(host, mapSubject(name, type, id), (out) => host.core.verify(handle, out));
}

/** What does not hold in the memory of a host. */
export function problemsOfHost(host: Host): string[] {
  const problems = problem(host, "the allocator", (out) => host.core.verifyArena(out));
  for (const table of host.tables.all()) problems.push(...problemsOfTable(host, table));
  return problems;
}
