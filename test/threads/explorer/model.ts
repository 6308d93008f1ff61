/** What a map should be: the entries of one thread after the other. */
import { plain, type Shape, type Value } from "./shapes.ts";

const ENOENT = 2;
const E2BIG = 7;
const EEXIST = 17;

/** What an operation gave, as text: what a test compares and prints. */
export type Outcome = string;

export const failed = (errno: number): Outcome => (errno === 0 ? "ok" : `errno ${errno}`);
export const found = (value: Value | undefined): Outcome => (value === undefined ? "absent" : `[${value}]`);

export class Model {
  readonly shape: Shape;
  readonly entries: Map<number, Value>;
  limit: number;

  constructor(shape: Shape, entries?: ReadonlyMap<number, Value>, limit = shape.maxEntries) {
    this.shape = shape;
    this.entries = new Map(entries);
    this.limit = limit;
    if (shape.array && !entries) for (let i = 0; i < limit; i++) this.entries.set(i, plain(shape, 0));
  }

  clone(): Model {
    return new Model(this.shape, this.entries, this.limit);
  }

  get(key: number): Outcome {
    return found(this.entries.get(key));
  }

  /** `flags`: 1 only if absent, 2 only if present. */
  set(key: number, value: Value, flags = 0): Outcome {
    const present = this.entries.has(key);
    if (present && flags === 1) return failed(EEXIST);
    if (!present && flags === 2) return failed(ENOENT);
    if (!present && this.entries.size >= this.limit) return failed(E2BIG);
    this.entries.set(key, value);
    return failed(0);
  }

  remove(key: number): Outcome {
    return failed(this.entries.delete(key) ? 0 : ENOENT);
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
