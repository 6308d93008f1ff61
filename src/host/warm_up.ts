/**
 * `host.warmUp(map)`: makes a map's calls fast before the first one that counts.
 *
 * V8 runs code that is new in its interpreter and WebAssembly that is new as baseline code, and optimises on other threads what has been
 * called often. So a scratch map of the same class is called often, with pauses in which those threads get on.
 *
 * @module
 */
import type { Codec } from "../codec/codec.ts";
import { BPF_F_NO_PREALLOC } from "../constants.ts";
import { isArray } from "../core/tables/registry.ts";
import type { EntryMap } from "../maps/base/entry_map.ts";
import type { HashMap } from "../maps/hash/hash_map.ts";
import type { MapSpec } from "../maps/spec.ts";
import { slotCodec } from "../ops/percpu.ts";

/** Keys that are there at a time, and as many that are not: both fit a cache. */
const SCRATCH_KEYS = 64;
/** Some 60,000 calls: a round makes six a key. */
const ROUNDS = 160;
/** Between two pauses. */
const ROUNDS_AT_ONCE = 8;
/** ms */
const PAUSE = 1;

/** What a layout reads from a small number in its first byte: a number, a short text, a struct with one. */
function decoded<T>(codec: Codec<T>, first: number): T {
  const view = new DataView(new ArrayBuffer(codec.size));
  view.setUint8(0, first);
  try {
    const value = codec.decode(view, 0);
    codec.encode(value, view, 0);
    return value;
  } catch {
    // A text that has no room for a character.
    view.setUint8(0, 0);
    return codec.decode(view, 0);
  }
}

/** @param createScratch makes a map of the same host */
export async function warmUp(
  map: EntryMap<unknown, unknown>,
  createScratch: (spec: MapSpec<unknown, unknown>) => unknown,
): Promise<void> {
  const { keyCodec, valueCodec } = map;
  const { type, flags, absentFilter, eviction } = map.info;
  const scratch = createScratch({
    type,
    key: keyCodec,
    value: slotCodec(valueCodec),
    maxEntries: SCRATCH_KEYS,
    flags: type === "hash" || type === "percpu_hash" ? flags & BPF_F_NO_PREALLOC : 0,
    absentFilter,
    eviction,
  } as MapSpec<unknown, unknown>) as HashMap<unknown, unknown>;
  try {
    const keys = Array.from({ length: SCRATCH_KEYS }, (_, i) => decoded(keyCodec, i));
    const absent = Array.from({ length: SCRATCH_KEYS }, (_, i) => decoded(keyCodec, SCRATCH_KEYS + i));
    const value = decoded(valueCodec, 1);
    // Who closes the host meanwhile, closes the scratch map.
    for (let round = 1; round <= ROUNDS && !scratch.closed; round++) {
      for (const key of keys) scratch.set(key, value);
      for (const key of keys) scratch.get(key);
      for (const key of keys) scratch.set(key, value);
      for (const key of absent) scratch.get(key);
      for (const key of keys) scratch.has(key);
      if (!isArray(type)) for (const key of keys) scratch.delete(key);
      if (round % ROUNDS_AT_ONCE === 0) await new Promise<void>((done) => setTimeout(done, PAUSE));
    }
  } finally {
    scratch.close();
  }
}
