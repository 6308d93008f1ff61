/** Runs operations on a map and on the model and compares every result. */
import { ERRNO } from "../errors.ts";
import { AddressBook } from "./address_book.ts";
import { equalBytes, keyBytes, numberBytes, showBytes, valueBytes } from "./bytes.ts";
import { expectBytes, expectEqual, Mismatch, ReplayDivergence } from "./divergence.ts";
import { Evictions } from "./evictions.ts";
import type { ReferenceMap } from "./model.ts";
import { type Operation, OperationWriter } from "./operations.ts";
import { type CompleteScans, RunningScans } from "./running_scans.ts";
import { ScanChecker } from "./scan_checker.ts";
import type { Subject } from "./subject.ts";

export interface ReplayOptions {
  /** shown in a divergence */
  readonly seed?: number | undefined;
  /** an update may answer ENOMEM and then changes nothing: for maps under a memory limit. Default false */
  readonly outOfMemory?: boolean;
}

/** What a replay has covered; scans, drains and iterations are those that ran from start to end. */
export interface ReplaySummary extends CompleteScans {
  readonly steps: number;
  /** complete walks by nextKey */
  readonly walks: number;
  readonly sections: number;
  /** most entries at one time */
  readonly peak: number;
}

const MAX_SECTION_DEPTH = 8;
const MAX_WALK_STEPS = 1000;
/** Bounds of the work of one call: two splits or merges, of buckets with the few overflow blocks that random keys lead to. */
const MAX_SPLITS = 2;
const MAX_MERGES = 2;
const MAX_MOVED = 60;

class Replayer {
  readonly #subject: Subject;
  readonly #model: ReferenceMap;
  readonly #options: ReplayOptions;
  readonly #operations: Iterator<Operation>;
  readonly #log = new OperationWriter();
  readonly #addresses: AddressBook;
  readonly #evictions: Evictions;
  readonly #scans: RunningScans;
  #operation: Operation = { kind: "check" };
  #steps = 0;
  #walks = 0;
  #sections = 0;
  #sweeps = 0;
  #peak = 0;

  constructor(
    operations: Iterable<Operation>,
    subject: Subject,
    model: ReferenceMap,
    options: ReplayOptions,
  ) {
    this.#operations = operations[Symbol.iterator]();
    this.#subject = subject;
    this.#model = model;
    this.#options = options;
    const read = (address: number, length: number): Uint8Array => subject.bytesAt(address, length);
    this.#addresses = new AddressBook(model, read, subject.stableAddresses);
    this.#evictions = new Evictions(subject, model, this.#addresses);
    this.#scans = new RunningScans(subject, model, this.#addresses, this.#evictions);
  }

  replay(): ReplaySummary {
    try {
      this.#run(0);
      this.#operation = { kind: "check" };
      this.#check();
      for (const { key, value } of this.#model.entries()) {
        expectBytes("value at the end", value, this.#subject.lookup(key));
      }
      expectEqual("bytes in use after close:", 0, this.#subject.close());
    } catch (error) {
      const [expected, got] =
        error instanceof Mismatch
          ? [error.expected, error.got]
          : ["no broken promise and no crash", String(error)];
      const at = {
        step: this.#steps - 1,
        operation: this.#operation,
        seed: this.#options.seed,
        operations: this.#log.bytes(),
      };
      throw new ReplayDivergence(at, expected, got, error);
    }
    return {
      ...this.#scans.complete,
      steps: this.#steps,
      walks: this.#walks,
      sections: this.#sections,
      peak: this.#peak,
    };
  }

  /** Runs to the end of the operations, or to the end of the section when `depth` is above 0. */
  #run(depth: number): void {
    for (;;) {
      const next = this.#operations.next();
      if (next.done) return;
      const operation = next.value;
      this.#operation = operation;
      this.#log.write(operation);
      this.#steps++;
      if (operation.kind === "sectionBegin") {
        if (depth < MAX_SECTION_DEPTH) this.#section(depth);
      } else if (operation.kind === "sectionEnd") {
        if (depth > 0) return;
      } else this.#apply(operation);
      this.#expectSize("size", this.#subject.size);
      if (this.#model.size > this.#peak) this.#peak = this.#model.size;
    }
  }

  #expectSize(what: string, size: number): void {
    if (this.#model.learnSize(size)) return;
    const { timed } = this.#model;
    const expected = timed ? "one that counts what is there and not yet swept" : String(this.#model.size);
    throw new Mismatch(`${what} ${expected}`, `${what} ${size}`);
  }

  #section(depth: number): void {
    this.#sections++;
    this.#subject.section(() => {
      this.#addresses.enterSection();
      this.#run(depth + 1);
      this.#addresses.leaveSection();
    });
  }

  #apply(operation: Exclude<Operation, { kind: "sectionBegin" | "sectionEnd" }>): void {
    const key = "key" in operation ? keyBytes(operation.key, this.#model.keySize) : NO_KEY;
    if (key !== NO_KEY) this.#evictions.settle(key);
    switch (operation.kind) {
      case "update":
        this.#update(key, operation.value, operation.flags);
        break;
      case "set":
        this.#update(key, operation.value, 0, this.#model.timed ? operation.ttl : undefined);
        break;
      case "add":
        this.#add(key, operation.by);
        break;
      case "advance":
        this.#advance(operation.by);
        break;
      case "sweep":
        this.#sweep(operation.buckets);
        break;
      case "remainingTtl":
        if (this.#model.type === "array") break;
        expectEqual("remaining ttl", this.#model.remainingTtl(key), this.#subject.remainingTtl(key));
        break;
      case "process":
        this.#scans.process(operation.remove);
        break;
      case "drainAll":
        this.#scans.drainAll(operation.room);
        break;
      case "lookup":
        this.#lookup(key);
        break;
      case "has":
        expectEqual("has", this.#model.lookup(key) !== undefined, this.#subject.has(key));
        break;
      case "delete":
        this.#delete(key);
        break;
      case "lookupAndDelete":
        this.#lookupAndDelete(key);
        break;
      case "nextKey":
        this.#nextKey(key);
        break;
      case "firstKey":
        this.#firstKey();
        break;
      case "walk":
        this.#walk();
        break;
      case "lookupMany":
        this.#lookupMany(operation.key, operation.count, operation.stride);
        break;
      case "scan":
        this.#scans.scan(operation.slot, operation.room);
        break;
      case "drain":
        this.#scans.drain(operation.slot, operation.room);
        break;
      case "iterate":
        this.#scans.iterate(operation.slot, operation.room);
        break;
      case "rewind":
        this.#scans.rewind(operation.slot);
        break;
      case "clear":
        if (!this.#model.frozen && this.#model.type !== "array") this.#addresses.cleared();
        expectEqual("errno", this.#model.clear(), this.#subject.clear());
        break;
      case "freeze":
        expectEqual("errno", this.#model.freeze(), this.#subject.freeze());
        break;
      case "grow":
        this.#grow(operation.by);
        break;
      case "check":
        this.#check();
        break;
    }
  }

  /** A map that another one has grown, too, is not replayed: the model's limit is the map's. */
  #grow(by: number): void {
    const maxEntries = this.#model.maxEntries + by;
    const got = this.#subject.grow(maxEntries);
    if (got === ERRNO.ENOMEM && this.#options.outOfMemory === true) return;
    expectEqual("errno", this.#model.grow(maxEntries), got);
  }

  #update(key: Uint8Array, number: number, flags: number, ttl?: number): void {
    const { valueSize, numbers } = this.#model;
    const value = numbers ? numberBytes(number, valueSize) : valueBytes(number, valueSize);
    this.#write(
      key,
      flags,
      () => this.#subject.update(key, value, flags, ttl),
      () => this.#model.update(key, value, flags, ttl),
    );
  }

  #add(key: Uint8Array, by: number): void {
    if (!this.#model.counts) return;
    this.#write(
      key,
      0,
      () => this.#subject.add(key, by),
      () => this.#model.add(key, by),
    );
  }

  /** What may insert. */
  #write(key: Uint8Array, flags: number, ask: () => number, expected: () => number): void {
    const got = ask();
    if (got === ERRNO.ENOMEM && this.#options.outOfMemory === true) return;
    if (got === ERRNO.E2BIG && this.#model.mayRefuse(key, flags)) return;
    const inserts = this.#model.lookup(key) === undefined;
    const full = inserts && this.#model.full;
    expectEqual("errno", expected(), got);
    if (got !== 0 || !inserts) return;
    this.#addresses.inserted(key);
    if (full) this.#evictions.inserted(key);
  }

  #advance(ms: number): void {
    this.#subject.advance(ms);
    for (const { key, value } of this.#model.advance(ms)) this.#addresses.deleted(key, value);
  }

  #sweep(buckets: number): void {
    if (!this.#model.timed) return;
    this.#sweeps++;
    const all = buckets === WHOLE_MAP;
    this.#subject.sweep(all ? 2 ** 32 - 1 : buckets);
    if (all) this.#model.swept();
  }

  #lookup(key: Uint8Array): void {
    const expected = this.#model.lookup(key);
    expectBytes("value", expected, this.#subject.lookup(key));
    this.#model.use(key);
    const address = this.#subject.address(key);
    if (expected === undefined) expectEqual("address", 0, address);
    else this.#addresses.handedOut(key, address);
  }

  #delete(key: Uint8Array): void {
    const value = this.#model.lookup(key);
    const errno = this.#model.delete(key);
    expectEqual("errno", errno, this.#subject.delete(key));
    if (errno === 0) this.#addresses.deleted(key, value!);
  }

  #lookupAndDelete(key: Uint8Array): void {
    const expected = this.#model.lookupAndDelete(key);
    const got = this.#subject.lookupAndDelete(key);
    if (typeof expected === "number" || typeof got === "number") {
      if (expected !== got) throw new Mismatch(showTaken(expected), showTaken(got));
      return;
    }
    expectBytes("value", expected, got);
    this.#addresses.deleted(key, expected);
  }

  #firstKey(): Uint8Array | undefined {
    if (this.#model.timed) this.#evictions.settleAll();
    const first = this.#subject.nextKey();
    expectEqual("a first key:", this.#model.size > 0, first !== undefined);
    if (first !== undefined) this.#expectPresent(first);
    return first;
  }

  /** A key that is absent restarts at the first; one that is present leads to a later one, or is the last. */
  #nextKey(key: Uint8Array): void {
    const first = this.#firstKey();
    const next = this.#subject.nextKey(key);
    if (this.#model.lookup(key) === undefined) {
      expectBytes("next of an absent key:", first, next);
      return;
    }
    if (next === undefined) return;
    this.#expectPresent(next);
    if (equalBytes(next, key)) throw new Mismatch("another key", `the key itself, ${showBytes(next)}`);
    if (equalBytes(next, first!)) throw new Mismatch("a later key", `the first key, ${showBytes(next)}`);
  }

  #walk(): void {
    const checker = new ScanChecker(this.#model);
    let key = this.#firstKey();
    for (let step = 0; key !== undefined; step++) {
      if (step === MAX_WALK_STEPS) return;
      checker.returned(key);
      key = this.#subject.nextKey(key);
    }
    this.#evictions.settleAll();
    checker.ended();
    this.#walks++;
  }

  #expectPresent(key: Uint8Array): void {
    if (this.#model.lookup(key) === undefined) throw new Mismatch("a key of the map", showBytes(key));
  }

  #lookupMany(first: number, count: number, stride: number): void {
    const { keySize, valueSize } = this.#model;
    const keys = new Uint8Array(count * keySize);
    for (let i = 0; i < count; i++) {
      const key = keyBytes(first + i * stride, keySize);
      this.#evictions.settle(key);
      keys.set(key, i * keySize);
    }
    const got = this.#subject.lookupMany(keys, count);
    const zeros = new Uint8Array(valueSize);
    let hits = 0;
    for (let i = 0; i < count; i++) {
      const key = keys.subarray(i * keySize, (i + 1) * keySize);
      const expected = this.#model.lookup(key);
      if (expected !== undefined) hits++;
      expectEqual(`found(${i})`, expected !== undefined, got.found[i]!);
      const value = got.values.subarray(i * valueSize, (i + 1) * valueSize);
      expectBytes(`value ${i}`, expected ?? zeros, value);
    }
    expectEqual("hits", hits, got.hits);
    if (!this.#model.exact) {
      for (let i = 0; i < count; i++) this.#model.use(keys.slice(i * keySize, (i + 1) * keySize));
      return;
    }
    // In which order a batch uses its keys is its own affair: after single lookups the order is known.
    for (let i = 0; i < count; i++) this.#lookup(keys.slice(i * keySize, (i + 1) * keySize));
  }

  /** Compares everything that can be compared without an operation. */
  #check(): void {
    this.#evictions.settleAll();
    this.#addresses.verify();
    this.#expectSize("size", this.#subject.size);
    const { type, size, keySize, valueSize } = this.#model;
    // An array keeps no keys.
    const payload = size * (type === "array" ? valueSize : keySize + valueSize);
    const bytes = this.#subject.memoryUsage();
    if (!(bytes >= payload)) throw new Mismatch(`memory of at least ${payload} bytes`, `${bytes} bytes`);
    const stats = this.#subject.stats();
    this.#expectSize("count in the statistics", stats.count);
    // The buckets of a map whose addresses are stable are fixed for life.
    if (this.#sweeps > 0) return; // which are bounded by their buckets alone
    const fixed = this.#subject.stableAddresses;
    this.#expectAtMost("splits in one call", fixed ? 0 : MAX_SPLITS, stats.maxSplits);
    this.#expectAtMost("merges in one call", fixed ? 0 : MAX_MERGES, stats.maxMerges);
    // A bucket that may not be split takes all that a section inserts, and its split then moves half of that.
    if (this.#sections === 0) this.#expectAtMost("entries moved in one call", MAX_MOVED, stats.maxMoved);
  }

  #expectAtMost(what: string, most: number, got: number): void {
    if (!(got >= 0 && got <= most)) throw new Mismatch(`at most ${most} ${what}`, `${got}`);
  }
}

/** Buckets of an operation `sweep` that stand for all. */
const WHOLE_MAP = 255;
const NO_KEY = new Uint8Array(0);

const showTaken = (taken: Uint8Array | number): string =>
  typeof taken === "number" ? `errno ${taken}` : `value ${showBytes(taken)}`;

/**
 * Runs every operation on the map and on the model and compares each result: values, errnos, counts, found flags, the order
 * rules of nextKey, the contract of scans, drains and iterations, addresses in sections, what has expired, and the bounds of the work
 * of a call.
 * After the last operation every entry is looked up once more and the map is closed, which must leave no byte in use.
 *
 * @param operations taken one by one, and kept in encoded form, some 4 bytes each
 * @param subject the map, empty
 * @param model the model, empty, with the sizes and capacity of the map
 * @throws ReplayDivergence at the first difference
 * @example
 * ```ts
 * import { createHost } from "bpfmap";
 * import { generateOperations, openSubject, ReferenceMap, replay } from "bpfmap/testing";
 *
 * const sizes = { keySize: 16, valueSize: 8, maxEntries: 100 };
 * const subject = openSubject(createHost({ seed: 1 }), { type: "rhash", ...sizes });
 * const operations = generateOperations({ seed: 1, steps: 10_000, keys: 200, maxEntries: 100 });
 * const summary = replay(operations, subject, new ReferenceMap(sizes), { seed: 1 });
 * console.log(summary.steps); // 10000
 * ```
 */
export function replay(
  operations: Iterable<Operation>,
  subject: Subject,
  model: ReferenceMap,
  options: ReplayOptions = {},
): ReplaySummary {
  return new Replayer(operations, subject, model, options).replay();
}
