export const name = "js-map-string";
export const title = "JS Map, the same keys as strings made in advance";
/** Strings take 16 to 32 bytes each, besides the map. */
export const mostEntries = 4_000_000;

/** The keys of an array as strings, as long as the array lives. */
const strings = new WeakMap();

function stringsOf(keys) {
  let list = strings.get(keys);
  if (list === undefined) {
    list = Array.from(keys, String);
    strings.set(keys, list);
  }
  return list;
}

class JsMapStringSubject {
  constructor() {
    this.map = new Map();
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
    for (let i = 0; i < list.length; i++) total += map.get(list[i]);
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

  remove(keys) {
    const { map } = this;
    const list = stringsOf(keys);
    let removed = 0;
    for (let i = 0; i < list.length; i++) if (map.delete(list[i])) removed++;
    return removed;
  }

  close() {}
}

export async function load() {
  return () => new JsMapStringSubject();
}
