import { fill, openApart } from "./apart.mjs";
import { MapSubject } from "./map_subject.mjs";

export const name = "js-map";
export const title = "a JS Map in each thread: nothing is shared";

export const open = openApart;

class Subject extends MapSubject {
  #keys;

  constructor(map, keys) {
    super(map);
    this.#keys = keys;
  }

  add({ keys }, from, to) {
    const { map } = this;
    for (let i = from; i < to; i++) map.set(keys[i], (map.get(keys[i]) ?? 0) + 1);
    return to - from;
  }

  counts() {
    return Float64Array.from(this.#keys, (key) => this.map.get(key) ?? 0);
  }
}

export const attach = (options) => new Subject(fill(new Map(), options), options.keys);
