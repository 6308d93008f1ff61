/** The constants of the core, by the names that they have there: where in memory is what, and the numbers of the invariants. */
import * as abi from "../../../src/generated/abi.js";

const VALUES: ReadonlyMap<string, unknown> = new Map(Object.entries(abi));

export class CoreConstants {
  readonly shared: boolean;

  constructor(shared: boolean) {
    this.shared = shared;
  }

  /** A constant of assembly/abi.ts, which may differ between the builds. */
  named(name: string): number {
    const value = VALUES.get(name) ?? VALUES.get(`${this.shared ? "SHARED" : "PLAIN"}_${name}`);
    if (typeof value !== "number") throw new Error(`assembly/abi.ts has no constant ${name}`);
    return value;
  }

  /** A fixed address of assembly/regions.ts. */
  region(name: string): number {
    return this.named(name);
  }

  /** Offset of a word of a table's header, as assembly/table/layout/header.ts calls it. */
  header(name: string): number {
    return this.named(`TABLE_${name}`);
  }

  /** Address of a word of the arena's state, as assembly/memory/arena.ts calls it. */
  arena(name: string): number {
    return this.named(`ARENA_${name}`);
  }

  /** Offset of a word of a CPU slot, as assembly/sync/slot.ts calls it. */
  slot(name: string): number {
    return this.named(`SLOT_${name}`);
  }
}

/** Names, numbers and texts of the invariants in assembly/verify/invariants.ts. */
export function invariants(): { name: string; code: number; text: string }[] {
  return Object.entries(abi.INVARIANTS).map(([name, { code, text }]) => ({ name, code, text }));
}

/** Number of an invariant, as assembly/verify/invariants.ts calls it. */
export function invariant(name: string): number {
  const found = invariants().find((one) => one.name === name);
  if (found === undefined) throw new Error(`the core has no invariant ${name}`);
  return found.code;
}

/** Names of the invariants from one to another, both of them included. */
export function invariantsFrom(first: string, last: string): string[] {
  const [from, to] = [invariant(first), invariant(last)];
  return invariants().flatMap(({ name, code }) => (code >= from && code <= to ? [name] : []));
}
