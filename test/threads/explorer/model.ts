/**
 * What a map should be: the entries of one thread after the other. The model of a map that evicts does not know what was evicted, only how many:
 * it has all that was put in and not taken out, and what is found to be gone was one of those.
 */
import { E2BIG, EEXIST, EINVAL, ENOENT, LOW_WATER } from "../../../src/generated/abi.js";
import { plain, type Shape, type Value } from "./programs/shapes.ts";

/** What an operation gave, as text: what a test compares and prints. */
export type Outcome = string;

export const failed = (errno: number): Outcome => (errno === 0 ? "ok" : `errno ${errno}`);
export const found = (value: Value | undefined): Outcome => (value === undefined ? "absent" : `[${value}]`);

export class Model {
  readonly shape: Shape;
  readonly entries: Map<number, Value>;
  limit: number;
  /** Slots that the low-water mark keeps free; 0 without one. */
  free = 0;
  /** Somebody was told that the mark is crossed. */
  told = false;
  /** Entries that were evicted, but not known which. */
  evicted = 0;
  /** The key that was inserted last: it is never evicted by that. */
  newest: number | undefined;

  constructor(shape: Shape, entries?: ReadonlyMap<number, Value>, limit = shape.maxEntries) {
    this.shape = shape;
    this.entries = new Map(entries);
    this.limit = limit;
    if (shape.array && !entries) for (let i = 0; i < limit; i++) this.entries.set(i, plain(shape, 0));
  }

  clone(): Model {
    const model = new Model(this.shape, this.entries, this.limit);
    model.free = this.free;
    model.told = this.told;
    model.evicted = this.evicted;
    model.newest = this.newest;
    return model;
  }

  /** Raises the limit; an array has the new indices then. */
  grow(limit: number): Outcome {
    if (limit < this.limit) return failed(EINVAL);
    if (this.shape.array) for (let i = this.limit; i < limit; i++) this.entries.set(i, plain(this.shape, 0));
    this.limit = limit;
    return failed(0);
  }

  /** {@link set} by a thread with a low-water hook, which is told of the mark once. `passes`: it has been told. */
  setAtMark(key: number, value: Value, passes: boolean): Outcome {
    const crosses = !this.entries.has(key) && this.entries.size >= this.limit - this.free;
    if (this.free > 0 && crosses && !this.told) {
      this.told = true;
      if (!passes) return failed(LOW_WATER);
    }
    return this.set(key, value);
  }

  get(key: number): Outcome {
    return found(this.entries.get(key));
  }

  /** `flags`: 1 only if absent, 2 only if present. */
  set(key: number, value: Value, flags = 0): Outcome {
    const present = this.entries.has(key);
    if (present && flags === 1) return failed(EEXIST);
    if (!present && flags === 2) return failed(ENOENT);
    const full = this.entries.size - this.evicted >= this.limit;
    if (!present && full && !this.shape.evicts) return failed(E2BIG);
    if (!present && full) this.evicted++;
    if (!present) this.newest = key;
    this.entries.set(key, value);
    return failed(0);
  }

  remove(key: number): Outcome {
    const found = this.entries.delete(key);
    if (found && this.entries.size <= this.limit - this.free) this.told = false;
    return failed(found ? 0 : ENOENT);
  }

  take(key: number): Outcome {
    const value = this.entries.get(key);
    this.entries.delete(key);
    return found(value);
  }

  /** Adds to one word; an absent key starts at zeros. */
  add(key: number, delta: number, word: number): Outcome {
    const before = this.entries.get(key) ?? plain(this.shape, 0);
    const value = before.map((number, i) => (i === word ? number + delta : number));
    const errno = this.set(key, value);
    return errno === failed(0) ? `sum ${value[word]}` : errno;
  }

  /** Writes one word. */
  write(key: number, number: number, word: number): Outcome {
    const before = this.entries.get(key) ?? plain(this.shape, 0);
    return this.set(
      key,
      before.map((old, i) => (i === word ? number : old)),
    );
  }

  /** The models that this one may be, given that one more entry is known to be evicted. */
  *withoutOne(): Generator<Model> {
    if (this.evicted === 0) return;
    for (const key of this.entries.keys()) {
      if (key === this.newest) continue;
      const model = this.clone();
      model.entries.delete(key);
      model.evicted--;
      yield model;
    }
  }

  /** Whether a map may have these entries, as texts. */
  allows(entries: readonly string[]): boolean {
    const all = entriesIn(this.entries);
    if (entries.length !== all.length - this.evicted) return false;
    const newest = this.newest !== undefined && this.entries.has(this.newest) ? this.newest : undefined;
    if (newest !== undefined && !entries.some((entry) => entry.startsWith(`${newest}=`))) return false;
    return entries.every((entry) => all.includes(entry));
  }

  toString(): string {
    return entriesText(this.entries);
  }
}

/** Entries as text, by key. */
export function entriesIn(entries: ReadonlyMap<number, Value>): string[] {
  return [...entries].sort(([a], [b]) => a - b).map(([key, value]) => `${key}=${value}`);
}

export function entriesText(entries: ReadonlyMap<number, Value>): string {
  return entriesIn(entries).join(" ");
}
