import { requirePeer } from "./install.mjs";

export const name = "mnemonist";
export const title = "mnemonist LRUMapWithDelete (npm), typed, capacity as large as the map";

class MnemonistSubject {
  constructor(LRUMapWithDelete, capacity) {
    this.map = new LRUMapWithDelete(Uint32Array, Float64Array, capacity);
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

  walk() {
    let total = 0;
    for (const value of this.map.values()) total += value;
    return total;
  }

  close() {}
}

export async function load() {
  const { LRUMapWithDelete } = requirePeer("mnemonist");
  return ({ maxEntries }) => new MnemonistSubject(LRUMapWithDelete, maxEntries);
}
