// Written by scripts/hash_maps.mjs from scripts/iterators.template.ts: change that one.
import type { Walkable } from "../handle.ts";
import { Walk } from "./walk.ts";
import { WalkIterator } from "./walk_iterator.ts";

const WORD = 0x1_0000_0000;
/** Largest upper word of an integer below 2^53. */
const U53_HIGH_MAX = 0x1f_ffff;

/** The value at an address. */
function read<K, V>(walk: Walk<K, V>, address: number): V {
  const { words } = walk;
  const high = words[(address >>> 2) + 1];
  return high > U53_HIGH_MAX ? walk.value(address) : ((high * WORD + words[address >>> 2]) as V);
}

function valueAt<K, V>(walk: Walk<K, V>, index: number): V {
  return read(walk, walk.words[walk.addresses + index]);
}

function keyOf<K, V>(walk: Walk<K, V>, index: number): K {
  return walk.words[walk.keys + index] as K;
}

function entryOf<K, V>(walk: Walk<K, V>, index: number): [K, V] {
  const address = walk.words[walk.addresses + index]; // first: the codec of the key may be the caller's, and do anything
  return [keyOf(walk, index), read(walk, address)];
}

// Each `next` reads in two places, after a look at the version and after `advance`, and has one place that makes the result: only then does
// V8 leave out the object of the result.

export class ValuesU53<K, V> extends WalkIterator<V> {
  readonly #walk: Walk<K, V>;

  constructor(map: Walkable<K, V>) {
    super();
    this.#walk = new Walk(map, "values");
  }

  override next(): IteratorResult<V, undefined> {
    const walk = this.#walk;
    const { words } = walk;
    const i = walk.at;
    let done = false;
    let value: V | undefined;
    if (i < walk.end && words[walk.versionAt] === walk.version) {
      walk.at = i + 1;
      value = valueAt(walk, i);
    } else if (walk.advance()) {
      const i = walk.at;
      walk.at = i + 1;
      value = valueAt(walk, i);
    } else done = true;
    return { done, value } as IteratorResult<V, undefined>;
  }

  override return(): IteratorResult<V, undefined> {
    this.#walk.stop();
    return { done: true, value: undefined };
  }
}

export class EntriesU53<K, V> extends WalkIterator<[K, V]> {
  readonly #walk: Walk<K, V>;

  constructor(map: Walkable<K, V>) {
    super();
    this.#walk = new Walk(map, "entries");
  }

  override next(): IteratorResult<[K, V], undefined> {
    const walk = this.#walk;
    const { words } = walk;
    const i = walk.at;
    let done = false;
    let value: [K, V] | undefined;
    if (i < walk.end && words[walk.versionAt] === walk.version) {
      walk.at = i + 1;
      value = entryOf(walk, i);
    } else if (walk.advance()) {
      const i = walk.at;
      walk.at = i + 1;
      value = entryOf(walk, i);
    } else done = true;
    return { done, value } as IteratorResult<[K, V], undefined>;
  }

  override return(): IteratorResult<[K, V], undefined> {
    this.#walk.stop();
    return { done: true, value: undefined };
  }
}

export function forEachU53<K, V, M extends Walkable<K, V>>(
  map: M,
  callback: (value: V, key: K, map: M) => void,
  thisArg: unknown,
): void {
  const call = thisArg === undefined ? callback : callback.bind(thisArg);
  const walk = new Walk(map, "forEach");
  while (walk.advance()) {
    const { words, versionAt, version, addresses } = walk;
    const { keys } = walk;
    let i = walk.at;
    do {
      const address = words[addresses + i];
      walk.at = i + 1;
      call(read(walk, address), words[keys + i] as K, map);
      i++;
    } while (i < walk.end && words[versionAt] === version);
  }
}
