/** The constants of the core, read from its source: where in memory is what, and the numbers of the invariants. */
import { readFileSync } from "node:fs";

/** Name, value in both builds or in the shared one, and value in the plain one. A value is a number, or a name plus one. */
const CONSTANT =
  /^(?:export )?const (\w+): u\w+ = (?:SHARED \? (\d+) : (\d+)|([A-Z]\w*)(?: \+ (\d+))?|(\d+));/gm;

function read(file: string, shared: boolean, known?: ReadonlyMap<string, number>): Map<string, number> {
  const source = readFileSync(new URL(`../../assembly/${file}`, import.meta.url), "utf8");
  const found = new Map<string, number>();
  for (const [, name, inShared, inPlain, base, plus, value] of source.matchAll(CONSTANT)) {
    const start = base === undefined ? Number(value ?? (shared ? inShared : inPlain)) : known?.get(base);
    const from = start ?? found.get(base!);
    if (from !== undefined) found.set(name!, from + Number(plus ?? 0));
  }
  return found;
}

export class CoreConstants {
  readonly shared: boolean;
  readonly #regions: ReadonlyMap<string, number>;
  readonly #header: ReadonlyMap<string, number>;
  readonly #arena: ReadonlyMap<string, number>;
  readonly #slot: ReadonlyMap<string, number>;

  constructor(shared: boolean) {
    this.shared = shared;
    this.#regions = read("regions.ts", shared);
    this.#header = read("table/layout/header.ts", shared);
    this.#arena = read("memory/arena.ts", shared, this.#regions);
    this.#slot = read("sync/slot.ts", shared);
  }

  /** A fixed address of assembly/regions.ts. */
  region(name: string): number {
    return named(this.#regions, name);
  }

  /** Offset of a word of a table's header, as assembly/table/layout/header.ts calls it. */
  header(name: string): number {
    return named(this.#header, name);
  }

  /** Address of a word of the arena's state, as assembly/memory/arena.ts calls it. */
  arena(name: string): number {
    return named(this.#arena, name);
  }

  /** Offset of a word of a CPU slot, as assembly/sync/slot.ts calls it. */
  slot(name: string): number {
    return named(this.#slot, name);
  }
}

function named(values: ReadonlyMap<string, number>, name: string): number {
  const value = values.get(name);
  if (value === undefined) throw new Error(`the core has no constant ${name}`);
  return value;
}

const NUMBERS = read("verify/invariants.ts", false);

/** Number of an invariant, as assembly/verify/invariants.ts calls it. */
export const invariant = (name: string): number => named(NUMBERS, name);

/** Names, numbers and texts of the invariants in assembly/verify/invariants.ts. */
export function invariants(): { name: string; code: number; text: string }[] {
  const source = readFileSync(new URL("../../assembly/verify/invariants.ts", import.meta.url), "utf8");
  return [...source.matchAll(/^export const (\w+): u32 = (\d+); \/\/ (.+)$/gm)].map(
    ([, name, code, text]) => ({
      name: name!,
      code: Number(code),
      text: text!,
    }),
  );
}

/** Names of the invariants from one to another, both of them included. */
export function invariantsFrom(first: string, last: string): string[] {
  const [from, to] = [invariant(first), invariant(last)];
  return invariants().flatMap(({ name, code }) => (code >= from && code <= to ? [name] : []));
}
