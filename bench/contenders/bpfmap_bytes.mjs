// bpfmap with keys of more than 4 bytes, for hashmap-lookup --key-size: one buffer for the key, patched before each call, as the
// kernel's selftest does it.
import { bytes, f64 } from "../../dist/index.js";
import { fillTail } from "../data/key_bytes.mjs";
import { benchHost } from "./bench_host.mjs";

export class BpfMapBytesSubject {
  constructor({ seed, maxEntries, keySize, type = "rhash", flags = 0 }) {
    const key = bytes(keySize);
    this.map = benchHost(seed).createMap({ type, key, value: f64, maxEntries, flags });
    this.key = new Uint8Array(keySize);
    this.word = new Uint32Array(this.key.buffer, 0, 1);
    fillTail(this.key);
  }

  insert(keys) {
    const { map, key, word } = this;
    for (let i = 0; i < keys.length; i++) {
      word[0] = keys[i];
      map.set(key, i);
    }
  }

  lookup(keys) {
    const { map, key, word } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) {
      word[0] = keys[i];
      total += map.get(key);
    }
    return total;
  }

  bytes() {
    return this.map.memoryUsage();
  }

  close() {
    this.map.close();
  }
}
