/** What a program writes itself: a Map of values with their time, which is looked at in a get. What nobody asks for stays. */
export class MapExpiring {
  #map = new Map();
  #ttl;
  #clock;

  constructor(ttl, clock) {
    this.#ttl = ttl;
    this.#clock = clock;
  }

  get size() {
    return this.#map.size;
  }

  get(key) {
    const entry = this.#map.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiry > this.#clock.now()) return entry.value;
    this.#map.delete(key);
    return undefined;
  }

  set(key, value, { ttl = this.#ttl } = {}) {
    this.#map.set(key, { value, expiry: this.#clock.now() + ttl });
  }
}
