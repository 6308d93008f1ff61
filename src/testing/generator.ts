/** Random operation sequences with the rhythm of real maps: they grow, shrink, churn, have hot keys, are scanned and drained. */
import { MAX_MANY, MAX_ROOM, type Operation, SLOTS } from "./operations.ts";
import { Random } from "./random.ts";

/** Counts, all of them whole numbers from 1. */
export interface GeneratorOptions {
  /** u32; the same seed and options give the same operations */
  readonly seed: number;
  /** how many operations */
  readonly steps: number;
  /** keys are drawn from the numbers 0 to `keys` - 1, at most 2^23; with more keys than maxEntries the map gets full */
  readonly keys: number;
  /** capacity of the map, in entries: tells the generator when the map is full */
  readonly maxEntries: number;
  /** whether operations raise the limit now and then, in steps of one and larger ones. Default false */
  readonly growth?: boolean;
  /** Whether the map evicts: then it is never full for a new key. Default false */
  readonly evicts?: boolean;
  /** ms after which entries expire: then time passes, entries have a ttl of their own, and the map is swept. Default: nothing expires */
  readonly ttl?: number | undefined;
}

/** What a phase favours, in percent; what is left goes to looking around: lookups, walks, scans, iteration. */
interface Phase {
  readonly insert: number;
  readonly remove: number;
  /** the phase also ends when this share of the capacity is reached, from below or from above */
  readonly until?: { readonly above: number } | { readonly below: number };
  readonly hot?: boolean;
  readonly section?: boolean;
  readonly drain?: boolean;
}

const GROWTH: Phase = { insert: 75, remove: 3, until: { above: 1 } };

const PHASES: readonly Phase[] = [
  GROWTH,
  { insert: 45, remove: 8, until: { above: 0.8 } }, // growth under scans
  { insert: 3, remove: 75, until: { below: 0.02 } }, // shrink
  { insert: 8, remove: 45, until: { below: 0.1 } }, // shrink under scans
  { insert: 40, remove: 40 }, // steady churn
  { insert: 35, remove: 30, hot: true },
  { insert: 60, remove: 8, section: true },
  { insert: 8, remove: 60, section: true },
  { insert: 4, remove: 4 }, // looking around
  { insert: 20, remove: 2, drain: true },
  { insert: 95, remove: 2 }, // updates of a map that is or gets full
];

const HOT_KEYS = 6;
/** Percent of the operations. */
const GROW_CHANCE = 2;
const TIME_CHANCE = 12;

/** Key numbers that are probably in the map: updates and deletes are known here, what drains took is not. */
class LiveKeys {
  readonly #keys: number[] = [];
  readonly #places = new Map<number, number>();

  get size(): number {
    return this.#keys.length;
  }

  add(key: number): void {
    if (this.#places.has(key)) return;
    this.#places.set(key, this.#keys.length);
    this.#keys.push(key);
  }

  remove(key: number): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    const last = this.#keys.pop()!;
    if (last === key) return;
    this.#keys[place] = last;
    this.#places.set(last, place);
  }

  pick(random: Random): number | undefined {
    return this.#keys[random.below(this.#keys.length)];
  }

  clear(): void {
    this.#keys.length = 0;
    this.#places.clear();
  }
}

class Sequence {
  readonly #options: GeneratorOptions;
  readonly #random: Random;
  readonly #live = new LiveKeys();
  #phase = GROWTH;
  #left: number;
  #section = false;
  /** By how much the limit has been raised. */
  #grown = 0;

  constructor(options: GeneratorOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#left = this.#phaseLength();
  }

  next(): Operation {
    if (this.#left <= 0 || this.#reached()) {
      if (this.#section) {
        this.#section = false;
        this.#left = 0;
        return { kind: "sectionEnd" };
      }
      this.#phase = PHASES[this.#random.below(PHASES.length)]!;
      this.#left = this.#phaseLength();
      if (this.#phase.section) {
        this.#section = true;
        return { kind: "sectionBegin" };
      }
    }
    this.#left--;
    if (this.#options.growth === true && this.#random.chance(GROW_CHANCE)) return this.#growth();
    const { ttl } = this.#options;
    if (ttl !== undefined && this.#random.chance(TIME_CHANCE)) return this.#ofTime(ttl);
    const roll = this.#random.below(100);
    const { insert, remove, drain } = this.#phase;
    if (roll < insert) return this.#insertion();
    if (roll < insert + remove) return this.#removal();
    if (drain && this.#random.chance(80)) return this.#drainStep();
    return this.#lookAround();
  }

  /** Long enough to cross the capacity a few times, short enough for several phases in one run. */
  #phaseLength(): number {
    const { maxEntries, steps } = this.#options;
    return this.#random.between(10, 40 + Math.min(4 * maxEntries, steps >> 2));
  }

  #reached(): boolean {
    const { until } = this.#phase;
    if (until === undefined) return false;
    const share = this.#live.size / (this.#options.maxEntries + this.#grown);
    return "above" in until ? share >= until.above : share <= until.below;
  }

  #growth(): Operation {
    const by = this.#random.chance(60) ? 1 : this.#random.below(256);
    this.#grown += by;
    return { kind: "grow", by };
  }

  #anyKey(): number {
    const keys = this.#options.keys + this.#grown;
    return this.#random.below(this.#phase.hot ? Math.min(HOT_KEYS, keys) : keys);
  }

  /** Mostly a key that is in the map, when there is one. */
  #presentKey(): number {
    if (this.#phase.hot || this.#random.chance(8)) return this.#anyKey();
    return this.#live.pick(this.#random) ?? this.#anyKey();
  }

  #insertion(): Operation {
    const key = this.#random.chance(12) ? this.#presentKey() : this.#anyKey();
    const roll = this.#random.below(200);
    const flags = roll < 160 ? 0 : roll < 180 ? 1 : roll < 199 ? 2 : this.#random.between(3, 255);
    if (flags <= 1) this.#inserted(key);
    return { kind: "update", key, value: this.#random.below(1 << 16), flags };
  }

  /** Time goes slowly enough for a map to fill, and now and then all has expired at once. */
  #ofTime(ttl: number): Operation {
    const random = this.#random;
    const roll = random.below(200);
    if (roll < 70) return { kind: "advance", by: random.between(1, 1 + (ttl >> 6)) };
    if (roll < 90) return { kind: "advance", by: random.between(1, 1 + (ttl >> 2)) };
    if (roll < 92) return { kind: "advance", by: random.between(ttl >> 1, 2 * ttl) };
    if (roll < 100) return { kind: "sweep", buckets: random.chance(10) ? 255 : random.below(10) };
    if (roll < 102) return { kind: "process", remove: random.chance(60) ? 0 : random.below(256) };
    if (roll < 103 && random.chance(30)) {
      this.#live.clear();
      return { kind: "drainAll", room: this.#room() };
    }
    const key = this.#presentKey();
    if (roll < 140) return { kind: "remainingTtl", key };
    this.#inserted(key);
    if (roll < 155) return { kind: "add", key, by: random.below(256) };
    const own = [0, 1, ttl >> 4, ttl >> 1, 2 * ttl][random.below(5)]!;
    return { kind: "set", key, value: random.below(1 << 16), ttl: Math.min(own, 0xffff) };
  }

  #inserted(key: number): void {
    const full = this.#live.size >= this.#options.maxEntries + this.#grown;
    if (full && this.#options.evicts !== true) return;
    // Any other may be the one that goes.
    if (full) this.#live.remove(this.#live.pick(this.#random)!);
    this.#live.add(key);
  }

  #removal(): Operation {
    const key = this.#presentKey();
    this.#live.remove(key);
    return { kind: this.#random.chance(80) ? "delete" : "lookupAndDelete", key };
  }

  /** Rooms of 1 often: the smallest step is where cursors go wrong. */
  #room(): number {
    return this.#random.chance(30) ? 1 : this.#random.between(1, MAX_ROOM);
  }

  #drainStep(): Operation {
    return { kind: "drain", slot: this.#random.below(2), room: this.#room() };
  }

  #lookAround(): Operation {
    const random = this.#random;
    const key = random.chance(70) ? this.#presentKey() : this.#anyKey();
    const roll = random.below(100);
    if (roll < 25) return { kind: "lookup", key };
    if (roll < 29) return { kind: "has", key };
    if (roll < 34) return { kind: "nextKey", key };
    if (roll < 36) return { kind: "firstKey" };
    if (roll < 42) {
      const count = random.chance(20) ? 1 : random.between(1, MAX_MANY);
      return { kind: "lookupMany", key, count, stride: random.chance(70) ? 1 : random.below(256) };
    }
    if (roll < 78) return { kind: "scan", slot: random.below(SLOTS), room: this.#room() };
    if (roll < 94) return { kind: "iterate", slot: random.below(SLOTS), room: this.#room() };
    // The rest costs time in proportion to the map, or ends what could be found: rare.
    const rare = random.below(600);
    if (rare < 60) return { kind: "rewind", slot: random.below(SLOTS) };
    if (rare < 90) return { kind: "walk" };
    if (rare < 100) return this.#drainStep();
    if (rare < 160) return { kind: "check" };
    if (rare < 163) {
      this.#live.clear();
      return { kind: "clear" };
    }
    return { kind: "lookup", key };
  }
}

/**
 * Gives operations one by one, so that long runs need no list of them: phases of growth, shrink, steady churn, few hot keys,
 * sections, scans and drains, of random length, from 10 operations up to four times the capacity.
 *
 * @example
 * ```ts
 * import { generateOperations } from "bpfmap/testing";
 * const operations = [...generateOperations({ seed: 1, steps: 1000, keys: 200, maxEntries: 100 })];
 * console.log(operations.length); // 1000
 * ```
 */
export function* generateOperations(options: GeneratorOptions): Generator<Operation, void> {
  const sequence = new Sequence(options);
  for (let step = 0; step < options.steps; step++) yield sequence.next();
}
