// What src/ops/iterators/f64.ts and its like are written from, by scripts/hash_maps.mjs: the loops over a walk, for maps whose values
// are $what. V8 compiles each by what it has seen there, so there is one for each kind of number that is common.
//#begin
import type { Walkable } from "../handle.ts";
import { Walk } from "./walk.ts";
import { WalkIterator } from "./walk_iterator.ts";

//#if U53
const WORD = 0x1_0000_0000;
/** Largest upper word of an integer below 2^53. */
const U53_HIGH_MAX = 0x1f_ffff;

//#end
/** The value at an address. */
function read<K, V>(walk: Walk<K, V>, address: number): V {
//#if F64
  return walk.doubles[address >>> 3] as V;
//#end
//#if U32
  return walk.words[address >>> 2] as V;
//#end
//#if U53
  const { words } = walk;
  const high = words[(address >>> 2) + 1];
  return high > U53_HIGH_MAX ? walk.value(address) : ((high * WORD + words[address >>> 2]) as V);
//#end
//#if Any
  return walk.value(address);
//#end
}

function valueAt<K, V>(walk: Walk<K, V>, index: number): V {
  return read(walk, walk.words[walk.addresses + index]);
}

function keyOf<K, V>(walk: Walk<K, V>, index: number): K {
//#if F64 U32 U53
  return walk.words[walk.keys + index] as K;
//#end
//#if Any
  return walk.key(index);
//#end
}

function entryOf<K, V>(walk: Walk<K, V>, index: number): [K, V] {
  const address = walk.words[walk.addresses + index]; // first: the codec of the key may be the caller's, and do anything
  return [keyOf(walk, index), read(walk, address)];
}

// Each `next` reads in two places, after a look at the version and after `advance`, and has one place that makes the result: only then does
// V8 leave out the object of the result.

export class Values$N<K, V> extends WalkIterator<V> {
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

export class Entries$N<K, V> extends WalkIterator<[K, V]> {
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

//#if U32 Any
export class Keys$N<K, V> extends WalkIterator<K> {
  readonly #walk: Walk<K, V>;

  constructor(map: Walkable<K, V>) {
    super();
    this.#walk = new Walk(map, "keys");
  }

  override next(): IteratorResult<K, undefined> {
    const walk = this.#walk;
    const { words } = walk;
    const i = walk.at;
    let done = false;
    let value: K | undefined;
    if (i < walk.end && words[walk.versionAt] === walk.version) {
      walk.at = i + 1;
      value = keyOf(walk, i);
    } else if (walk.advance()) {
      const i = walk.at;
      walk.at = i + 1;
      value = keyOf(walk, i);
    } else done = true;
    return { done, value } as IteratorResult<K, undefined>;
  }

  override return(): IteratorResult<K, undefined> {
    this.#walk.stop();
    return { done: true, value: undefined };
  }
}

//#end
export function forEach$N<K, V, M extends Walkable<K, V>>(
  map: M,
  callback: (value: V, key: K, map: M) => void,
  thisArg: unknown,
): void {
  const call = thisArg === undefined ? callback : callback.bind(thisArg);
  const walk = new Walk(map, "forEach");
  while (walk.advance()) {
    const { words, versionAt, version, addresses } = walk;
//#if F64 U32 U53
    const { keys } = walk;
//#end
//#if F64
    const { doubles } = walk;
//#end
    let i = walk.at;
    do {
      const address = words[addresses + i];
//#if Any
      const key = walk.key(i);
//#end
      walk.at = i + 1;
      $call
      i++;
    } while (i < walk.end && words[versionAt] === version);
  }
}
