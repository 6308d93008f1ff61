/**
 * What an attacker does who sees the keys of a map in their order, and guesses that the hash's secrets come from a number of 32 bits: he
 * expands every candidate as the core does (assembly/hash/hash.ts) and keeps those under which the order is right.
 */
const MASK = (1n << 64n) - 1n;

/** Output number `index` of splitmix64. */
function splitmix64(seed: bigint, index: bigint): bigint {
  let z = (seed + (index + 1n) * 0x9e3779b97f4a7c15n) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
}

export type Secrets = readonly [s0: bigint, s1: bigint, s2: bigint];

/** The number that the map with an id gets from its host's seed (src/core/tables/registry.ts). */
export function mapSeed(seed: number, id: number): number {
  const word = seed + Math.imul(id, 0x9e3779b1);
  let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The secrets that a table has from a number of 32 bits. */
export function secretsFrom(seed: number): Secrets {
  const start = BigInt(seed) | (1n << 32n);
  return [splitmix64(start, 0n), splitmix64(start, 1n) | 1n, splitmix64(start, 2n) | 1n];
}

/** Where a key of 4 bytes stands in the order of a map: its hash with the bits reversed. */
export function positionOf(key: number, [s0, s1, s2]: Secrets): number {
  let x = ((BigInt(key) ^ s0) * s1) & MASK;
  x ^= x >> 32n;
  let hash = Number(((x * s2) >> 32n) & 0xffff_ffffn);
  let position = 0;
  for (let bit = 0; bit < 32; bit++) {
    position = (position << 1) | (hash & 1);
    hash >>>= 1;
  }
  return position >>> 0;
}

/** Buckets follow each other in the order of positions, but keys may have any order in one: with 16 buckets, 4 bits of it show. */
export const SHOWN_BITS = 4;

/** Whether keys are in the order that secrets give them. A wrong candidate fails at the second or third key. */
export function isOrder(keys: readonly number[], secrets: Secrets): boolean {
  let last = -1;
  for (const key of keys) {
    const position = positionOf(key, secrets) >>> (32 - SHOWN_BITS);
    if (position < last) return false;
    last = position;
  }
  return true;
}

/** What an attacker sees of a map: its keys in the order of scans. */
export function inOrder(map: { nextKey(key?: number): number | undefined }): number[] {
  const keys: number[] = [];
  for (let key = map.nextKey(); key !== undefined; key = map.nextKey(key)) keys.push(key);
  return keys;
}

/** The candidates `from`..`from + count - 1` for the seed of a host under which a listing of the map with an id has its order. */
export function findSeeds(listing: readonly number[], id: number, from: number, count: number): number[] {
  const found: number[] = [];
  for (let seed = from; seed < from + count; seed++) {
    if (isOrder(listing, secretsFrom(mapSeed(seed, id)))) found.push(seed);
  }
  return found;
}
