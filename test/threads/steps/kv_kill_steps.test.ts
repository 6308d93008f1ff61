// KV stores between any two steps of the protocol (assembly/sync/step.ts): a writer dies there, or its recoverer, and the store is as before
// the operation or as after it; a reader is overtaken there, and reads the one or the other. TEST_KILL_STEPS=all: at every step, also
// of recoveries.

import { beforeAll, describe, expect, test } from "vitest";
import {
  KV_RETAINED,
  KV_STAGED,
  KV_STAGING,
  META_ID,
  STEP_BLOCKED,
  TABLE_META,
} from "../../../src/generated/abi.js";
import type { Exports } from "../explorer/calls.mjs";
import { COMPILE_MS, steppedCore } from "../explorer/core.ts";
import { endWorld } from "../explorer/programs/contents.ts";
import { FIRST, SECOND, THIRD, World } from "../explorer/world.ts";

const ALL = process.env.TEST_KILL_STEPS === "all";
const KEYS = 24;
const PAGES = 3;

class Killed extends Error {}

/** A world with a store at the path "t". */
class KvWorld {
  readonly world: World;
  readonly store: number;

  constructor(module: WebAssembly.Module) {
    const world = new World(module);
    const core = world.cores[THIRD]!;
    this.world = world;
    const id = core.takeMapId();
    this.store = core.createKv(KEYS, PAGES);
    world.words[(this.store + TABLE_META + META_ID) >>> 2] = id;
    expect(core.registerTable(this.store)).toBe(0);
    const path = world.writePath(world.scratch[THIRD]!.take(16));
    expect(core.pinTable(this.store, path, 1)).toBe(0);
    expect(core.dropTable(this.store)).toBe(0);
    world.scratch[THIRD]!.clear();
  }

  /** Bytes for the calls of a slot. */
  bytes(cpu: number, length: number, value: number): number {
    return this.world.write(this.world.scratch[cpu]!.take(length + 16), new Uint8Array(length).fill(value));
  }

  words(cpu: number, words: readonly number[]): number {
    return this.world.write(
      this.world.scratch[cpu]!.take(words.length * 4),
      new Uint8Array(Uint32Array.from(words).buffer),
    );
  }

  put(cpu: number, key: number, length: number, value: number, generation = 0): number {
    return this.world.cores[cpu]!.kvPut(this.store, key, this.bytes(cpu, length, value), length, generation);
  }

  /** Values, owners, generation and text; everything that somebody may see. */
  state(cpu: number): string {
    const { world, store } = this;
    const core = world.cores[cpu]!;
    world.scratch[cpu]!.clear();
    const at = world.scratch[cpu]!.take(5000);
    const text = core.kvManifest(store, at, 100);
    const parts = [`generation ${world.words[at >>> 2]}`, `text ${world.bytes.slice(at + 4, at + 4 + text)}`];
    const header = (name: string) =>
      world.words[(store + (core[name] as unknown as WebAssembly.Global).value) >>> 2]!;
    const owners = header("KV_OWNERS_OFFSET");
    for (let key = 0; key < KEYS; key++) {
      const size = core.kvGet(store, key, at, 0);
      const bytes = [...new Set(world.bytes.subarray(at, at + size))];
      const owner =
        owners === 0 ? 0 : world.bytes[owners + 2 * key]! | (world.bytes[owners + 2 * key + 1]! << 8);
      if (size !== 0 || owner !== 0) parts.push(`${key}: ${size} x ${bytes}, owner ${owner}`);
    }
    world.scratch[cpu]!.clear();
    return parts.join("; ");
  }

  check(cpu: number): void {
    const { world, store } = this;
    const core = world.cores[cpu]!;
    const out = world.scratch[cpu]!.take(64);
    for (const [what, broken] of [
      ["store", core.verify(store, out)],
      ["memory", core.verifyArena(out)],
    ] as const) {
      if (broken !== 0)
        throw new Error(
          `invariant ${broken} of the ${what}: ${world.words.slice(out >>> 2, (out >>> 2) + 4)}`,
        );
    }
    world.scratch[cpu]!.clear();
  }
}

interface Case {
  readonly name: string;
  readonly start: (kv: KvWorld) => void;
  readonly run: (kv: KvWorld, core: Exports) => number;
  /** States between the operations that it is made of, too. */
  readonly inParts?: boolean;
}

const nothing = () => {};
const some = (kv: KvWorld) => {
  kv.put(THIRD, 0, 100, 1);
  kv.put(THIRD, 1, 3, 2);
  kv.put(THIRD, 2, 39, 3);
  kv.put(THIRD, 3, 4000, 4);
};
const manifest = (kv: KvWorld) => {
  const core = kv.world.cores[THIRD]!;
  const [a, b] = [
    core.kvClaim(kv.store, kv.bytes(THIRD, 8, 5), 8),
    core.kvClaim(kv.store, kv.bytes(THIRD, 40, 6), 40),
  ];
  const changes = kv.words(THIRD, [a, 8, 0, 0, b, 40, 0, 0]);
  expect(core.kvSwitch(kv.store, changes, 2, kv.bytes(THIRD, 9, 65), 9, 0)).toBe(0);
};
/** Key 0 of 8 bytes is to become key 2 of 100. */
const staged = (kv: KvWorld) => {
  manifest(kv);
  expect(kv.world.cores[THIRD]!.kvClaim(kv.store, kv.bytes(THIRD, 100, 7), 100)).toBe(2);
};
const doSwitch = (kv: KvWorld, core: Exports) => {
  const expected = kv.bytes(SECOND, 8, 5);
  const changes = kv.words(SECOND, [0, KV_RETAINED, expected, 8, 2, 100, 0, 0]);
  return core.kvSwitch(kv.store, changes, 2, kv.bytes(SECOND, 20, 66), 20, 1);
};

const CASES: Case[] = [
  { name: "the first value", start: nothing, run: (kv) => kv.put(SECOND, 5, 30, 9) },
  { name: "a value of a whole page", start: some, run: (kv) => kv.put(SECOND, 5, 4096, 9) },
  { name: "a value between others", start: some, run: (kv) => kv.put(SECOND, 5, 61, 9) },
  { name: "a value in place", start: some, run: (kv) => kv.put(SECOND, 2, 39, 9) },
  { name: "a long value in place", start: some, run: (kv) => kv.put(SECOND, 3, 4000, 9) },
  { name: "a shorter value", start: some, run: (kv) => kv.put(SECOND, 0, 51, 9) },
  { name: "a longer value, elsewhere", start: some, run: (kv) => kv.put(SECOND, 1, 5, 9) },
  { name: "a longer value, where it is", start: some, run: (kv) => kv.put(SECOND, 2, 50, 9) },
  { name: "a longer value of most of a page", start: some, run: (kv) => kv.put(SECOND, 3, 4090, 9) },
  {
    name: "a longer value, half over itself",
    start: (kv) => {
      some(kv);
      kv.world.cores[THIRD]!.kvDelete(kv.store, 1);
      kv.put(THIRD, 4, 3900, 4);
    },
    run: (kv) => kv.put(SECOND, 2, 42, 9),
  },
  {
    name: "a longer value that empties its page",
    start: (kv) => {
      some(kv);
      kv.put(THIRD, 4, 3950, 4);
      kv.put(THIRD, 6, 96, 6); // to the end of the second page
      for (const key of [3, 4]) kv.world.cores[THIRD]!.kvDelete(kv.store, key);
    },
    run: (kv) => kv.put(SECOND, 6, 97, 9),
  },
  { name: "a delete", start: some, run: (kv, core) => core.kvDelete(kv.store, 1) },
  { name: "a delete that empties a page", start: some, run: (kv, core) => core.kvDelete(kv.store, 3) },
  {
    name: "the first claim",
    start: some,
    run: (kv, core) => (core.kvClaim(kv.store, kv.bytes(SECOND, 9, 9), 9) === 4 ? 0 : 1),
  },
  {
    name: "a claim",
    start: manifest,
    run: (kv, core) => (core.kvClaim(kv.store, kv.bytes(SECOND, 4096, 9), 4096) === 2 ? 0 : 1),
  },
  { name: "another staged value", start: staged, run: (kv) => kv.put(SECOND, 2, 100, 9, KV_STAGING) },
  { name: "a pair", start: manifest, run: (kv) => kv.put(SECOND, 1, 40, 9, 1) },
  { name: "the switch", start: staged, run: doSwitch },
  {
    name: "the sweep of what a rollout left",
    start: (kv) => {
      staged(kv);
      kv.world.cores[THIRD]!.kvClaim(kv.store, kv.bytes(THIRD, 4096, 7), 4096);
    },
    run: (kv, core) => core.kvSweep(kv.store, KV_STAGED),
    inParts: true,
  },
  {
    name: "a value under the lock of rollouts and the gate",
    start: manifest,
    run: (kv, core) =>
      core.kvHold(kv.store, 0) |
      core.kvHold(kv.store, 1) |
      kv.put(SECOND, 0, 8, 9, 1) |
      core.kvRelease(kv.store, 1) |
      core.kvRelease(kv.store, 0),
  },
  {
    name: "a whole store",
    start: nothing,
    run: (kv, core) => {
      const id = core.takeMapId();
      const store = core.createKv(10, 2);
      kv.world.words[(store + TABLE_META + META_ID) >>> 2] = id;
      let errno = core.registerTable(store);
      errno |= core.kvPut(store, 1, kv.bytes(SECOND, 4096, 1), 4096, 0);
      errno |= core.kvPut(store, 2, kv.bytes(SECOND, 10, 1), 10, 0);
      errno |= core.kvClaim(store, kv.bytes(SECOND, 10, 1), 10);
      errno |= core.kvSwitch(store, kv.words(SECOND, [0, 10, 0, 0]), 1, kv.bytes(SECOND, 7, 1), 7, 0);
      return errno | core.dropTable(store);
    },
  },
];

class KillRun {
  readonly kv: KvWorld;
  readonly steps: number;
  readonly #case: Case;
  readonly #allowed = new Set<string>();
  #victim = -1;
  #left = 0;
  #count = 0;

  constructor(module: WebAssembly.Module, subject: Case) {
    this.#case = subject;
    this.kv = new KvWorld(module);
    subject.start(this.kv);
    const { world } = this.kv;
    for (const scratch of world.scratch) scratch.clear();
    this.kv.check(FIRST);
    this.#allowed.add(this.kv.state(FIRST));
    world.onStep = (cpu, point) => {
      if (point === STEP_BLOCKED) throw new Error(`slot ${cpu} waits for a lock that nobody will release`);
      if (cpu !== this.#victim) return;
      this.#count++;
      if (--this.#left <= 0) throw new Killed();
    };
    world.save();
    expect(this.#kill(SECOND, Number.POSITIVE_INFINITY, () => this.#operate())).toBe(false);
    this.steps = this.#count;
    this.kv.check(FIRST);
    this.#allowed.add(this.kv.state(FIRST));
  }

  #operate(): void {
    this.kv.world.scratch[SECOND]!.clear();
    expect(this.#case.run(this.kv, this.kv.world.cores[SECOND]!)).toBe(0);
  }

  #kill(cpu: number, at: number, run: () => void): boolean {
    this.#victim = cpu;
    this.#left = at;
    this.#count = 0;
    try {
      run();
      return false;
    } catch (error) {
      if (error instanceof Killed) return true;
      throw error;
    } finally {
      this.#victim = -1;
    }
  }

  recoverySteps(at: number): number {
    const { world } = this.kv;
    world.restore();
    this.#kill(SECOND, at, () => this.#operate());
    this.#kill(FIRST, Number.POSITIVE_INFINITY, () => void world.cores[FIRST]!.reap(SECOND));
    return this.#count;
  }

  /** Kills the operation at a step, and its recoverer. */
  kill(at: number, recovery?: number): void {
    const { kv } = this;
    const { world, store } = kv;
    world.restore();
    const where = `${this.#case.name}: killed at ${at} of ${this.steps}, recoverer at ${recovery}`;
    try {
      expect(this.#kill(SECOND, at, () => this.#operate())).toBe(true);
      let witness: number = FIRST;
      if (recovery !== undefined) {
        expect(this.#kill(FIRST, recovery, () => void world.cores[FIRST]!.reap(SECOND))).toBe(true);
        expect(world.cores[THIRD]!.reap(FIRST)).toBe(0);
        witness = THIRD;
      }
      if (!world.isFree(SECOND)) expect(world.cores[witness]!.reap(SECOND)).toBe(0);
      kv.check(witness);
      const state = kv.state(witness);
      if (!this.#case.inParts && !this.#allowed.has(state)) {
        throw new Error(`in no state that it may be in: ${state}\nallowed: ${[...this.#allowed].join("\n")}`);
      }
      // It is used on: locks are free, rollouts too, and what is staged can be swept.
      const core = world.cores[witness]!;
      expect([core.kvHold(store, 0), core.kvHold(store, 1), core.kvSweep(store, KV_STAGED)]).toEqual([
        0, 0, 0,
      ]);
      expect([core.kvRelease(store, 1), core.kvRelease(store, 0)]).toEqual([0, 0]);
      expect(kv.put(witness, 20, 11, 1)).toBe(0);
      expect(core.kvDelete(store, 20)).toBe(0);
      kv.check(witness);
      if (this.#case.inParts) expect(this.#allowed).toContain(kv.state(witness));
      endWorld(world);
    } catch (error) {
      throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
    }
  }
}

/** Some of 1 .. count, the last one among them. */
function steps(count: number, most: number): number[] {
  const stride = ALL ? 1 : Math.ceil(count / most);
  return Array.from({ length: Math.ceil(count / stride) }, (_, i) => count - i * stride).reverse();
}

let core: WebAssembly.Module;
beforeAll(() => {
  core = steppedCore();
}, COMPILE_MS);

describe("a thread dies", () => {
  test.each(CASES.map((subject) => [subject.name, subject] as const))("%s", (_, subject) => {
    const run = new KillRun(core, subject);
    expect(run.steps).toBeGreaterThanOrEqual(5);
    for (const at of steps(run.steps, 60)) run.kill(at);
  });
});

describe("who recovers it dies", () => {
  test.each(CASES.map((subject) => [subject.name, subject] as const))("%s", (_, subject) => {
    const run = new KillRun(core, subject);
    for (const at of steps(run.steps, 5)) {
      const recovery = run.recoverySteps(at);
      for (const step of steps(recovery, 4)) run.kill(at, step);
    }
  });
});

describe("a reader is overtaken", () => {
  const overtakers: [string, (kv: KvWorld) => number][] = [
    ["in place", (kv) => kv.put(FIRST, 1, 40, 9, 1)],
    ["by the switch", (kv) => doSwitch(kv, kv.world.cores[FIRST]!)],
    [
      "by the switch, and its sweep, and another value in the old one's room",
      (kv) =>
        doSwitch(kv, kv.world.cores[FIRST]!) |
        kv.world.cores[FIRST]!.kvSweep(kv.store, KV_RETAINED) |
        kv.put(FIRST, 9, 8, 99),
    ],
  ];
  const readers: [string, (kv: KvWorld, core: Exports) => string][] = [
    [
      "a pair",
      (kv, core) => {
        const at = kv.world.scratch[SECOND]!.take(4200);
        const size = core.kvGet(kv.store, 1, at, 1);
        return size < 0
          ? `errno ${-size}`
          : `${size} ${[...new Set(kv.world.bytes.subarray(at, at + size))]}`;
      },
    ],
    [
      "all pairs",
      (kv, core) => {
        const list = kv.words(SECOND, [0, 8, 1, 40]);
        const at = kv.world.scratch[SECOND]!.take(64);
        const errno = core.kvSnapshot(kv.store, list, 2, at, 1);
        if (errno !== 0) return `errno ${errno}`;
        return `${[...new Set(kv.world.bytes.subarray(at, at + 48))]}`;
      },
    ],
    [
      "the manifest",
      (kv, core) => {
        const at = kv.world.scratch[SECOND]!.take(200);
        const bytes = core.kvManifest(kv.store, at, 100);
        return `${kv.world.words[at >>> 2]} ${bytes} ${[...new Set(kv.world.bytes.subarray(at + 4, at + 4 + bytes))]}`;
      },
    ],
  ];
  const cases = readers.flatMap(([what, read]) =>
    overtakers.map(([how, write]) => [what, how, read, write] as const),
  );

  test.each(cases)("reading %s, %s", (_what, _how, read, write) => {
    const kv = new KvWorld(core);
    const { world } = kv;
    staged(kv);
    for (const scratch of world.scratch) scratch.clear();
    const readNow = () => {
      world.scratch[SECOND]!.clear();
      return read(kv, world.cores[SECOND]!);
    };
    world.save();
    let count = 0;
    world.onStep = (cpu) => void (cpu === SECOND && count++);
    const allowed = new Set([readNow()]);
    expect(write(kv)).toBe(0);
    allowed.add(readNow());
    const seen = new Set<string>();
    for (let at = 1; at <= count; at++) {
      world.restore();
      let left = at;
      world.onStep = (cpu) => {
        if (cpu !== SECOND || --left !== 0) return;
        world.scratch[FIRST]!.clear();
        expect(write(kv)).toBe(0);
      };
      const result = readNow();
      expect(allowed, `overtaken at step ${at}`).toContain(result);
      seen.add(result);
    }
    expect(count).toBeGreaterThanOrEqual(2);
    expect(seen.size).toBeGreaterThanOrEqual(1);
  });
});
