import { requirePeer } from "./install.mjs";

export const name = "lru-cache";
export const title = "lru-cache (npm), max as large as the map";

class LruCacheSubject {
  constructor(LRUCache, max) {
    this.cache = new LRUCache({ max });
  }

  insert(keys) {
    const { cache } = this;
    for (let i = 0; i < keys.length; i++) cache.set(keys[i], i);
  }

  lookup(keys) {
    const { cache } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) total += cache.get(keys[i]);
    return total;
  }

  miss(keys) {
    const { cache } = this;
    let found = 0;
    for (let i = 0; i < keys.length; i++) if (cache.get(keys[i]) !== undefined) found++;
    return found;
  }

  overwrite(keys) {
    const { cache } = this;
    for (let i = 0; i < keys.length; i++) cache.set(keys[i], i);
  }

  mixed({ keys, values, writes }) {
    const { cache } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) {
      if (writes[i] === 1) cache.set(keys[i], values[i]);
      else total += cache.get(keys[i]);
    }
    return total;
  }

  remove(keys) {
    const { cache } = this;
    let removed = 0;
    for (let i = 0; i < keys.length; i++) if (cache.delete(keys[i])) removed++;
    return removed;
  }

  walk() {
    let total = 0;
    for (const value of this.cache.values()) total += value;
    return total;
  }

  close() {}
}

export async function load() {
  const { LRUCache } = requirePeer("lru-cache");
  return ({ maxEntries }) => new LruCacheSubject(LRUCache, maxEntries);
}
