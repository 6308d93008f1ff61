// The seeded hash. 4-byte keys: two 64-bit multiplies. From 8 bytes on: NH (Black et al., UMAC, CRYPTO '99), which multiplies
// pairs of words plus secrets and is 2^-32-almost-universal for secret words, then the same two multiplies. One multiply is
// not enough: strides of keys then show in the bucket bits.
//
// It is no PRF, and iteration order shows the order of hashes. A secret of 32 bits is found from thirty keys in that order, by
// trying all (test/host/seed_attack.test.ts). So hosts draw all of them at random, those of each table by themselves
// (src/core/memory/secrets.ts); expanded from a `seed` they are the same every time, and no protection.
//
// Secrets of a table, 24 bytes:  0 u64 S0 | 8 u64 S1, odd | 16 u64 S2, odd.  Words of NH: 128 per host, at SECRETS.
import { lastBytes, tailMask } from "../memory/bytes";
import { SECRETS } from "../regions";

/** Bytes behind a key or value that the core is handed, which it may read, too. */
export const READ_AHEAD: u32 = 8;

const CHUNK: u32 = 512; // bytes of a key that meet the 128 words once; longer keys chain chunks by S1
/** Where JavaScript puts the words of NH that it has drawn, and how many bytes they have. */
export const SECRETS_ADDRESS: u32 = <u32>SECRETS;
export const SECRETS_BYTES: u32 = CHUNK;

@inline function finish(x: u64, s2: u64): u32 {
  x ^= x >> 32;
  return <u32>((x * s2) >> 32);
}

const LEAST_TAGGED: u32 = 0x10000;

/** A hash as the layout "refs" uses it: its upper 16 bits serve as a tag there, of which 0 means "free". */
@inline export function tagged(hash: u32): u32 {
  return select<u32>(hash, hash | LEAST_TAGGED, hash >= LEAST_TAGGED);
}

@inline export function hash4With(key: u32, s0: u64, s1: u64, s2: u64): u32 {
  return finish((<u64>key ^ s0) * s1, s2);
}

@inline function pair(word: u64, secrets: usize): u64 {
  return <u64>(<u32>word + load<u32>(secrets)) * <u64>(<u32>(word >> 32) + load<u32>(secrets, 4));
}

@inline export function hash4(seeds: usize, key: u32): u32 {
  return hash4With(key, load<u64>(seeds), load<u64>(seeds, 8), load<u64>(seeds, 16));
}

@inline export function hash8(seeds: usize, key: u64): u32 {
  return finish((pair(key, SECRETS) ^ load<u64>(seeds)) * load<u64>(seeds, 8), load<u64>(seeds, 16));
}

@inline export function hash16(seeds: usize, key: usize): u32 {
  const x = pair(load<u64>(key), SECRETS) + pair(load<u64>(key, 8), SECRETS + 8);
  return finish((x ^ load<u64>(seeds)) * load<u64>(seeds, 8), load<u64>(seeds, 16));
}

/** The hash of a key of any size; equal to hash4, hash8 and hash16 for theirs. */
export function hashBytes(seeds: usize, key: usize, bytes: u32): u32 {
  if (bytes == 4) return hash4(seeds, load<u32>(key));
  if (bytes == 8) return hash8(seeds, load<u64>(key));
  let x: u64 = 0;
  let at: u32 = 0;
  while (bytes >= 8) {
    x += pair(load<u64>(key), SECRETS + at);
    key += 8;
    bytes -= 8;
    at += 8;
    if (at == CHUNK) {
      x *= load<u64>(seeds, 8);
      x ^= x >> 32;
      at = 0;
    }
  }
  if (bytes) x += pair(load<u64>(key) & tailMask(bytes), SECRETS + at);
  return finish((x ^ load<u64>(seeds)) * load<u64>(seeds, 8), load<u64>(seeds, 16));
}

/**
 * The hash of a text at an address. Its length is mixed in behind NH, to which zeros at the end would be nothing. The last word is read
 * from behind, since a text in a table may end where the memory does.
 */
export function hashText(seeds: usize, text: usize, bytes: u32): u32 {
  let x: u64 = 0;
  let at: u32 = 0;
  let left = bytes;
  while (left >= 8) {
    x += pair(load<u64>(text), SECRETS + at);
    text += 8;
    left -= 8;
    at += 8;
    if (at == CHUNK) {
      x *= load<u64>(seeds, 8);
      x ^= x >> 32;
      at = 0;
    }
  }
  if (left) x += pair(lastBytes(text, left), SECRETS + at);
  return finish((x ^ load<u64>(seeds) ^ (<u64>bytes << 32)) * load<u64>(seeds, 8), load<u64>(seeds, 16));
}

/** Bits in reverse order: the order of entries that splits and merges keep (table/scan/scan.ts). */
@inline export function reverseBits(x: u32): u32 {
  x = ((x >> 1) & 0x55555555) | ((x & 0x55555555) << 1);
  x = ((x >> 2) & 0x33333333) | ((x & 0x33333333) << 2);
  x = ((x >> 4) & 0x0f0f0f0f) | ((x & 0x0f0f0f0f) << 4);
  return bswap(x);
}

/** Output number `index` of splitmix64 (Steele, Lea, Flood 2014) started at `seed`. */
function splitmix64(seed: u64, index: u32): u64 {
  let z = seed + (<u64>index + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/** Expands the words of NH of a host from a seed. */
export function initSecrets(seed: u32): void {
  for (let i: u32 = 0; i < SECRETS_BYTES / 8; i++) store<u64>(SECRETS + (<usize>i << 3), splitmix64(<u64>seed, i));
}

/** Expands the secrets of one table from a seed. */
export function initSeeds(seeds: usize, seed: u32): void {
  const start = <u64>seed | (<u64>1 << 32); // another stream than the words of the host
  store<u64>(seeds, splitmix64(start, 0));
  store<u64>(seeds, splitmix64(start, 1) | 1, 8);
  store<u64>(seeds, splitmix64(start, 2) | 1, 16);
}
