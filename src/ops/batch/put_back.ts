/**
 * Entries that were taken out of a map and go back, since whoever was to have them did not take them.
 *
 * @module
 */
import { BPF_NOEXIST } from "../../constants.ts";
import { updateEntry } from "../../core/tables/table_calls.ts";
import { ERRNO, type Operation } from "../../errors.ts";
import type { MapHandle } from "../handle.ts";
import { callLowWater, LOW_WATER, passing } from "../low_water.ts";

/** How {@link putBack} ended. */
export interface PutBack {
  /** How many the map did not take, and the errno of the last of them. */
  readonly lost: number;
  readonly errno: number;
  /** What a low-water hook has thrown. */
  readonly thrown: readonly unknown[];
}

/** Inserts entries where their key is absent. `entryAt` gives the addresses of key and value of an entry. */
export function putBack(
  map: MapHandle<unknown, unknown>,
  operation: Operation,
  from: number,
  to: number,
  entryAt: (index: number) => readonly [key: number, value: number],
): PutBack {
  const { host, table } = map;
  let errno = 0;
  let lost = 0;
  const thrown: unknown[] = [];
  // A hook may close the map, and what the entries are in.
  host.registry.hold(table);
  host.pins.calls++;
  try {
    for (let i = from; i < to && !host.closed; i++) {
      const [key, value] = entryAt(i);
      const put = () => updateEntry(host, table, key, value, BPF_NOEXIST);
      let failed = put();
      while (failed === LOW_WATER) {
        let { maxEntries } = table;
        try {
          maxEntries = callLowWater(map, operation);
        } catch (error) {
          // What was taken out goes back whatever the hook does.
          thrown.push(error);
        }
        if (host.closed) break; // and the entries are gone with it
        failed = passing(host, table, maxEntries, put);
      }
      if (host.closed) break;
      if (host.u8.length === 0) host.refresh();
      if (failed === 0 || failed === ERRNO.EEXIST) continue;
      errno = failed;
      lost++;
    }
  } finally {
    if (!host.closed) host.registry.drop(table);
    host.pins.letGo();
  }
  return { errno, lost, thrown };
}
