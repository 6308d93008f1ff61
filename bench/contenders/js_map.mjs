import { JsMapBytesSubject } from "./js_map_bytes.mjs";

export const name = "js-map";
export const title = "JS Map, number keys (u32)";
export const anyKeySize = true;

class JsMapSubject {
  constructor() {
    this.map = new Map();
  }

  insert(keys) {
    const { map } = this;
    for (let i = 0; i < keys.length; i++) map.set(keys[i], i);
  }

  lookup(keys) {
    const { map } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) total += map.get(keys[i]);
    return total;
  }

  miss(keys) {
    const { map } = this;
    let found = 0;
    for (let i = 0; i < keys.length; i++) if (map.get(keys[i]) !== undefined) found++;
    return found;
  }

  overwrite(keys) {
    const { map } = this;
    for (let i = 0; i < keys.length; i++) map.set(keys[i], i);
  }

  mixed({ keys, values, writes }) {
    const { map } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) {
      if (writes[i] === 1) map.set(keys[i], values[i]);
      else total += map.get(keys[i]);
    }
    return total;
  }

  remove(keys) {
    const { map } = this;
    let removed = 0;
    for (let i = 0; i < keys.length; i++) if (map.delete(keys[i])) removed++;
    return removed;
  }

  /** A Map has no call for many keys: its user writes this loop. */
  lookupMany(batches) {
    const { map } = this;
    let total = 0;
    for (let b = 0; b < batches.length; b++) {
      const keys = batches[b];
      for (let i = 0; i < keys.length; i++) total += map.get(keys[i]);
    }
    return total;
  }

  walk() {
    let total = 0;
    for (const value of this.map.values()) total += value;
    return total;
  }

  drainIterator() {
    const { map } = this;
    let total = 0;
    for (const [key, value] of map) {
      total += value;
      map.delete(key);
    }
    return total;
  }

  close() {}
}

export async function load() {
  return (options) => (options.keySize === 4 ? new JsMapSubject() : new JsMapBytesSubject(options));
}
