// Iterators against a model of seq_file, with random maps, changes between the reads and inside of show(), sizes of output, buffers,
// and ways to fail. What each read gives must follow from what show() wrote; what show() is given, from what is in the map.
import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import {
  BpfError,
  bytes,
  type Codec,
  createHost,
  type HashMap,
  type MapType,
  type ReadonlyEntry,
  struct,
  u16,
  u32,
  u53,
} from "../../src/index.ts";
import { Random } from "../../src/testing/random.ts";
import { hostOf } from "../support/host_of.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";

const seed = testSeed("entries/iterator_model.test.ts");
const CPUS = 2;

interface Layout {
  readonly name: string;
  readonly key: Codec<unknown>;
  readonly value: Codec<unknown>;
  keyOf(n: number): unknown;
  numberOf(key: unknown): number;
  valueOf(n: number): unknown;
}

const pair = struct({ a: u16, b: u53 });

/** One for each layout of the core: keys by SIMD, tags with 8-byte and with other keys, elements out of line. */
const LAYOUTS: readonly Layout[] = [
  { name: "u32 to u32", key: u32, value: u32, keyOf: (n) => n, numberOf: Number, valueOf: (n) => n },
  { name: "u53 to u16", key: u53, value: u16, keyOf: (n) => n, numberOf: Number, valueOf: (n) => n & 0xffff },
  {
    name: "16 bytes to u53",
    key: pair,
    value: u53,
    keyOf: (n) => ({ a: n & 3, b: n }),
    numberOf: (key) => (key as { b: number }).b,
    valueOf: (n) => n,
  },
  {
    name: "u32 to 40 bytes",
    key: u32,
    value: bytes(40),
    keyOf: (n) => n,
    numberOf: Number,
    valueOf: (n) => new Uint8Array(40).fill(n),
  },
];

/** How one call of show() ended, and what it had written. */
interface Call {
  readonly n: number | undefined;
  readonly text: string;
  readonly ending: "shown" | "retry" | "threw";
}

class Failure extends Error {}

class Round {
  readonly #random: Random;
  readonly #where: string;
  readonly #layout: Layout;
  readonly #perCpu: boolean;
  readonly #isArray: boolean;
  readonly #map: HashMap<unknown, unknown>;
  readonly #keys: number;
  /** What is in the map: the number that stands for the value of each key. */
  readonly #present = new Map<number, number>();
  /** Keys that have been there since the iterator was made. */
  readonly #stable = new Set<number>();
  readonly #kept = new Set<number>();
  readonly #size: number;
  #calls: Call[] = [];
  /** What show() writes must fit, so that the round comes to its end. */
  #short = false;
  #ended = false;

  constructor(random: Random, where: string, type: MapType, layout: Layout, shared: boolean) {
    this.#random = random;
    this.#where = where;
    this.#layout = layout;
    this.#perCpu = type.startsWith("percpu");
    this.#isArray = type.endsWith("array");
    this.#keys = random.between(1, random.chance(20) ? 2000 : 200);
    const host = createHost({ seed: random.next(), cpus: CPUS, maxMemory: 16 << 20, shared });
    const { key, value } = layout;
    this.#map = host.createMap({ type, key, value, maxEntries: this.#keys }) as never;
    this.#size = random.between(8, random.chance(50) ? 60 : 2000);
  }

  /** How many reads there were. */
  run(): number {
    const random = this.#random;
    const map = this.#map;
    if (this.#isArray) for (let n = 0; n < this.#keys; n++) this.#set(n);
    else for (let i = random.below(2 * this.#keys); i > 0; i--) this.#set(random.below(this.#keys));
    for (const n of this.#present.keys()) this.#stable.add(n);
    const iterator = map.iterator({
      bufferSize: this.#size,
      show: (seq, entry) => this.#show(seq, entry),
    });
    let reads = 0;
    let pending = false;
    for (; !this.#ended; reads++) {
      this.#calls = [];
      let result: string | undefined | Error;
      try {
        const piece = iterator.read();
        result = piece && new TextDecoder().decode(piece);
      } catch (error) {
        result = error as Error;
      }
      pending = this.#check(result, pending);
      if (random.chance(40)) this.#change(random.between(1, this.#keys));
    }
    for (const n of this.#stable) if (!this.#kept.has(n)) this.#fail(`stable key ${n} was missed`);
    if (iterator.read() !== undefined) this.#fail("there is more after the end");
    expect(map.verify()).toEqual([]);
    hostOf(map).close();
    return reads;
  }

  /** seq_file: whether a thrown error is left for the next read. */
  #check(result: string | undefined | Error, pending: boolean): boolean {
    if (pending) {
      if (!(result instanceof Failure) || this.#calls.length > 0) this.#fail("an error was lost");
      return false;
    }
    let expected = "";
    for (const [i, { n, text, ending }] of this.#calls.entries()) {
      if (ending === "shown" && expected.length + text.length <= this.#size) {
        expected += text;
        if (n === undefined) this.#ended = true;
        else if (this.#kept.has(n)) this.#fail(`key ${n} was shown twice`);
        else this.#kept.add(n);
        continue;
      }
      if (i + 1 < this.#calls.length) this.#fail("it went on behind an element that was not shown");
      if (expected === "") {
        this.#expectError(result, ending);
        return false;
      }
      if (result !== expected) this.#fail(`it gave ${result}, expected ${expected}`);
      return ending === "threw";
    }
    if (!this.#ended) this.#fail("it ended before there was a reason");
    if ((result ?? "") !== expected) this.#fail(`it gave ${result}, expected ${expected}`);
    return false;
  }

  #expectError(result: unknown, ending: Call["ending"]): void {
    if (ending === "threw") {
      if (!(result instanceof Failure)) this.#fail(`it gave ${result}, expected what show() threw`);
      return;
    }
    const code = ending === "retry" ? "EAGAIN" : "E2BIG";
    if (!(result instanceof BpfError) || result.code !== code)
      this.#fail(`it gave ${result}, expected ${code}`);
    this.#short = true;
  }

  #show(
    seq: { write(data: string | Uint8Array): void; readonly number: number },
    entry: ReadonlyEntry<unknown, unknown> | undefined,
  ): 0 | 1 | undefined {
    const random = this.#random;
    const n = entry && this.#layout.numberOf(entry.key);
    if (entry !== undefined && n !== undefined) {
      const number = this.#present.get(n);
      if (number === undefined) this.#fail(`key ${n} was shown, which is not there`);
      const expected = { key: this.#layout.keyOf(n), value: this.#value(number) };
      if (!isDeepStrictEqual(entry.copy(), expected)) this.#fail(`key ${n} has another value than ${number}`);
      if (random.chance(10)) expect(entry.value, this.#where).toEqual(expected.value);
    }
    const before = this.#calls.filter(({ ending }) => ending === "shown").length;
    if (seq.number !== this.#kept.size + before) this.#fail(`seq.number is ${seq.number}`);
    if (random.chance(5)) this.#change(random.between(1, 20));
    const most = this.#short ? 8 : random.chance(2) ? this.#size + 4 : Math.min(this.#size, 30);
    this.#short = false;
    const text = `${n ?? "end"}`.padEnd(random.between(1, most), ".").slice(0, most);
    for (let at = 0; at < text.length; ) {
      const part = text.slice(at, at + random.between(1, text.length));
      seq.write(random.chance(50) ? part : new TextEncoder().encode(part));
      at += part.length;
    }
    const ending = random.chance(2) ? "retry" : random.chance(2) ? "threw" : "shown";
    this.#calls.push({ n, text, ending });
    if (ending === "threw") throw new Failure();
    return ending === "retry" ? 1 : random.chance(50) ? 0 : undefined;
  }

  #value(number: number): unknown {
    const slot = (cpu: number) => this.#layout.valueOf(number + cpu);
    return this.#perCpu ? Array.from({ length: CPUS }, (_, cpu) => slot(cpu)) : slot(0);
  }

  #set(n: number): void {
    const number = this.#random.below(0xf000);
    this.#map.set(this.#layout.keyOf(n), this.#value(number));
    this.#present.set(n, number);
  }

  #delete(n: number): void {
    this.#map.delete(this.#layout.keyOf(n));
    this.#present.delete(n);
    this.#stable.delete(n);
  }

  /** Inserts, overwrites and deletes: the map grows, shrinks, or neither; in a section, it does so later. */
  #change(calls: number): void {
    const random = this.#random;
    if (!this.#isArray && random.chance(2)) {
      this.#map.clear();
      this.#present.clear();
      this.#stable.clear();
      return;
    }
    const inserts = random.below(101);
    const change = () => {
      for (let i = 0; i < calls; i++) {
        const n = random.below(this.#keys);
        if (this.#isArray || random.chance(inserts)) this.#set(n);
        else this.#delete(n);
      }
    };
    if (random.chance(20)) this.#map.host.section(change);
    else change();
  }

  #fail(what: string): never {
    throw new Error(`TEST_SEED=${seed} ${this.#where}: ${what}`);
  }
}

const TYPES: MapType[] = ["hash", "rhash", "percpu_hash", "array", "percpu_array"];

describe.each([
  ["a host of one thread", false],
  ["a shared host", true],
])("%s", (_, shared) => {
  describe.each(TYPES)("%s", (type) => {
    const layouts = LAYOUTS.filter(({ key }) => key === u32 || !type.endsWith("array"));
    test.each(layouts)("$name", (layout) => {
      const random = new Random(seed);
      const rounds = bySize(type === "rhash" ? 8 : 3, type === "rhash" ? 40 : 12);
      let reads = 0;
      for (let i = 0; i < rounds; i++) {
        reads += new Round(random, `${type} ${layout.name} round ${i}`, type, layout, shared).run();
      }
      expect(reads).toBeGreaterThan(rounds);
    });
  });
});
