// Random operations on maps of objects and on a Map with the rules written out: set, update, delete, close, grow, iterate.
import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { BPF_ANY, BpfError, createHost, cstring, type SocketMap, u32 } from "../../../src/index.ts";
import { Random } from "../../../src/testing/index.ts";
import { hostOf } from "../../support/host_of.ts";
import { testSeed } from "../../support/seed.ts";
import { bySize } from "../../support/size.ts";

const SEED = testSeed("maps/sockets/model.test.ts");
const OPERATIONS = bySize(800, 20_000);
const CHECK_EVERY = 250;
/** Limit that the maps stop growing at, which the indices go beyond. */
const MOST = 48;

type Key = number | string;

const CASES = [
  { name: "sockmap", shared: false },
  { name: "sockmap", shared: true },
  { name: "sockhash u32", shared: false },
  { name: "sockhash u32", shared: true },
  { name: "sockhash cstring(12)", shared: false },
  { name: "sockhash cstring(12)", shared: true },
] as const;

/** What becomes of a call: its result, or the errno. */
function outcome(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    if (error instanceof BpfError) return error.code;
    throw error;
  }
}

/** The rules: a Map with a limit, a mark, and objects that leave it when they close. */
class Model {
  readonly entries = new Map<Key, EventEmitter>();
  readonly byIndex: boolean;
  readonly mark: number;
  maxEntries: number;
  /** Calls of the hook. */
  crossings = 0;

  constructor(byIndex: boolean, maxEntries: number, mark: number) {
    this.byIndex = byIndex;
    this.maxEntries = maxEntries;
    this.mark = mark;
  }

  isBeyond(key: Key): boolean {
    return this.byIndex && (key as number) >= this.maxEntries;
  }

  /** The hook's rule. */
  grown(): number {
    return this.maxEntries < MOST && this.crossings % 3 !== 0
      ? Math.ceil(this.maxEntries * 1.5)
      : this.maxEntries;
  }

  #cross(): void {
    this.crossings++;
    this.maxEntries = this.grown();
  }

  update(key: Key, value: EventEmitter, flags: number): unknown {
    const exists = this.entries.has(key);
    if (this.isBeyond(key)) {
      if (flags === 2) return "E2BIG";
      this.#cross();
      if (this.isBeyond(key)) return "E2BIG";
    } else {
      if (exists && flags === 1) return "EEXIST";
      if (!exists && flags === 2) return "ENOENT";
      if (!exists && this.maxEntries - this.entries.size === this.mark) this.#cross();
      if (!exists && this.entries.size >= this.maxEntries) return "E2BIG";
    }
    this.entries.set(key, value);
    return undefined;
  }

  close(value: EventEmitter): void {
    for (const [key, held] of this.entries) if (held === value) this.entries.delete(key);
  }
}

/** An iteration that goes on while the map changes. */
interface Walk {
  readonly steps: Iterator<[Key, object]>;
  /** Keys that have been there from its start on. */
  readonly stable: Set<Key>;
  readonly seen: Set<Key>;
}

class Run {
  readonly random: Random;
  readonly model: Model;
  readonly map: SocketMap<Key, object>;
  #walk: Walk | undefined;
  /** Objects that may be under several keys. */
  #objects: EventEmitter[] = [];
  #byIndex: boolean;

  constructor({ name, shared }: (typeof CASES)[number], seed: number) {
    this.random = new Random(seed);
    this.#byIndex = name === "sockmap";
    this.model = new Model(this.#byIndex, 8, 4);
    const host = createHost({ seed, shared, cpus: 2, maxMemory: 16 * 1024 * 1024 });
    const lowWater = {
      free: 4,
      grow: (map: { grow(maxEntries: number): void; size: number }) => {
        crossings++;
        map.grow(this.model.maxEntries);
      },
    };
    let crossings = 0;
    this.crossings = () => crossings;
    const rest = { maxEntries: 8, lowWater };
    this.map = (this.#byIndex
      ? host.createMap({ type: "sockmap", ...rest })
      : host.createMap({
          type: "sockhash",
          key: (name === "sockhash u32" ? u32 : cstring(12)) as never,
          ...rest,
        })) as unknown as SocketMap<Key, object>;
    this.#stringKeys = name.includes("cstring");
  }

  /** Calls of the hook, and calls that found the map full or the index too large. */
  readonly crossings: () => number;
  refused = 0;
  readonly #stringKeys: boolean;

  #key(n = this.random.below(2 * MOST)): Key {
    return this.#stringKeys ? `key ${n}` : n;
  }

  #object(): EventEmitter {
    const { random } = this;
    this.#objects = this.#objects.filter((object) => object.listenerCount("close") > 0);
    if (this.#objects.length > 0 && random.below(4) === 0)
      return this.#objects[random.below(this.#objects.length)];
    const object = new EventEmitter();
    this.#objects.push(object);
    return object;
  }

  #removed(keys: Iterable<Key>): void {
    for (const key of keys) this.#walk?.stable.delete(key);
  }

  #update(key: Key, flags: number): void {
    const { map, model } = this;
    const object = this.#object();
    // Both have to see the mark before the model has grown: the hook asks the model for the limit.
    const expected = model.update(key, object, flags);
    expect(outcome(() => map.update(key, object, flags))).toBe(expected);
    if (expected === "E2BIG") this.refused++;
  }

  /** Writes to every key there is, twice as many as the map may ever have. */
  fill(): void {
    for (let n = 0; n < 2 * MOST; n++) this.#update(this.#key(n), BPF_ANY);
  }

  step(): void {
    const { map, model, random } = this;
    const key = this.#key();
    const kind = random.below(100);
    if (kind < 45) {
      this.#update(key, kind < 30 ? BPF_ANY : random.below(3));
    } else if (kind < 60) {
      const expected = model.entries.delete(key);
      if (expected) this.#removed([key]);
      expect(map.delete(key)).toBe(expected);
    } else if (kind < 65) {
      const expected = model.entries.get(key);
      model.entries.delete(key);
      this.#removed([key]);
      expect(map.lookupAndDelete(key)).toBe(expected);
    } else if (kind < 75) {
      expect(map.get(key)).toBe(model.entries.get(key));
      expect(map.has(key)).toBe(model.entries.has(key));
    } else if (kind < 85) {
      const object = this.#object();
      this.#removed([...model.entries].filter(([, held]) => held === object).map(([at]) => at));
      model.close(object);
      object.emit("close");
      expect(object.listenerCount("close")).toBe(0);
    } else if (kind < 86) {
      const limit = Math.min(MOST, model.maxEntries + random.below(8));
      if (limit >= model.maxEntries) {
        model.maxEntries = limit;
        map.grow(limit);
      } else expect(outcome(() => map.grow(limit))).toBe("EINVAL");
    } else if (kind === 86 && random.below(10) === 0) {
      this.#removed([...model.entries.keys()]);
      model.entries.clear();
      map.clear();
    } else this.#advance();
    expect([map.size, map.info.maxEntries, this.crossings()]).toEqual([
      model.entries.size,
      model.maxEntries,
      model.crossings,
    ]);
  }

  /** A few steps of the walk that is on, or the start of one. */
  #advance(): void {
    const { map, model, random } = this;
    this.#walk ??= { steps: map.entries(), stable: new Set(model.entries.keys()), seen: new Set() };
    const { steps, stable, seen } = this.#walk;
    for (let left = 1 + random.below(20); left > 0; left--) {
      const { done, value } = steps.next();
      if (done) {
        for (const key of stable) expect(seen).toContain(key);
        this.#walk = undefined;
        return;
      }
      const [key, object] = value;
      expect(seen).not.toContain(key);
      expect(object).toBe(model.entries.get(key));
      seen.add(key);
    }
  }

  check(): void {
    const { map, model } = this;
    expect(new Map(map)).toEqual(model.entries);
    const walked: Key[] = [];
    for (let key = map.nextKey(); key !== undefined; key = map.nextKey(key)) walked.push(key);
    if (this.#byIndex) {
      expect(walked.length).toBe(model.maxEntries);
      const indices = [...map.keys()] as number[];
      expect(indices).toEqual(indices.toSorted((a, b) => a - b));
    } else expect(new Set(walked)).toEqual(new Set(model.entries.keys()));
    expect(map.stats().entries).toBe(model.entries.size);
    for (const object of new Set(model.entries.values())) expect(object.listenerCount("close")).toBe(1);
    expect([...map.verify(), ...hostOf(map).verify()]).toEqual([]);
  }
}

describe.each(CASES)("$name, shared: $shared", (kind) => {
  it("does what the rules say", () => {
    const run = new Run(kind, SEED);
    for (let i = 1; i <= OPERATIONS; i++) {
      run.step();
      if (i % CHECK_EVERY === 0) run.check();
    }
    // The mark was crossed, growth stopped, and the map was full.
    expect(run.model.crossings).toBeGreaterThan(1);
    expect(run.model.maxEntries).toBeGreaterThanOrEqual(MOST);
    run.fill();
    run.check();
    expect(run.refused).toBeGreaterThan(5);
    const left = [...run.model.entries.values()];
    hostOf(run.map).close();
    for (const object of left) expect(object.listenerCount("close")).toBe(0);
  });
});
