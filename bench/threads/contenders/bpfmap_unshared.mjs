import { createHost, u32, u53 } from "../../../dist/index.js";
import { fill, openApart } from "./apart.mjs";
import { BpfSubject } from "./bpf_subject.mjs";

export const name = "bpfmap-unshared";
export const title =
  "a plain host with a map in each thread: how the machine does with threads that share nothing";

export const open = openApart;

class Subject extends BpfSubject {
  #keys;

  constructor(map, keys) {
    super(map);
    this.#keys = keys;
  }

  counts() {
    return Float64Array.from(this.#keys, (key) => this.map.get(key) ?? 0);
  }
}

export function attach(options) {
  const { size, keys, seed, type = "rhash" } = options;
  const map = createHost({ seed }).createMap({ type, key: u32, value: u53, maxEntries: size });
  return new Subject(fill(map, options), keys);
}
