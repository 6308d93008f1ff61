import { requirePeer } from "../../peers/install.mjs";
import { newSharedMap, stringsOf } from "../../peers/sharedmap.mjs";

export const name = "sharedmap";
export const title = "sharedmap (npm), keys as strings made in advance";
/** Filling it with more takes too long. */
export const mostEntries = 1_000_000;

class Table {
  #map;

  constructor({ size, keys, kind, maxEntries = size }) {
    this.#map = newSharedMap(maxEntries);
    if (kind === "values") for (let i = 0; i < size; i++) this.#map.set(String(keys[i]), i);
  }

  ticket() {
    return { data: this.#map };
  }

  counts(keys) {
    return Float64Array.from(keys, (key) => Number(this.#map.get(String(key)) ?? 0));
  }

  close() {}
}

export const open = (options) => new Table(options);

class Subject {
  constructor(map) {
    this.map = map;
  }

  prepare({ keys }) {
    stringsOf(keys);
  }

  get({ keys }, from, to) {
    const { map } = this;
    const list = stringsOf(keys);
    let total = 0;
    for (let i = from; i < to; i++) total += Number(map.get(list[i]));
    return total;
  }

  mixed({ keys, values, writes }, from, to) {
    const { map } = this;
    const list = stringsOf(keys);
    let total = 0;
    for (let i = from; i < to; i++) {
      if (writes[i] === 1) map.set(list[i], values[i]);
      else total += Number(map.get(list[i]));
    }
    return total;
  }

  /** It cannot add: its way to read and write without others in between is to keep all other writers out. */
  add({ keys }, from, to) {
    const { map } = this;
    const list = stringsOf(keys);
    const locked = { lockWrite: true };
    for (let i = from; i < to; i++) {
      map.lockWrite();
      map.set(list[i], Number(map.get(list[i], locked) ?? 0) + 1, locked);
      map.unlockWrite();
    }
    return to - from;
  }

  insert({ keys, values }, from, to) {
    const { map } = this;
    const list = stringsOf(keys);
    for (let i = from; i < to; i++) map.set(list[i], values[i]);
    return to - from;
  }

  /** It throws for a key that is absent. */
  remove({ keys }, from, to) {
    const { map } = this;
    const list = stringsOf(keys);
    for (let i = from; i < to; i++) map.delete(list[i]);
    return to - from;
  }
}

/** Its properties come as they are, its class does not: what its documentation says to do. */
export function attach(map) {
  const SharedMap = requirePeer("sharedmap");
  return new Subject(Object.setPrototypeOf(map, SharedMap.prototype));
}
