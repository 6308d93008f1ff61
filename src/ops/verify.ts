/**
 * Checks of everything that must hold in a map and in the memory of a host.
 *
 * @module
 */

import { BPF_F_NO_PREALLOC } from "../constants.ts";
import type { CoreHost } from "../core/core_host.ts";
import { slotAddress } from "../core/memory/shared_memory.ts";
import { isArray, isGrowable, kindOf } from "../core/tables/registry.ts";
import type { TableInfo } from "../core/tables/table.ts";
import { DamagedError, LockTimeoutError, mapSubject } from "../errors.ts";
import { DETAIL_WORDS, HOST_CPUS, SECTION_DEPTH, SLOT_COPY } from "../generated/abi.js";
import { hex, problemOf } from "./invariants.ts";

/** What a check of the core has found. */
function problem(host: CoreHost, subject: string, check: (out: number) => number): string[] {
  host.scratch.turn++;
  const out = host.scratch.value;
  return surviving(subject, () => {
    const broken = check(out);
    if (broken === 0) return [];
    return [`${subject}: ${problemOf(broken, host.u32.subarray(out >>> 2, (out >>> 2) + DETAIL_WORDS))}`];
  });
}

/** What a check has found; that it could not come to its end is a problem like others. */
function surviving(subject: string, check: () => string[]): string[] {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof DamagedError || error instanceof LockTimeoutError)) throw error;
    return [`${subject}: could not be checked to the end: ${error.message}`];
  }
}

/** What does not hold in a table. */
export function problemsOfTable(host: CoreHost, table: TableInfo): string[] {
  const { name, type, id, handle, keySize, valueBytes, storedBytes, maxEntries, flags, expiry } = table;
  const prealloc = !isGrowable(type) && !isArray(type) && type !== "kv" && (flags & BPF_F_NO_PREALLOC) === 0;
  const kind = [kindOf(table), Number(prealloc)] as const;
  return problem(
    host,
    mapSubject(name, type, id),
    (out) =>
      host.core.verify(handle, out) ||
      host.core.verifyCreated(handle, ...kind, keySize, storedBytes, maxEntries, out) ||
      (expiry === undefined
        ? 0
        : host.core.verifyExpiry(
            handle,
            expiry.resolution,
            expiry.ttl,
            valueBytes,
            Number(expiry.renews),
            out,
          )),
  );
}

/** That the core writes its copies where this thread reads them. */
function problemsOfCopies(host: CoreHost): string[] {
  if (!host.shared) return [];
  const at = host.word(slotAddress(host.cpu) + SLOT_COPY);
  const { copy } = host.scratch;
  return at === copy
    ? []
    : [`the host: copies of values are read at ${hex(copy)}, and the core writes them to ${hex(at)}`];
}

/** That the number of CPU slots is the one that this host was made with. */
function problemsOfCpus(host: CoreHost): string[] {
  if (!host.shared) return [];
  const cpus = host.word(HOST_CPUS);
  return cpus === host.cpus ? [] : [`the host: it has ${host.cpus} CPU slots, and its memory counts ${cpus}`];
}

/** That as many sections are open as this thread has opened. A shared host counts them for each of its threads (verifyArena). */
function problemsOfSections(host: CoreHost): string[] {
  const open = host.word(SECTION_DEPTH);
  const { sections } = host.registry;
  if (host.shared || open === sections) return [];
  return [`the host: ${sections} sections are open, and it counts ${open}`];
}

/** What does not hold in the memory of a host. */
export function problemsOfHost(host: CoreHost): string[] {
  const problems = problem(host, "the allocator", (out) => host.core.verifyArena(out));
  problems.push(...problemsOfSections(host), ...problemsOfCpus(host), ...problemsOfCopies(host));
  const ofTables = surviving("the list of maps", () => {
    for (const table of host.registry.all()) problems.push(...problemsOfTable(host, table));
    return [];
  });
  return [...problems, ...ofTables];
}
