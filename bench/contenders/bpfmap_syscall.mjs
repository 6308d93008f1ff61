// bpfmap through its syscall, `host.bpf`: attributes, key and value as bytes in a buffer, an errno instead of an exception.
import { ERRNO } from "../../dist/index.js";
import {
  BPF_ATTR_ELEM,
  BPF_ATTR_MAP_CREATE,
  BPF_F_NO_PREALLOC,
  BPF_MAP_CREATE,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_RHASH,
  BPF_MAP_UPDATE_ELEM,
  writeStruct,
} from "../../dist/uapi/index.js";
import { benchHost } from "./bench_host.mjs";

export const name = "bpfmap-syscall";
export const title = "bpfmap through host.bpf()";

/** Where key and value are in the buffer; 0 would be NULL. */
const KEY = 8;
const VALUE = 16;

class BpfMapSyscallSubject {
  constructor({ seed, maxEntries, type = "rhash", flags = 0 }) {
    this.host = benchHost(seed);
    const create = {
      map_type: type === "hash" ? BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_RHASH,
      key_size: 4,
      value_size: 8,
      max_entries: maxEntries,
      map_flags: type === "hash" ? flags : BPF_F_NO_PREALLOC,
    };
    this.fd = this.host.bpf(BPF_MAP_CREATE, writeStruct(BPF_ATTR_MAP_CREATE, create));
    if (this.fd < 0) throw new Error(`BPF_MAP_CREATE: errno ${-this.fd}`);
    this.memory = new ArrayBuffer(32);
    this.word = new Uint32Array(this.memory, KEY, 1);
    this.double = new Float64Array(this.memory, VALUE, 1);
    this.attr = writeStruct(BPF_ATTR_ELEM, { map_fd: this.fd, key: KEY, value: VALUE });
    this.deleteAttr = writeStruct(BPF_ATTR_ELEM, { map_fd: this.fd, key: KEY });
  }

  insert(keys) {
    const { host, attr, memory, word, double } = this;
    for (let i = 0; i < keys.length; i++) {
      word[0] = keys[i];
      double[0] = i;
      const result = host.bpf(BPF_MAP_UPDATE_ELEM, attr, memory);
      if (result !== 0) throw new Error(`BPF_MAP_UPDATE_ELEM: errno ${-result}`);
    }
  }

  lookup(keys) {
    const { host, attr, memory, word, double } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) {
      word[0] = keys[i];
      if (host.bpf(BPF_MAP_LOOKUP_ELEM, attr, memory) === 0) total += double[0];
    }
    return total;
  }

  miss(keys) {
    const { host, attr, memory, word } = this;
    let found = 0;
    for (let i = 0; i < keys.length; i++) {
      word[0] = keys[i];
      if (host.bpf(BPF_MAP_LOOKUP_ELEM, attr, memory) === 0) found++;
    }
    return found;
  }

  overwrite(keys) {
    this.insert(keys);
  }

  remove(keys) {
    const { host, deleteAttr, memory, word } = this;
    let removed = 0;
    for (let i = 0; i < keys.length; i++) {
      word[0] = keys[i];
      if (host.bpf(BPF_MAP_DELETE_ELEM, deleteAttr, memory) === 0) removed++;
    }
    return removed;
  }

  reject(keys) {
    const { host, attr, memory, word } = this;
    let refused = 0;
    for (let i = 0; i < keys.length; i++) {
      word[0] = keys[i];
      if (host.bpf(BPF_MAP_UPDATE_ELEM, attr, memory) === -ERRNO.E2BIG) refused++;
    }
    return refused;
  }

  close() {
    this.host.closeFd(this.fd);
  }
}

export async function load() {
  return (options) => new BpfMapSyscallSubject(options);
}
