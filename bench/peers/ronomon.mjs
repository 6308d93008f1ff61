import { requirePeer } from "./install.mjs";

export const name = "ronomon";
export const title = "@ronomon/hash-table (npm), 4-byte keys, 8-byte values";

class RonomonSubject {
  constructor(HashTable) {
    this.table = new HashTable(4, 8);
    this.key = Buffer.alloc(4);
    this.value = Buffer.alloc(8);
    this.word = new Uint32Array(this.key.buffer, this.key.byteOffset, 1);
    this.double = new Float64Array(this.value.buffer, this.value.byteOffset, 1);
  }

  insert(keys) {
    const { table, key, value, word, double } = this;
    for (let i = 0; i < keys.length; i++) {
      word[0] = keys[i];
      double[0] = i;
      table.set(key, 0, value, 0);
    }
  }

  lookup(keys) {
    const { table, key, value, word, double } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) {
      word[0] = keys[i];
      if (table.get(key, 0, value, 0) === 1) total += double[0];
    }
    return total;
  }

  miss(keys) {
    const { table, key, word } = this;
    let found = 0;
    for (let i = 0; i < keys.length; i++) {
      word[0] = keys[i];
      found += table.exist(key, 0);
    }
    return found;
  }

  overwrite(keys) {
    const { table, key, value, word, double } = this;
    for (let i = 0; i < keys.length; i++) {
      word[0] = keys[i];
      double[0] = i;
      table.set(key, 0, value, 0);
    }
  }

  remove(keys) {
    const { table, key, word } = this;
    let removed = 0;
    for (let i = 0; i < keys.length; i++) {
      word[0] = keys[i];
      removed += table.unset(key, 0);
    }
    return removed;
  }

  bytes() {
    return this.table.size;
  }

  close() {}
}

export async function load() {
  const HashTable = requirePeer("@ronomon/hash-table");
  return () => new RonomonSubject(HashTable);
}
