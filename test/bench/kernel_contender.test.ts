// The contenders that are the live kernel's maps: their programs and calls do the work that they are measured for. The contents of
// a map are read back with bpf(2), apart from what is tested.
import { readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { load as loadSyscall } from "../../bench/contenders/kernel_syscall.mjs";
// @ts-expect-error plain JavaScript
import { keysFrom, Random, shuffled, split } from "../../bench/data/random.mjs";
// @ts-expect-error plain JavaScript
import { assemble, exit, jump, move, r0, r6 } from "../../bench/kernel/assembler.mjs";
// @ts-expect-error plain JavaScript
import { openBpf } from "../../bench/kernel/bpf.mjs";
// @ts-expect-error plain JavaScript
import { ProgramSubject } from "../../bench/kernel/program_subject.mjs";
import { testSeed } from "../support/seed.ts";

interface Bpf {
  lookup(map: number, key: ArrayBuffer, value: ArrayBuffer): number;
  loadProgram(instructions: Uint8Array): number;
}

interface Subject {
  map: number;
  insert(keys: Uint32Array): void;
  lookup(keys: Uint32Array): number;
  miss(keys: Uint32Array): number;
  overwrite(keys: Uint32Array): void;
  reject(keys: Uint32Array): number;
  remove(keys: Uint32Array): number;
  bytes(): number;
  close(): void;
}

interface Program extends Subject {
  mixed(input: { keys: Uint32Array; values: Uint32Array; writes: Uint8Array }): number;
  nothing(keys: Uint32Array): number;
  readThrough(keys: Uint32Array): number;
  ownNs(): number;
}

interface Syscall extends Subject {
  insertMany(batches: Uint32Array[]): void;
  removeMany(batches: Uint32Array[]): number;
  walkKeys(): number;
  walkBatch(size: number): number;
  drain(size: number): number;
}

interface Options {
  maxEntries: number;
  keySize: number;
}

const seed = testSeed("bench/kernel_contender.test.ts");
const skipped = (what: string) => (error: Error) => {
  console.log(`${what} is not tested: ${error.message}`);
  return undefined;
};
const bpf: Bpf | undefined = await openBpf().catch(skipped("the kernel's map"));
const openSyscall: ((options: Options) => Syscall) | undefined =
  bpf && (await loadSyscall({}).catch(skipped("the kernel's map through bpf(2)")));

/** More than a program goes through in one run, twice. */
const SIZE = 5000;
const keys: Uint32Array = keysFrom(0, SIZE);
const others: Uint32Array = keysFrom(SIZE, SIZE);

const total = (numbers: Iterable<number>): number => {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
};

/** What the map has for some keys, read one by one. */
function contents({ map }: Subject, keys: Uint32Array, keySize: number, decode: (value: DataView) => number) {
  const key = new Uint8Array(keySize);
  const words = new Uint32Array(key.buffer);
  // The tail of the kernel's bench_bpf_hashmap_lookup.c.
  for (let i = 1; i < words.length; i++) words[i] = Math.imul(2654435761, i);
  const value = new DataView(new ArrayBuffer(8));
  return Array.from(keys, (number) => {
    words[0] = number;
    return bpf!.lookup(map, key.buffer, value.buffer as ArrayBuffer) === 0 ? decode(value) : undefined;
  });
}
const integer = (value: DataView): number => Number(value.getBigUint64(0, true));
const double = (value: DataView): number => value.getFloat64(0, true);

const descriptors = (): number => readdirSync("/proc/self/fd").length;

/** What both have in common, on a map that is full with `keys`. */
function checkSubject(subject: Subject, keySize: number, decode: (value: DataView) => number): void {
  const read = (some: Uint32Array) => contents(subject, some, keySize, decode);
  const random = new Random(seed, 0);
  const indices = Uint32Array.from({ length: 3 * SIZE }, () => random.below(SIZE));
  const draws = indices.map((index) => keys[index]!);

  subject.insert(keys);
  expect(read(keys)).toEqual(Array.from(keys, (_, i) => i));
  expect(subject.lookup(draws)).toBe(total(indices));
  expect(subject.miss(others)).toBe(0);
  expect(subject.miss(draws)).toBe(draws.length);

  expect(subject.reject(others)).toBe(SIZE);
  expect(subject.reject(keys)).toBe(0); // full or not, what is there is updated
  expect(() => subject.insert(others)).toThrow(`failed for ${SIZE} keys`);
  expect(read(others)).toEqual(Array.from(others, () => undefined));
  expect(read(keys)).toEqual(Array.from(keys, (_, i) => i));

  const last = new Map(Array.from(draws, (key, i) => [key, i]));
  subject.overwrite(draws);
  expect(read(keys)).toEqual(Array.from(keys, (key, i) => last.get(key) ?? i));

  const order: Uint32Array = shuffled(keys, random);
  expect(subject.remove(order.subarray(0, 3000))).toBe(3000);
  expect(subject.remove(order)).toBe(SIZE - 3000);
  expect(read(keys)).toEqual(Array.from(keys, () => undefined));
  expect(subject.bytes()).toBeGreaterThan(0);
}

let before: number;
beforeEach(() => {
  before = descriptors();
});
afterEach(() => {
  expect(descriptors()).toBe(before);
});

describe.skipIf(bpf === undefined)("programs run by BPF_PROG_TEST_RUN", () => {
  const withSubject = (options: Options, preallocated: boolean, work: (subject: Program) => void): void => {
    const subject: Program = new ProgramSubject(bpf, options, { preallocated });
    try {
      work(subject);
    } finally {
      subject.close();
    }
  };

  test.each([
    [true, 4],
    [false, 4],
    [true, 64],
  ])("do what they are measured for (preallocated: %s, keys of %i bytes)", (preallocated, keySize) => {
    withSubject({ maxEntries: SIZE, keySize }, preallocated, (subject) =>
      checkSubject(subject, keySize, integer),
    );
  });

  test("read and write in a mix", () => {
    withSubject({ maxEntries: SIZE, keySize: 4 }, true, (subject) => {
      subject.insert(keys);
      const random = new Random(seed, 1);
      const map = new Map(Array.from(keys, (key, i) => [key, i]));
      const draws = keys.map(() => keys[random.below(SIZE)]!);
      const values = keys.map(() => random.below(2 ** 31));
      const writes = Uint8Array.from(keys, () => random.below(2));
      let sum = 0;
      draws.forEach((key, i) => {
        if (writes[i] === 1) map.set(key, values[i]!);
        else sum += map.get(key)!;
      });
      expect(subject.mixed({ keys: draws, values, writes })).toBe(sum);
      expect(contents(subject, keys, 4, integer)).toEqual(Array.from(keys, (key) => map.get(key)));
    });
  });

  test("read as a cache is read: what is not there is put there", () => {
    withSubject({ maxEntries: SIZE, keySize: 4 }, true, (subject) => {
      subject.insert(keys.subarray(0, 100));
      expect(subject.readThrough(keys)).toBe(100);
      expect(contents(subject, keys, 4, integer)).toEqual(Array.from(keys, (_, i) => i));
      expect(subject.readThrough(keys)).toBe(SIZE);
    });
  });

  test("an LRU_HASH evicts, and has the newest", () => {
    const subject: Program = new ProgramSubject(bpf, { maxEntries: 1000, keySize: 4 }, { lru: true });
    try {
      expect(subject.readThrough(keys)).toBe(0);
      expect(subject.miss(keys)).toBeLessThanOrEqual(1000);
      expect(subject.miss(keys.subarray(SIZE - 10))).toBe(10);
    } finally {
      subject.close();
    }
  });

  test("are timed by the kernel, the bare loop too", () => {
    withSubject({ maxEntries: SIZE, keySize: 4 }, true, (subject) => {
      expect(subject.nothing(keys)).toBe(total(keys));
      const loop = subject.ownNs();
      expect(loop).toBeGreaterThan(0);
      subject.insert(keys);
      expect(subject.ownNs()).toBeGreaterThan(loop);
    });
  });

  test("are refused with the verifier's words", () => {
    expect(() => bpf!.loadProgram(assemble([exit()]))).toThrow("R0 !read_ok");
    expect(() => bpf!.loadProgram(assemble([move(r0, r6), exit()]))).toThrow("R6 !read_ok");
  });
});

describe.skipIf(openSyscall === undefined)("calls of bpf(2)", () => {
  const withSubject = (work: (subject: Syscall) => void): void => {
    const subject = openSyscall!({ maxEntries: SIZE, keySize: 4 });
    try {
      work(subject);
    } finally {
      subject.close();
    }
  };

  test("do what they are measured for", () => {
    withSubject((subject) => checkSubject(subject, 4, double));
  });

  test("walk, in batches as well", () => {
    withSubject((subject) => {
      const sum = total(keys.map((_, i) => i));
      subject.insertMany(split(keys, 256));
      expect(contents(subject, keys, 4, double)).toEqual(Array.from(keys, (_, i) => i));
      expect(subject.walkKeys()).toBe(sum);
      for (const size of [1, 2, 100, 10_000]) expect(subject.walkBatch(size)).toBe(sum);
      expect(subject.drain(1)).toBe(sum);
      expect(subject.miss(keys)).toBe(0);
      subject.insertMany(split(keys, 256));
      expect(subject.removeMany(split(keys, 256))).toBe(SIZE);
      expect(subject.walkKeys()).toBe(0);
      expect(() => subject.removeMany([keys])).toThrow("erase_batch: errno 2");
    });
  });
});

test("a jump needs its label", () => {
  expect(() => assemble([jump("nowhere")])).toThrow("no label nowhere");
});
