/**
 * Errno numbers and their names.
 *
 * @module
 */
import { ERRNO as LIBRARY_ERRNO } from "../../errors.ts";

/** The errnos that `host.bpf` answers with, by name. */
export const ERRNO = { ...LIBRARY_ERRNO, ENAMETOOLONG: 36 } as const;

const NAMES = new Map<number, string>(Object.entries(ERRNO).map(([name, errno]) => [errno, name]));

/**
 * The name of an errno, of either sign: `"EFAULT"` for 14 and for the result -14. `"OK"` for 0, `"E<number>"` for one that
 * `host.bpf` never gives.
 *
 * @example
 * ```ts
 * import { errnoName } from "bpfmap/uapi";
 *
 * console.log(errnoName(-524)); // ENOTSUPP
 * ```
 */
export function errnoName(errno: number): string {
  const number = Math.abs(errno);
  return number === 0 ? "OK" : (NAMES.get(number) ?? `E${number}`);
}
