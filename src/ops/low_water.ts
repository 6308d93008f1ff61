/**
 * Low-water marks: calling the hook of a map from within the operation that the core has refused for it, and making that call again.
 *
 * The core answers LOW_WATER instead of inserting (assembly/table/limit/low_water.ts). Whoever gets it has the hook called and then
 * calls again, with leave to pass this mark: so an insert is told of a mark at most once, whatever the hook did. A map that has grown has
 * another mark, further on, and an insert that is beyond that one, too, is told again.
 *
 * @module
 */
import { checkNoPromise, checkPlainFunction } from "../arguments/functions.ts";
import { checkInteger } from "../arguments/integer.ts";
import { checkSlips } from "../arguments/known.ts";
import { describe } from "../arguments/mismatch.ts";
import type { CoreHost } from "../core/core_host.ts";
import { sharedCore } from "../core/memory/shared_core.ts";
import type { LowWater, MapType } from "../core/tables/map_types.ts";
import { evicts, isArray } from "../core/tables/registry.ts";
import type { Table, TableHooks } from "../core/tables/table.ts";
import { bpfError, ERRNO, type Operation } from "../errors.ts";
import { coreError, subjectOf } from "./failure.ts";
import type { MapHandle } from "./handle.ts";

/** What the core answers in the place of an errno. */
export { LOW_WATER } from "../generated/abi.js";

type AnyMap = MapHandle<unknown, unknown>;
type AnyHook = LowWater<AnyMap>;

interface Hooked {
  readonly map: AnyMap;
  readonly hook: AnyHook;
}

/** The hooks that the handles of this thread have on a table. All have the same mark. */
export class LowWaterHooks implements TableHooks {
  readonly free: number;
  readonly #host: CoreHost;
  readonly #table: Table;
  readonly #hooked: Hooked[] = [];
  #running = false;

  constructor(host: CoreHost, table: Table, free: number) {
    this.#host = host;
    this.#table = table;
    this.free = free;
  }

  add(hooked: Hooked): void {
    this.#hooked.push(hooked);
  }

  /** False when none is left. */
  remove(map: AnyMap): boolean {
    const at = this.#hooked.findIndex((hooked) => hooked.map === map);
    this.#hooked.splice(at, 1);
    return this.#hooked.length > 0;
  }

  /** Calls the hook of the handle that the operation was called on or, when it has none, that of the one opened first. */
  call(caller: AnyMap | undefined): void {
    // A hook that inserts passes the mark.
    if (this.#running) return;
    const hooked = this.#hooked.find(({ map }) => map === caller) ?? this.#hooked[0];
    this.#running = true;
    try {
      const result: unknown = hooked.hook.grow(hooked.map as never);
      checkNoPromise(`lowWater: ${subjectOf(hooked.map)}: grow`, result, "operation");
    } catch (error) {
      if (this.#table.references > 0 && !this.#host.closed) {
        this.#host.core.rearmLowWater(this.#table.handle);
      }
      throw error;
    } finally {
      this.#running = false;
    }
  }
}

/** All of {@link LowWater}. */
export const HOOK_OPTIONS = ["free", "grow"];

/** A hook of the caller's as it is now, if there is one; throws for another form. */
export function takeLowWater(what: string, lowWater: unknown): AnyHook | undefined {
  if (lowWater === undefined) return undefined;
  if (typeof lowWater !== "object" || lowWater === null) {
    throw new TypeError(`${what}: lowWater: expected { free, grow }, got ${describe(lowWater)}`);
  }
  checkSlips(`${what}: lowWater`, lowWater, HOOK_OPTIONS);
  const { free, grow } = lowWater as AnyHook;
  checkInteger(`${what}: lowWater.free`, free, 1, 0xffff_ffff);
  checkPlainFunction(`${what}: lowWater.grow`, grow, "operation");
  return { free, grow: (map) => grow.call(lowWater, map) };
}

/** Why maps of a type take no hook. */
export function refuseLowWater(type: MapType): string | undefined {
  if (type === "rhash" || isArray(type)) return undefined;
  return `has a lowWater hook, but ${evicts(type) ? "an" : "a"} ${type} never grows`;
}

/** Where the mark of a table with so many entries is. */
function markOf(table: Table, free: number): number {
  return Math.max(0, table.maxEntries - free);
}

/** Notes which indices of an array are written without asking the core: those of its first block that are below the mark. */
export function noteDirect(host: CoreHost, table: Table): void {
  if (!isArray(table.type)) return;
  const base = host.word(table.handle + host.layout.arrayBase);
  const hooks = table.lowWater;
  table.direct = hooks === undefined ? base : Math.min(base, markOf(table, hooks.free));
}

function setMark(map: AnyMap, free: number): void {
  const errno = map.host.core.setLowWater(map.table.handle, free);
  if (errno !== 0) throw coreError(map, "open", errno);
}

/** Gives a handle its hook. */
export function hookLowWater(map: AnyMap, hook: AnyHook): void {
  const { host, table } = map;
  if (table.lowWater === undefined) {
    setMark(map, hook.free);
    if (host.shared) sharedCore(host).hookLowWater(1);
    table.lowWater = new LowWaterHooks(host, table, hook.free);
    noteDirect(host, table);
  }
  table.lowWater.add({ map, hook });
  map.resources.add({ close: () => unhook(map) });
}

/** The mark of a map of shared memory stays: another thread may have a hook. */
function unhook(map: AnyMap): void {
  const { host, table } = map;
  if (table.lowWater?.remove(map) !== false) return;
  table.lowWater = undefined;
  if (host.shared) sharedCore(host).hookLowWater(-1);
  else setMark(map, 0);
  noteDirect(host, table);
}

/** Makes a call that may pass the mark of `maxEntries` once. */
export function passing<T>(host: CoreHost, table: Table, maxEntries: number, call: () => T): T {
  const { core } = host;
  core.passLowWater(table.handle, maxEntries);
  try {
    return call();
  } finally {
    core.passLowWater(0, 0);
  }
}

/**
 * Has the hook called; the value in the scratch is what it was then. Throws what the hook throws, and when it closed the map.
 *
 * @returns the limit whose mark was crossed
 */
export function callLowWater(map: AnyMap, operation: Operation): number {
  const { host, table } = map;
  const { maxEntries } = table;
  const { scratch } = host;
  const value = host.u8.slice(scratch.value, scratch.value + table.valueBytes);
  table.lowWater?.call(map);
  if (map.writing === 0) map.refuse(operation);
  host.u8.set(value, scratch.value);
  return maxEntries;
}

/** What is wrong with a mark, if the map has another one. */
export function otherMark(host: CoreHost, table: Table, free: number): string | undefined {
  const known = host.word(table.handle + host.layout.lowFree);
  return known === 0 || known === free ? undefined : `its lowWater has free = ${known}, not ${free}`;
}

/** Throws for a mark that is more than there are slots. */
export function checkMark(what: string, free: number, maxEntries: number): void {
  if (free > maxEntries) {
    throw new RangeError(`${what}: lowWater.free: expected 1..${maxEntries} (maxEntries), got ${free}`);
  }
}

/** The error for a type that takes no hook. */
export function lowWaterError(operation: "createMap" | "open", subject: string, cause: string): Error {
  return bpfError(ERRNO.EINVAL, operation, subject, cause, 'use type "rhash", or an array');
}
