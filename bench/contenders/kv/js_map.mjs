// A JS Map of typed arrays that does the same: nobody outside holds the arrays that are in it, so values are copied in and out.
import { HALF, SIZE } from "./value.mjs";

class JsMapSubject {
  constructor() {
    this.map = new Map();
    this.values = new Map([["hits", 0]]);
    this.value = new Uint8Array(SIZE);
    this.half = new Uint8Array(HALF);
  }

  insert(keys) {
    this.put(keys);
  }

  put(keys) {
    const { map, value } = this;
    for (let i = 0; i < keys.length; i++) {
      value[0] = keys[i];
      const known = map.get(keys[i]);
      if (known !== undefined && known.length === SIZE) known.set(value);
      else map.set(keys[i], value.slice());
    }
  }

  get(keys) {
    const { map } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) total += map.get(keys[i]).slice()[0];
    return total;
  }

  copy(keys) {
    const { map, value } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) {
      value.set(map.get(keys[i]));
      total += value[0];
    }
    return total;
  }

  resize(keys) {
    const { map, value, half } = this;
    for (let i = 0; i < keys.length; i++) {
      half[0] = value[0] = keys[i];
      map.set(keys[i], half.slice());
      map.set(keys[i], value.slice());
    }
  }

  count(keys) {
    const { values } = this;
    values.set("hits", 0);
    for (let i = 0; i < keys.length; i++) values.set("hits", values.get("hits") + 1);
    return values.get("hits");
  }

  close() {
    this.map.clear();
  }
}

export function load() {
  return () => new JsMapSubject();
}
