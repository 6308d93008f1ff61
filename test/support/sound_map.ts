/** Maps of all layouts with something of everything in them, for tests that damage it. */

import { BPF_F_NO_PREALLOC, bytes, type Codec, type HashMap, type MapType, u32 } from "../../src/index.ts";
import { CheckedHost } from "./checked_host.ts";
import { TableMemory } from "./core/table_memory.ts";

interface Sizes {
  readonly type: MapType;
  readonly keySize: number;
  readonly valueSize: number;
  readonly flags?: number;
  /** On hosts that are not shared. */
  readonly absentFilter?: boolean;
  /** How many are inserted; enough for chains and several buckets unless it says more. */
  readonly entries?: number;
  /** In two steps, the second of which needs a larger directory. */
  readonly grownTo?: number;
  readonly maxEntries?: number;
  readonly ttl?: number;
}

/** A map of each layout that grows, and of each that does not. */
export const KINDS = {
  keys: { type: "rhash", keySize: 4, valueSize: 8 },
  tags: { type: "rhash", keySize: 16, valueSize: 8 },
  refs: { type: "rhash", keySize: 5, valueSize: 120 },
  /** With a directory of segments behind the flat part of its buckets. */
  manyKeys: { type: "rhash", keySize: 4, valueSize: 8, maxEntries: 5000, entries: 3500 },
  filteredKeys: { type: "rhash", keySize: 4, valueSize: 8, absentFilter: true },
  fixedKeys: { type: "hash", keySize: 4, valueSize: 8 },
  fixedRefs: { type: "hash", keySize: 5, valueSize: 120 },
  lazyTags: { type: "hash", keySize: 16, valueSize: 8, flags: BPF_F_NO_PREALLOC },
  /** Full, with ghosts. */
  evictingKeys: { type: "lru_hash", keySize: 4, valueSize: 8, maxEntries: 600 },
  evictingTags: { type: "lru_hash", keySize: 16, valueSize: 8, maxEntries: 600, ttl: 1000 },
  evictingRefs: { type: "lru_hash", keySize: 5, valueSize: 120, maxEntries: 600 },
  /** In the exact order of their use. */
  evictingFew: { type: "lru_hash", keySize: 4, valueSize: 8, maxEntries: 30 },
  /** Some have expired. */
  timedKeys: { type: "hash", keySize: 4, valueSize: 8, ttl: 1000 },
  timedRefs: { type: "rhash", keySize: 5, valueSize: 120, ttl: 1000 },
  array: { type: "array", keySize: 4, valueSize: 13 },
  grownArray: { type: "array", keySize: 4, valueSize: 13, grownTo: 10_000 },
  grownSmallArray: { type: "array", keySize: 4, valueSize: 8, maxEntries: 3, grownTo: 20 },
} as const satisfies Record<string, Sizes>;
export type Kind = keyof typeof KINDS;

const ENTRIES = 700;
const MOST = 1000;

/** A sound map with chains, dead slots or elements, and free elements if its type has any. */
export function soundMap(kind: Kind, shared = false): TableMemory {
  const {
    type,
    keySize,
    valueSize,
    flags = 0,
    absentFilter,
    grownTo,
    entries = ENTRIES,
    maxEntries = MOST,
    ttl,
  }: Sizes = KINDS[kind];
  const checked = new CheckedHost({ seed: 7, shared, cpus: 4, clock: () => 0 });
  const key = (keySize === 4 ? u32 : bytes(keySize)) as Codec<number>;
  const spec = {
    type,
    key,
    value: bytes(valueSize),
    maxEntries,
    flags,
    absentFilter: absentFilter === true && !shared,
    ttl,
  } as const;
  const map = checked.host.createMap(spec) as unknown as HashMap<unknown, Uint8Array>;
  if (type !== "array") {
    const keyOf = (n: number): unknown => {
      const made = new Uint8Array(keySize);
      made.set([n, n >> 8, n % 3]);
      return keySize === 4 ? n : made;
    };
    for (let n = 0; n < entries; n++) map.set(keyOf(n), new Uint8Array(valueSize).fill(n));
    if (ttl !== undefined) {
      for (let n = 60; n < 100; n++) map.set(keyOf(n), new Uint8Array(valueSize).fill(n), { ttl: 1 });
      checked.host.expiry.tick(checked.host.clock.advance(500));
    }
    for (let n = 0; n < 50; n++) map.delete(keyOf(n));
    checked.host.section(() => {
      for (let n = 50; n < 60; n++) map.delete(keyOf(n));
    });
  }
  if (grownTo !== undefined) {
    map.grow(maxEntries + 5);
    map.grow(grownTo);
    map.grow(20 * grownTo);
  }
  checked.check();
  return new TableMemory(checked);
}
