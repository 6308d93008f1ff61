/** Operation sequences for one resize mode each, where the generator only meets all modes now and then. */
import { MAX_ROOM, type Operation, Random, SLOTS } from "../../src/testing/index.ts";

const insert = (key: number): Operation => ({ kind: "update", key, value: key & 0xffff, flags: 0 });
const remove = (key: number): Operation => ({ kind: "delete", key });
const lookup = (key: number): Operation => ({ kind: "lookup", key });

/** The numbers 0 to n - 1 in random order. */
export function shuffled(n: number, random: Random): number[] {
  const numbers = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [numbers[i], numbers[j]] = [numbers[j]!, numbers[i]!];
  }
  return numbers;
}

/** Only grows: n inserts, each key looked up again at some later time. */
export function* growth(n: number, seed: number): Generator<Operation> {
  const random = new Random(seed);
  const keys = shuffled(n, random);
  for (let i = 0; i < n; i++) {
    yield insert(keys[i]!);
    if (random.chance(30)) yield lookup(keys[random.below(i + 1)]!);
  }
  yield { kind: "check" };
}

/** Grows to n entries and shrinks to none, twice, in different orders. */
export function* growthAndShrink(n: number, seed: number): Generator<Operation> {
  const random = new Random(seed);
  for (let round = 0; round < 2; round++) {
    for (const key of shuffled(n, random)) yield insert(key);
    yield { kind: "check" };
    for (const key of shuffled(n, random)) {
      yield remove(key);
      if (random.chance(20)) yield lookup(random.below(n));
    }
    yield { kind: "check" };
  }
}

/** Climbs to n entries by five steps up and four down, and back: crosses every level boundary many times in both directions. */
export function* boundaryChurn(n: number, seed: number): Generator<Operation> {
  const random = new Random(seed);
  const present: number[] = [];
  const absent = shuffled(n, random);
  const up = (): Operation => {
    const key = absent.pop()!;
    present.push(key);
    return insert(key);
  };
  const down = (): Operation => {
    const at = random.below(present.length);
    const key = present[at]!;
    present[at] = present.at(-1)!;
    present.pop();
    absent.splice(random.below(absent.length + 1), 0, key);
    return remove(key);
  };
  while (absent.length > 4) {
    for (let i = 0; i < 5; i++) yield up();
    for (let i = 0; i < 4; i++) yield down();
  }
  yield { kind: "check" };
  while (present.length > 4) {
    for (let i = 0; i < 5; i++) yield down();
    for (let i = 0; i < 4; i++) yield up();
  }
  yield { kind: "check" };
}

/** Long sections that grow and shrink by n entries at once, so that resizing falls far behind, and work that repays it. */
export function* longSections(n: number, seed: number): Generator<Operation> {
  const random = new Random(seed);
  const half = n >> 1;
  for (let round = 0; round < 2; round++) {
    const keys = shuffled(n, random);
    yield { kind: "sectionBegin" };
    for (let i = 0; i < half; i++) {
      yield insert(keys[i]!);
      if (random.chance(20)) yield lookup(keys[random.below(i + 1)]!);
    }
    yield { kind: "sectionEnd" };
    yield { kind: "check" };
    for (let i = half; i < n; i++) yield insert(keys[i]!);
    yield { kind: "sectionBegin" };
    for (let i = 0; i < n; i++) {
      if (random.chance(20)) yield lookup(keys[random.between(i, n - 1)]!);
      yield i % 5 === 4 ? insert(keys[i - 1]!) : remove(keys[i]!);
    }
    yield { kind: "check" };
    yield { kind: "sectionEnd" };
    for (const key of keys) yield remove(key);
    yield { kind: "check" };
  }
}

/** Lets time pass between the operations, so that a few of a hundred entries expire in so many operations, and sweeps now and then. */
export function* withTime(operations: Iterable<Operation>, ttl: number, seed: number): Generator<Operation> {
  const random = new Random(seed);
  for (const operation of operations) {
    yield operation;
    if (random.chance(5)) yield { kind: "advance", by: random.between(1, 1 + (ttl >> 5)) };
    if (random.chance(1)) yield { kind: "sweep", buckets: random.below(256) };
  }
}

/** How often {@link withScans} adds what, in percent of the operations. */
export interface ScanShares {
  readonly scan: number;
  readonly iterate: number;
  readonly drain: number;
  /** percent of the steps that have room for one entry only */
  readonly single: number;
}

/** Puts steps of scans, iterations and drains between the operations. */
export function* withScans(
  operations: Iterable<Operation>,
  shares: ScanShares,
  seed: number,
): Generator<Operation> {
  const random = new Random(seed);
  const step = (kind: "scan" | "iterate" | "drain"): Operation => ({
    kind,
    slot: random.below(kind === "drain" ? 2 : SLOTS),
    room: random.chance(shares.single) ? 1 : random.between(1, MAX_ROOM),
  });
  for (const operation of operations) {
    yield operation;
    if (random.chance(shares.scan)) yield step("scan");
    if (random.chance(shares.iterate)) yield step("iterate");
    if (random.chance(shares.drain)) yield step("drain");
  }
}
