// The core's verify finds nothing wrong, whatever is done to a map. That it does find what is wrong: verify_damage.test.ts.
import { describe, expect, test } from "vitest";
import { BPF_F_NO_PREALLOC, BpfError, bytes, type HashMap, u32 } from "../../../src/index.ts";
import { problemOf } from "../../../src/ops/invariants.ts";
import {
  generateOperations,
  type Operation,
  Random,
  ReferenceMap,
  replay,
  type Subject,
} from "../../../src/testing/index.ts";
import { CheckedHost } from "../../support/checked_host.ts";
import { CollidingSubject } from "../../support/colliding_subject.ts";
import { invariants } from "../../support/core/constants.ts";
import { describeSpec, LAYOUT_SIZES } from "../../support/open.ts";
import { testSeed } from "../../support/seed.ts";
import { boundaryChurn, growthAndShrink, longSections, withScans } from "../../support/sequences.ts";
import { bySize } from "../../support/size.ts";
import { type AnySpec, openAnySubject } from "../../support/text_subject.ts";

const seed = testSeed("ops/verify/verify.test.ts");

const NO_PREALLOC = { type: "hash", flags: BPF_F_NO_PREALLOC } as const;
const SPECS: AnySpec[] = [
  ...LAYOUT_SIZES.map((sizes) => ({ type: "rhash" as const, ...sizes, maxEntries: 600 })),
  { type: "rhash", keySize: 4, valueSize: 8, maxEntries: 600, mapExtra: 500 },
  ...[0, 2, 6].flatMap((layout) => [
    { type: "hash" as const, ...LAYOUT_SIZES[layout]!, maxEntries: 600 },
    { ...NO_PREALLOC, ...LAYOUT_SIZES[layout]!, maxEntries: 600 },
  ]),
  { type: "rhash", keySize: 3, valueSize: 8, maxEntries: 600, texts: true },
  { type: "hash", keySize: 3, valueSize: 5, maxEntries: 600, texts: true },
  { ...NO_PREALLOC, keySize: 3, valueSize: 40, maxEntries: 600, texts: true },
];

const SHARES = { scan: 10, iterate: 5, drain: 2, single: 30 };

/** By how much the sequences are shorter than what fills a map. */
const SMALLER = bySize(5, 1);

/** Sequences that resize all the time, open long sections, or do anything. */
const SEQUENCES: readonly (readonly [string, (maxEntries: number) => Iterable<Operation>])[] = [
  ["anything", (maxEntries) => generateOperations({ seed, steps: bySize(250, 5000), keys: 750, maxEntries })],
  [
    "growing and shrinking",
    (maxEntries) => withScans(growthAndShrink(maxEntries / SMALLER, seed), SHARES, seed),
  ],
  ["crossing the level boundaries", () => withScans(boundaryChurn(bySize(30, 200), seed), SHARES, seed)],
  ["long sections", (maxEntries) => withScans(longSections(maxEntries / SMALLER, seed), SHARES, seed)],
];

/** A check walks over the whole table. */
const EVERY = bySize(191, 37);

test("invariants have numbers from 1 on, and a problem names the one that is broken", () => {
  const core = invariants();
  expect(core.map(({ code }) => code)).toEqual(core.map((_, i) => i + 1));
  const problems = core.map(({ code }) => problemOf(code, [1, 2, 3, 4]));
  for (const [i, { code, text }] of core.entries())
    expect(problems[i]).toMatch(`invariant ${code}, ${text}: `);
  expect(problemOf(0, [0, 0, 0, 0])).toBe("all invariants hold: nothing is broken");
});

const BUILDS = [false, true];

/** Opens a map for a replay. On a shared host a journal that had to grow stays with its slot when the map is closed. */
function open({ host }: CheckedHost, spec: AnySpec): Subject {
  const subject = openAnySubject(host, spec);
  const close = subject.close.bind(subject);
  return Object.assign(subject, {
    close: () => {
      const left = close();
      return host.shared ? 0 : left;
    },
  });
}

/** In npm test each on one of the hosts, in turn. */
const ON_HOSTS = BUILDS.flatMap((shared) =>
  SPECS.filter((_, i) => bySize(i % 2 === Number(shared), true)).map(
    (spec) => [`${describeSpec(spec)}${shared ? ", shared" : ""}`, spec, shared] as const,
  ),
);

describe.each(ON_HOSTS)("%s", (_name, spec, shared) => {
  test.each(SEQUENCES)("%s", (_sequence, sequence) => {
    const checked = new CheckedHost({ seed, shared, cpus: 4 });
    const subject = open(checked, spec);
    replay(checked.checked(sequence(spec.maxEntries), EVERY), subject, new ReferenceMap(spec), { seed });
    checked.check(); // of a shared host, that whatever is in use belongs to a slot
  });
});

const EITHER = (["rhash", "hash"] as const).flatMap((type) =>
  BUILDS.map((shared) => [type, shared] as const),
);

test.each(EITHER)("%s with chains of keys with one hash, shared: %s", (type, shared) => {
  const checked = new CheckedHost({ seed, shared, cpus: 4 });
  const sizes = { keySize: 16, valueSize: 8, maxEntries: 300 };
  const subject = new CollidingSubject(open(checked, { type, ...sizes }), seed, 5);
  const operations = generateOperations({ seed, steps: bySize(300, 6000), keys: 400, maxEntries: 300 });
  const model = new ReferenceMap({ ...sizes, keySize: 4 });
  replay(checked.checked(operations, EVERY), subject, model, { seed });
});

/** Calls that operations do not make: batches that write, drains without a cursor, counting, growing. */
describe.each(["hash", "rhash", "percpu_hash"] as const)("batches of a %s", (type) => {
  const cases = [4, 16, 40].flatMap((keySize) => BUILDS.map((shared) => [keySize, shared] as const));
  test.each(cases)("with keys of %i bytes, shared: %s", (keySize, shared) => {
    const checked = new CheckedHost({ seed, cpus: 3, shared });
    const { host } = checked;
    const open = { type, key: bytes(keySize), value: u32, maxEntries: 3000 } as const;
    const map = host.createMap(open) as unknown as HashMap<Uint8Array, unknown>;
    const value = (n: number): unknown => (type === "percpu_hash" ? [n, n, n] : n);
    const key = (n: number) => {
      const made = new Uint8Array(keySize);
      new DataView(made.buffer).setUint32(0, n, true);
      return made;
    };
    const random = new Random(seed);
    const many = <T>(make: () => T): T[] => Array.from({ length: 200 }, make);
    const batch = map.createBatch(400);
    const calls: (() => unknown)[] = [
      () => map.updateBatch(batch),
      () => map.updateBatch(batch),
      () => map.deleteBatch(batch),
      () =>
        map.addMany(
          many(() => key(random.below(5000))),
          many(() => 1),
        ),
      () => host.section(() => map.deleteBatch(batch)),
      () => random.chance(20) && [...map.drain({ size: random.between(1, 300) })].length,
      () => random.chance(20) && map.clear(),
    ];
    for (let round = 0; round < bySize(12, 300); round++) {
      batch.count = random.between(1, 400);
      for (let i = 0; i < batch.count; i++) batch.set(i, key(random.below(5000)), value(round));
      try {
        calls[random.below(calls.length)]!();
      } catch (error) {
        if (!(error instanceof BpfError)) throw error; // a full map or an absent key ends a batch
      }
      checked.check();
    }
    expect(map.stats().maxEntries).toBe(3000);
  });
});

const ARRAYS = (["array", "percpu_array"] as const).flatMap((type) =>
  BUILDS.map((shared) => [type, shared] as const),
);

test.each(ARRAYS)("%s, shared: %s", (type, shared) => {
  const checked = new CheckedHost({ seed, cpus: 3, shared });
  const map = checked.host.createMap({ type, key: u32, value: bytes(13), maxEntries: 500 });
  checked.check();
  const value = new Uint8Array(13).fill(0xff);
  for (let i = 0; i < 500; i++) map.set(i, (type === "array" ? value : [value, value, value]) as never);
  checked.check();
});

test.each(BUILDS)("maps side by side, opened and closed, shared: %s", (shared) => {
  const checked = new CheckedHost({ seed, shared, cpus: 4 });
  const random = new Random(seed);
  const open: HashMap<number, Uint8Array>[] = [];
  for (let round = 0; round < bySize(15, 200); round++) {
    const roll = random.below(100);
    if (roll < 40) {
      const type = random.chance(50) ? "hash" : "rhash";
      const value = bytes(random.between(1, 60));
      open.push(checked.host.createMap({ type, key: u32, value, maxEntries: random.between(1, 2000) }));
    } else if (roll < 65 && open.length > 0) open.splice(random.below(open.length), 1)[0]!.close();
    for (const map of open) {
      for (let i = 0; i < 20; i++) {
        const key = random.below(map.info.maxEntries);
        if (random.chance(60)) map.set(key, new Uint8Array(map.info.valueSize));
        else map.delete(key);
      }
    }
    checked.check();
  }
});

test.each(BUILDS)("after every allocation that fails, shared: %s", (shared) => {
  for (const spec of SPECS) {
    const checked = new CheckedHost({ seed, shared, cpus: 4 });
    const { host } = checked;
    const subject = open(checked, spec);
    const value = new Uint8Array(spec.valueSize);
    for (let n = 0; n < bySize(60, 600); n++) {
      const key = new Uint8Array(spec.keySize);
      key[0] = n;
      key[1] = n >> 8;
      for (let more = 0; more < 300; more += 64) {
        host.core.setLimit((host.core.bytesInUse() >>> 0) + more);
        const errno = subject.update(key, value, 0);
        host.core.setLimit(0);
        if (n % 20 === 0) checked.check();
        if (errno === 0) break;
      }
    }
    checked.check();
  }
});
