// Random starts, cancels, writes, deletes and hours that pass, beside a list of what is due; on shared hosts, by two threads' hosts.
import { describe, expect, test } from "vitest";
import {
  attachHost,
  createHost,
  type HashMap,
  type Host,
  spinLock,
  struct,
  text,
  timer,
  u32,
  u53,
} from "../../../src/index.ts";
import { Random } from "../../../src/testing/index.ts";
import { testSeed } from "../../support/seed.ts";
import { bySize } from "../../support/size.ts";

const seed = testSeed("ops/timers/model.test.ts");
const STEPS = bySize(1500, 300_000);

const small = struct({ idle: timer, n: u32 });
const large = struct({ lock: spinLock, n: u32, idle: timer, more: u53 });
type Value = { n: number };
type Sessions = HashMap<unknown, Value>;

interface Subject {
  readonly name: string;
  readonly key: (n: number) => unknown;
  readonly spec: object;
  readonly make: (n: number) => object;
}

const SUBJECTS: Subject[] = [
  { name: "hash, tags", key: (n) => n, spec: { type: "hash", key: u32, value: small }, make: (n) => ({ n }) },
  {
    name: "lru_hash",
    key: (n) => n,
    spec: { type: "lru_hash", key: u32, value: small },
    make: (n) => ({ n }),
  },
  {
    name: "rhash, tags",
    key: (n) => n,
    spec: { type: "rhash", key: u32, value: small },
    make: (n) => ({ n }),
  },
  {
    name: "rhash, refs",
    key: (n) => n,
    spec: { type: "rhash", key: u53, value: large },
    make: (n) => ({ n, more: 0 }),
  },
  {
    name: "rhash, texts",
    key: (n) => "k".repeat(n % 7) + n,
    spec: { type: "rhash", key: text(32), value: small },
    make: (n) => ({ n }),
  },
];

/** A timer of the model. */
interface Waiting {
  readonly due: number;
  readonly order: number;
  readonly owner: number;
  readonly call: number;
}

describe.each([1, 2])("%d hosts on one memory", (hosts) => {
  test.each(SUBJECTS)("$name", ({ key, spec, make }) => {
    const random = new Random(seed);
    let now = 0;
    const clock = () => now;
    const shared = hosts > 1;
    const all: Host[] = [createHost({ seed: 1, cpus: 3, shared, maxMemory: 16 << 20, clock })];
    if (shared) all.push(attachHost(all[0].share(), { clock }));
    const first = all[0].createMap({ ...spec, maxEntries: 2000 } as never) as unknown as Sessions;
    all[0].pin("/m", first as never);
    const maps = [
      first,
      ...all.slice(1).map((host) => host.open("/m", spec as never) as unknown as Sessions),
    ];
    const locks = (spec as { value: object }).value === large;

    /** By key; an entry without a timer has none of them. */
    const model = new Map<number, Waiting | undefined>();
    const fired: number[] = [];
    let order = 0;
    let calls = 0;
    const label = () => `TEST_SEED=${seed}`;

    function advance(to: number): void {
      now = to;
      const expected: number[] = [];
      // Each host does what is its own, in order.
      for (let owner = 0; owner < hosts; owner++) {
        const due = [...model].filter(
          ([, waiting]) => waiting !== undefined && waiting.owner === owner && waiting.due <= now,
        );
        due.sort(
          ([, a], [, b]) =>
            (a as Waiting).due - (b as Waiting).due || (a as Waiting).order - (b as Waiting).order,
        );
        for (const [n, waiting] of due) {
          expected.push((waiting as Waiting).call);
          model.set(n, undefined);
        }
        all[owner].tick();
      }
      expect(fired.splice(0), label()).toEqual(expected);
    }

    for (let step = 0; step < STEPS; step++) {
      // Up and down, so that tables of an rhash split and merge.
      const keys = 20 + Math.round(300 * (1 + Math.sin(step / 700)));
      const n = random.below(keys);
      const owner = random.below(hosts);
      const map = maps[owner];
      const choice = random.below(100);
      if (choice < 30) {
        if (!model.has(n)) {
          map.set(key(n), make(n) as Value);
          model.set(n, undefined);
        }
        const ms = random.chance(5) ? 0 : random.below(500);
        const call = ++calls;
        map.timer(key(n)).start(ms, () => fired.push(call));
        model.set(n, { due: now + ms, order: ++order, owner, call });
      } else if (choice < 45) {
        map.set(key(n), make(n) as Value);
        model.set(n, undefined);
      } else if (choice < 60) {
        expect(map.delete(key(n))).toBe(model.delete(n));
      } else if (choice < 70) {
        const waiting = model.get(n);
        expect(map.timer(key(n)).cancel(), label()).toBe(waiting !== undefined);
        if (waiting !== undefined) model.set(n, undefined);
      } else if (choice < 80) {
        map.add(key(n), 1, { field: "n" } as never);
        if (!model.has(n)) model.set(n, undefined);
      } else if (choice < 84 && locks) {
        const result = map.locked(key(n), (value) => ({ ...value, n: 5 }));
        expect(result !== undefined).toBe(model.has(n));
      } else if (choice < 86) {
        const batch = map.createBatch(8);
        map.lookupBatch(batch);
        map.updateBatch(batch);
        for (let i = 0; i < batch.count; i++) {
          const found = [...model.keys()].find((m) => key(m) === batch.key(i)) as number;
          model.set(found, undefined);
        }
        batch.close();
      } else if (choice < 87 && random.chance(10)) {
        map.clear();
        model.clear();
      } else if (choice < 95) {
        advance(now + random.below(40));
      }
    }
    advance(now + 10_000);
    expect(maps[0].size).toBe(model.size);
    for (const host of all) host.tick(now + 1e6);
    expect(fired, label()).toEqual([]);
    expect(all[0].verify()).toEqual([]);
    for (const host of all.toReversed()) host.close();
  });
});
