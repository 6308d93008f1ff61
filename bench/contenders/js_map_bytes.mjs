// JS Map with keys of more than 4 bytes, for hashmap-lookup --key-size: strings with one character per byte, made in advance,
// since an object is a key only of itself.
import { fillTail } from "../data/key_bytes.mjs";

/** The strings of the keys of an array, as long as the array lives. */
const strings = new WeakMap();

export class JsMapBytesSubject {
  constructor({ keySize }) {
    this.map = new Map();
    this.keySize = keySize;
  }

  prepare(keys) {
    if (strings.has(keys)) return;
    const key = Buffer.alloc(this.keySize);
    fillTail(key);
    /** One string for each key, however often it comes. */
    const known = new Map();
    const list = Array.from(keys, (number) => {
      let text = known.get(number);
      if (text === undefined) {
        key.writeUInt32LE(number, 0);
        text = key.toString("latin1");
        known.set(number, text);
      }
      return text;
    });
    strings.set(keys, list);
  }

  insert(keys) {
    const { map } = this;
    const list = strings.get(keys);
    for (let i = 0; i < list.length; i++) map.set(list[i], i);
  }

  lookup(keys) {
    const { map } = this;
    const list = strings.get(keys);
    let total = 0;
    for (let i = 0; i < list.length; i++) total += map.get(list[i]);
    return total;
  }

  close() {}
}
