/**
 * Keys with chosen hashes. From 8 bytes on the core hashes pairs of 32-bit words with NH, the sum of
 * (word + secret) * (next word + next secret) modulo 2^64 (assembly/hash/hash.ts, Black et al., CRYPTO '99). Who knows the
 * secrets chooses the first word of a pair as minus its secret: the product is 0 whatever the second word is. So 2^32 keys
 * have one hash, on the host with this seed and on no other.
 */
import type { ManyFound, ScanStep, Subject, SubjectScan, SubjectStats } from "../../src/testing/index.ts";

const MASK = 0xffff_ffff_ffff_ffffn;

/** Output number `index` of splitmix64 started at `seed`: the words of NH of a host (assembly/hash/hash.ts). */
function splitmix64(seed: number, index: number): bigint {
  let z = (BigInt(seed) + BigInt(index + 1) * 0x9e3779b97f4a7c15n) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
}

/** The u32 that makes word pair number `pair` of a key vanish from its hash, on a host made with `seed`. */
export function vanishingWord(seed: number, pair: number): number {
  return Number(-splitmix64(seed, pair) & 0xffff_ffffn);
}

/**
 * Shows a map with keys of 16 bytes as one with keys of 4, such that all keys with the same number modulo `groups` have the
 * same 32-bit hash: pair 0 of the long key is (group, 0), pair 1 is (vanishing word, key).
 */
export class CollidingSubject implements Subject {
  readonly keySize = 4;
  readonly #inner: Subject;
  readonly #groups: number;
  readonly #vanishing: number;

  /** @param inner a map with keys of 16 bytes on a host made with `seed` */
  constructor(inner: Subject, seed: number, groups: number) {
    this.#inner = inner;
    this.#groups = groups;
    this.#vanishing = vanishingWord(seed, 1);
  }

  #long(key: Uint8Array): Uint8Array {
    const long = new Uint8Array(16);
    const view = new DataView(long.buffer);
    const number = new DataView(key.buffer, key.byteOffset).getUint32(0, true);
    view.setUint32(0, number % this.#groups, true);
    view.setUint32(8, this.#vanishing, true);
    long.set(key, 12);
    return long;
  }

  #short(step: ScanStep): ScanStep {
    return { ...step, keys: step.keys.map((key) => key.slice(12)) };
  }

  #scan(scan: SubjectScan): SubjectScan {
    return {
      step: (room): ScanStep | number => {
        const step = scan.step(room);
        return typeof step === "number" ? step : this.#short(step);
      },
      rewind: () => scan.rewind(),
    };
  }

  get type() {
    return this.#inner.type;
  }

  get valueSize(): number {
    return this.#inner.valueSize;
  }

  get maxEntries(): number {
    return this.#inner.maxEntries;
  }

  get ttl() {
    return this.#inner.ttl;
  }

  get ttlResolution() {
    return this.#inner.ttlResolution;
  }

  get updateAgeOnGet() {
    return this.#inner.updateAgeOnGet;
  }

  get stableAddresses(): boolean {
    return this.#inner.stableAddresses;
  }

  get size(): number {
    return this.#inner.size;
  }

  update(key: Uint8Array, value: Uint8Array, flags: number, ttl?: number): number {
    return this.#inner.update(this.#long(key), value, flags, ttl);
  }

  add(key: Uint8Array, by: number): number {
    return this.#inner.add(this.#long(key), by);
  }

  remainingTtl(key: Uint8Array): number {
    return this.#inner.remainingTtl(this.#long(key));
  }

  advance(ms: number): void {
    this.#inner.advance(ms);
  }

  sweep(buckets: number): void {
    this.#inner.sweep(buckets);
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    return this.#inner.lookup(this.#long(key));
  }

  has(key: Uint8Array): boolean {
    return this.#inner.has(this.#long(key));
  }

  delete(key: Uint8Array): number {
    return this.#inner.delete(this.#long(key));
  }

  lookupAndDelete(key: Uint8Array): Uint8Array | number {
    return this.#inner.lookupAndDelete(this.#long(key));
  }

  nextKey(key?: Uint8Array): Uint8Array | undefined {
    return this.#inner.nextKey(key === undefined ? undefined : this.#long(key))?.slice(12);
  }

  lookupMany(keys: Uint8Array, count: number): ManyFound {
    const long = new Uint8Array(16 * count);
    for (let i = 0; i < count; i++) long.set(this.#long(keys.slice(4 * i, 4 * i + 4)), 16 * i);
    return this.#inner.lookupMany(long, count);
  }

  scan(): SubjectScan {
    return this.#scan(this.#inner.scan());
  }

  drain(): SubjectScan {
    return this.#scan(this.#inner.drain());
  }

  drainAll(room: number): ScanStep {
    return this.#short(this.#inner.drainAll(room));
  }

  process(remove: number): ScanStep | number {
    const seen = this.#inner.process(remove);
    return typeof seen === "number" ? seen : this.#short(seen);
  }

  *entries(): Generator<readonly [Uint8Array, Uint8Array]> {
    const iterator = this.#inner.entries();
    for (let next = iterator.next(); !next.done; next = iterator.next()) {
      yield [next.value[0].slice(12), next.value[1]];
    }
  }

  address(key: Uint8Array): number {
    return this.#inner.address(this.#long(key));
  }

  bytesAt(address: number, length: number): Uint8Array {
    return this.#inner.bytesAt(address, length);
  }

  section(body: () => void): void {
    this.#inner.section(body);
  }

  clear(): number {
    return this.#inner.clear();
  }

  grow(maxEntries: number): number {
    return this.#inner.grow(maxEntries);
  }

  freeze(): number {
    return this.#inner.freeze();
  }

  memoryUsage(): number {
    return this.#inner.memoryUsage();
  }

  /** Keys of equal hash cannot be split apart: the bound on entries moved holds for hashes that nobody chose. */
  stats(): SubjectStats {
    return { ...this.#inner.stats(), maxMoved: 0 };
  }

  close(): number {
    return this.#inner.close();
  }
}
