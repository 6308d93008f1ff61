/**
 * Programs as functions of one entry.
 *
 * @module
 */
import type { LiveEntry } from "../entries/entry.ts";
import type { Program } from "../programs/program.ts";
import { isProgram } from "../programs/runnable.ts";

/** What a function gives for an entry, or the action of a compiled program. Throws EBADF once the program is closed. */
export function entryFunction<R, K, V>(
  program: ((entry: LiveEntry<K, V>) => R) | Program<K, V>,
): (entry: LiveEntry<K, V>) => R | number {
  if (!isProgram(program)) return program;
  return (entry) => program.evaluate(entry.keyAddress, entry.valueAddress);
}
