/**
 * Raising the limit of a map that can grow.
 *
 * @module
 */
import { checkInteger } from "../arguments/integer.ts";
import { bpfError, ERRNO } from "../errors.ts";
import { subjectOf } from "./failure.ts";
import type { MapHandle } from "./handle.ts";
import { noteDirect } from "./low_water.ts";

const U32_MAX = 0xffff_ffff;

/** Checks a new limit, and has the core raise the map's to it. */
export function growTo(
  map: MapHandle<unknown, unknown> & { readonly frozen: boolean },
  maxEntries: number,
  most: number,
): void {
  const { host, table } = map;
  const subject = subjectOf(map);
  checkInteger(`grow: ${subject}: maxEntries`, maxEntries, 0, U32_MAX);
  if (maxEntries < table.maxEntries) throw tooFew(subject, maxEntries, table.maxEntries);
  if (maxEntries > most) {
    const cause = `cannot have maxEntries = ${maxEntries}; the limit is 2^${Math.log2(most)}`;
    throw bpfError(ERRNO.E2BIG, "grow", subject, cause);
  }
  if (map.frozen) map.fail("grow", ERRNO.EPERM);
  const errno = host.core.setMaxEntries(table.handle, maxEntries);
  if (host.u8.length === 0) host.refresh();
  // Another thread has grown it further meanwhile.
  if (errno === ERRNO.EINVAL) throw tooFew(subject, maxEntries, table.maxEntries);
  if (errno !== 0) map.fail("grow", errno);
  table.maxEntries = maxEntries;
  noteDirect(host, table);
}

function tooFew(subject: string, asked: number, maxEntries: number): Error {
  const cause = `has maxEntries = ${maxEntries} already, more than ${asked}`;
  return bpfError(ERRNO.EINVAL, "grow", subject, cause);
}
