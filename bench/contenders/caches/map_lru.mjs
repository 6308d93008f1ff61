/** The cache that many programs have in ten lines: a Map in the order of use, of which the first key goes. */
export class MapLru {
  #map = new Map();
  #max;

  constructor(max) {
    this.#max = max;
  }

  get(key) {
    const map = this.#map;
    const value = map.get(key);
    if (value === undefined) return undefined;
    map.delete(key);
    map.set(key, value);
    return value;
  }

  set(key, value) {
    const map = this.#map;
    if (!map.delete(key) && map.size === this.#max) map.delete(map.keys().next().value);
    map.set(key, value);
  }
}
