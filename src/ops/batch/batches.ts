/**
 * Scanning a map in batches.
 *
 * @module
 */
import type { EntryHandle } from "../handle.ts";
import { Batch } from "./batch.ts";

/** {@link EntryMap.batches}. */
export function* eachBatch<K, V>(
  map: EntryHandle<K, V>,
  size: number,
): Generator<Batch<K, V>, void, undefined> {
  if (map.closed) map.refuse("createBatch");
  const batch = new Batch(map, size);
  try {
    let more = true;
    while (more) {
      batch.count = size;
      if (map.reading === 0) map.refuse("lookupBatch");
      more = batch.fill(map, "lookupBatch");
      if (batch.count > 0) yield batch;
    }
  } finally {
    batch.close();
  }
}
