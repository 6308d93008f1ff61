/** A map whose entries expire beside a JavaScript Map that knows when they do, by random calls on a clock that random steps move. */
import { expect } from "vitest";
import {
  ACT_DELETE,
  ACT_KEEP,
  BPF_EXIST,
  BPF_NOEXIST,
  BpfError,
  bytes,
  type Codec,
  createHost,
  type HashMap,
  text,
  u16,
  u32,
  u53,
} from "../../src/index.ts";
import { Random } from "../../src/testing/random.ts";

interface Kind {
  readonly codec: Codec<unknown>;
  of(n: number): unknown;
  back(x: never): number;
}

const words = (length: number): Kind => ({
  codec: bytes(length) as Codec<unknown>,
  of: (n) => {
    const all = new Uint8Array(length).fill(3);
    new DataView(all.buffer).setUint16(length - 3, n, true);
    return all;
  },
  back: (x: Uint8Array) => new DataView(x.buffer, x.byteOffset).getUint16(length - 3, true),
});

export const KEYS: readonly Kind[] = [
  { codec: u32 as Codec<unknown>, of: (n) => n, back: (x: number) => x },
  { codec: u53 as Codec<unknown>, of: (n) => n * 7e9, back: (x: number) => x / 7e9 },
  { codec: text(12) as Codec<unknown>, of: (n) => `key ${n}`, back: (x: string) => Number(x.slice(4)) },
  words(16),
  words(41),
];

export const VALUES: readonly Kind[] = [
  { codec: u32 as Codec<unknown>, of: (n) => n, back: (x: number) => x },
  { codec: u53 as Codec<unknown>, of: (n) => n * 1e6, back: (x: number) => x / 1e6 },
  { codec: u16 as Codec<unknown>, of: (n) => n, back: (x: number) => x },
  words(5),
  words(71),
];

export const TIMED_TYPES = ["hash", "rhash", "percpu_hash", "lru_hash", "lru_percpu_hash"] as const;

/** How many keys there are, and entries in the map. Those that evict have room for all: which one goes is no question here. */
const MOST_KEYS = 250;
const CPUS = 3;
const TTLS = [1, 50, 1000, Number.POSITIVE_INFINITY, 0];

interface Entry {
  readonly value: number;
  /** In units of the map. */
  readonly expiry: number;
}

export interface TimedRun {
  readonly type: (typeof TIMED_TYPES)[number];
  readonly key: Kind;
  readonly value: Kind;
  readonly flags?: number;
  readonly seed: number;
  readonly steps: number;
}

/** Runs so many random calls. Fails the test where the map and the model differ. */
export function runTimed({ type, key, value, flags = 0, seed, steps }: TimedRun): void {
  const random = new Random(seed);
  const evicts = type.startsWith("lru");
  const perCpu = type.includes("percpu");
  const maxEntries = evicts ? MOST_KEYS : random.between(100, MOST_KEYS + 20);
  const resolution = [1, 10, 100][random.below(3)] ?? 10;
  const ttl = 200;
  let now = 5;
  let word = 0;
  const host = createHost({ seed, cpus: CPUS, maxMemory: 2 ** 24, clock: () => now });
  const map = host.createMap({
    type: type as "hash",
    key: key.codec,
    value: value.codec,
    maxEntries,
    flags,
    ttl,
    ttlResolution: resolution,
  }) as HashMap<unknown, unknown>;
  const isText = key.codec.name.startsWith("text");
  const valueFor = (n: number) =>
    perCpu ? Array.from({ length: CPUS }, (_, cpu) => value.of(n + cpu)) : value.of(n);
  const numberOf = (x: unknown) => value.back((perCpu ? (x as unknown[])[0] : x) as never);
  const model = new Map<number, Entry>();
  const live = (k: number) => {
    const entry = model.get(k);
    return entry !== undefined && entry.expiry > Math.floor(word / resolution) ? entry : undefined;
  };
  const expiryOf = (ms: number) =>
    ms === 0 || ms === Number.POSITIVE_INFINITY
      ? Number.POSITIVE_INFINITY
      : Math.ceil((word + ms) / resolution);
  const listed = () =>
    [...model.keys()]
      .flatMap((k) => (live(k) ? [[k, live(k)?.value]] : []))
      .sort(([a = 0], [b = 0]) => a - b);
  const ascending = (entries: Iterable<[number, number]>) => [...entries].sort(([a], [b]) => a - b);
  const numbers = (entries: Iterable<[unknown, unknown]>) =>
    ascending([...entries].map(([k, v]) => [key.back(k as never), numberOf(v)]));
  /** Writes, as a full map lets it. */
  const write = (k: number, n: number, ms: number, call: () => unknown) => {
    const isFull = live(k) === undefined && listed().length >= maxEntries;
    try {
      call();
      expect(isFull).toBe(false);
    } catch (error) {
      expect([(error as BpfError).code, isFull]).toEqual(["E2BIG", true]);
      model.delete(k);
      return;
    }
    model.set(k, { value: n, expiry: expiryOf(ms) });
  };
  const codeOf = (call: () => unknown) => {
    try {
      call();
      return "";
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      return error.code;
    }
  };

  const batches = (next: "lookupBatch" | "lookupAndDeleteBatch") => {
    const batch = map.createBatch(random.between(1, 40));
    const all: [unknown, unknown][] = [];
    for (let more = true; more; ) {
      batch.count = batch.capacity;
      more = map[next](batch);
      all.push(...batch.entries());
    }
    batch.close();
    return numbers(all);
  };

  const emptied = (seen: unknown) => {
    expect(seen).toEqual(listed());
    expect(map.size).toBe(0);
    model.clear();
  };

  for (let step = 0; step < steps; step++) {
    const k = random.below(MOST_KEYS);
    const n = random.below(30_000);
    const at = key.of(k);
    const known = live(k);
    switch (random.below(25)) {
      case 0:
      case 1: {
        const own = TTLS[random.below(TTLS.length)] ?? 0;
        write(k, n, own, () => map.set(at, valueFor(n), { ttl: own }));
        break;
      }
      case 2:
        expect(map.delete(at)).toBe(known !== undefined);
        model.delete(k);
        break;
      case 3: {
        const taken = map.lookupAndDelete(at);
        expect(taken === undefined ? undefined : numberOf(taken)).toBe(known?.value);
        model.delete(k);
        break;
      }
      case 4:
        if (known !== undefined)
          expect(codeOf(() => map.update(at, valueFor(n), BPF_NOEXIST))).toBe("EEXIST");
        else write(k, n, ttl, () => map.update(at, valueFor(n), BPF_NOEXIST));
        break;
      case 5:
        if (known === undefined) expect(codeOf(() => map.update(at, valueFor(n), BPF_EXIST))).toBe("ENOENT");
        else write(k, n, ttl, () => map.update(at, valueFor(n), BPF_EXIST));
        break;
      case 6:
      case 7:
      case 8: {
        now += random.below(60);
        // With the sweep of `tick`, or with what the calls do alone.
        if (random.chance(30)) host.tick();
        else host.expiry.tick(host.clock.now());
        word = now - 5;
        break;
      }
      case 9: {
        const left = known === undefined ? 0 : known.expiry * resolution - word;
        expect(map.remainingTtl(at)).toBe(left);
        break;
      }
      case 10:
        if (random.chance(20)) expect(numbers(map.entries())).toEqual(listed());
        break;
      case 11:
        if (random.chance(20)) expect(batches("lookupBatch")).toEqual(listed());
        break;
      case 12: {
        if (isText) break;
        const some = Array.from({ length: 20 }, () => random.below(MOST_KEYS));
        expect(map.lookupMany(some.map((k) => key.of(k)))).toBe(some.filter((k) => live(k)).length);
        expect(some.map((_, i) => map.found(i))).toEqual(some.map((k) => live(k) !== undefined));
        break;
      }
      case 13: {
        if (!random.chance(20)) break;
        const all: number[] = [];
        for (let next = map.nextKey(); next !== undefined; next = map.nextKey(next)) {
          all.push(key.back(next as never));
        }
        expect(all.sort((a, b) => a - b)).toEqual(listed().map(([k]) => k));
        break;
      }
      case 14: {
        if (isText || !random.chance(20)) break;
        const odd = random.chance(30);
        const seen: [number, number][] = [];
        const filter = (entry: {
          readonly key: unknown;
          readonly value: unknown;
          copy(): { value: unknown };
        }) => {
          const k = key.back(entry.key as never);
          seen.push([k, numberOf(entry.copy().value)]);
          return odd && k % 2 === 1 ? ACT_DELETE : ACT_KEEP;
        };
        map.process({ filter: filter as never });
        expect(ascending(seen)).toEqual(listed());
        if (odd) for (const k of [...model.keys()]) if (k % 2 === 1) model.delete(k);
        break;
      }
      case 15:
        if (!random.chance(8)) break;
        if (random.chance(40)) emptied(numbers(map.drain({ size: random.between(1, 50) })));
        else if (random.chance(50)) emptied(batches("lookupAndDeleteBatch"));
        else {
          map.clear();
          model.clear();
        }
        break;
      case 16:
        host.section(() => {
          const address = map.lookup(at);
          expect(address !== 0).toBe(known !== undefined);
          map.sweep(random.below(20));
          map.delete(at);
          model.delete(k);
        });
        break;
      case 17:
      case 18:
      case 19: {
        const found = map.get(at);
        expect(found === undefined ? undefined : numberOf(found)).toBe(known?.value);
        expect(map.has(at)).toBe(known !== undefined);
        break;
      }
      default:
        write(k, n, ttl, () => map.set(at, valueFor(n)));
    }
    if (step % 101 === 0) expect(map.verify()).toEqual([]);
  }
  expect(numbers(map.entries())).toEqual(listed());
  expect(host.verify()).toEqual([]);
  map.close();
  expect(host.memoryUsage().bytes).toBe(0);
}
