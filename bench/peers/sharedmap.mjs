import { requirePeer } from "./install.mjs";

export const name = "sharedmap";
export const title = "sharedmap (npm), keys and values as strings made in advance";
/** It locks and deletes so slowly that more would take minutes. */
export const mostEntries = 10_000;

/** Digits of the largest key and of the largest value. */
const KEY_LENGTH = 10;
const VALUE_LENGTH = 16;
/** Its chart shows no loss up to 95 %. */
const LOAD = 0.9;

/** Keys of an array as strings, as long as the array lives: the map takes no others. */
const strings = new WeakMap();

export function stringsOf(keys) {
  let list = strings.get(keys);
  if (list === undefined) {
    list = Array.from(keys, String);
    strings.set(keys, list);
  }
  return list;
}

/** A map for so many u32 keys. */
export function newSharedMap(maxEntries) {
  const SharedMap = requirePeer("sharedmap");
  return new SharedMap(Math.ceil(maxEntries / LOAD), KEY_LENGTH, VALUE_LENGTH);
}

class SharedMapSubject {
  constructor(maxEntries) {
    this.map = newSharedMap(maxEntries);
  }

  prepare(keys) {
    if (keys instanceof Uint32Array) stringsOf(keys);
  }

  insert(keys) {
    const { map } = this;
    const list = stringsOf(keys);
    for (let i = 0; i < list.length; i++) map.set(list[i], i);
  }

  lookup(keys) {
    const { map } = this;
    const list = stringsOf(keys);
    let total = 0;
    for (let i = 0; i < list.length; i++) total += Number(map.get(list[i]));
    return total;
  }

  miss(keys) {
    const { map } = this;
    const list = stringsOf(keys);
    let found = 0;
    for (let i = 0; i < list.length; i++) if (map.get(list[i]) !== undefined) found++;
    return found;
  }

  overwrite(keys) {
    const { map } = this;
    const list = stringsOf(keys);
    for (let i = 0; i < list.length; i++) map.set(list[i], i);
  }

  /** It throws for a key that is absent. */
  remove(keys) {
    const { map } = this;
    const list = stringsOf(keys);
    for (let i = 0; i < list.length; i++) map.delete(list[i]);
    return list.length;
  }

  close() {}
}

export async function load() {
  requirePeer("sharedmap");
  return ({ maxEntries }) => new SharedMapSubject(maxEntries);
}
