import { rmSync } from "node:fs";
import { newFolder, openDatabase } from "../../peers/lmdb.mjs";
import { GROUP } from "./sizes.mjs";

export const name = "lmdb";
export const title =
  "lmdb (npm) in memory, opened by every thread; each set is a transaction, in groups one for the sets of a group";
export const mostEntries = 1_000_000;

const encode = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
};

class Table {
  #folder = newFolder();
  #db = openDatabase(this.#folder);

  constructor({ size, keys, kind }) {
    if (kind !== "values") return;
    const db = this.#db;
    db.transactionSync(() => {
      for (let i = 0; i < size; i++) db.putSync(keys[i], encode(i));
    });
  }

  ticket() {
    return { data: this.#folder };
  }

  counts(keys) {
    this.#db.resetReadTxn();
    return Float64Array.from(keys, (key) => this.#db.getBinaryFast(key)?.readDoubleLE(0) ?? 0);
  }

  close() {
    this.#db.close();
    rmSync(this.#folder, { recursive: true });
  }
}

export const open = (options) => new Table(options);

/** A transaction of its own ends the snapshot that a thread reads from, so that it sees what the others have written. */
class Subject {
  #value = Buffer.alloc(8);
  #double = new Float64Array(this.#value.buffer, this.#value.byteOffset, 1);
  /** What the next transaction does, made once. */
  #from = 0;
  #to = 0;
  #stream;
  #key = 0;

  constructor(db) {
    this.db = db;
  }

  get({ keys }, from, to) {
    const { db } = this;
    let total = 0;
    for (let i = from; i < to; i++) total += db.getBinaryFast(keys[i]).readDoubleLE(0);
    return total;
  }

  mixed({ keys, values, writes }, from, to) {
    const { db } = this;
    let total = 0;
    for (let i = from; i < to; i++) {
      if (writes[i] === 1) this.#set(keys[i], values[i]);
      else total += db.getBinaryFast(keys[i]).readDoubleLE(0);
    }
    return total;
  }

  mixedGroup(stream, from, to) {
    const { db } = this;
    const { keys, writes } = stream;
    let total = 0;
    for (let start = from; start < to; start += GROUP) {
      for (let i = start; i < start + GROUP; i++) {
        if (writes[i] === 0) total += db.getBinaryFast(keys[i]).readDoubleLE(0);
      }
      this.#transaction(this.#writeGroup, stream, start, start + GROUP);
    }
    return total;
  }

  add({ keys }, from, to) {
    const { db } = this;
    for (let i = from; i < to; i++) {
      this.#key = keys[i];
      db.transactionSync(this.#addOne);
    }
    return to - from;
  }

  addGroup(stream, from, to) {
    for (let start = from; start < to; start += GROUP) {
      this.#transaction(this.#addAll, stream, start, start + GROUP);
    }
    return to - from;
  }

  insert(stream, from, to) {
    this.#transaction(this.#insertAll, stream, from, to);
    return to - from;
  }

  remove(stream, from, to) {
    return this.#transaction(this.#removeAll, stream, from, to);
  }

  close() {
    return this.db.close();
  }

  #transaction(callback, stream, from, to) {
    this.#stream = stream;
    this.#from = from;
    this.#to = to;
    return this.db.transactionSync(callback);
  }

  #put(key, value) {
    this.#double[0] = value;
    this.db.putSync(key, this.#value);
  }

  #set(key, value) {
    this.#key = key;
    this.#double[0] = value;
    this.db.transactionSync(this.#putOne);
  }

  #putOne = () => {
    this.db.putSync(this.#key, this.#value);
  };

  #addOne = () => {
    this.#put(this.#key, (this.db.getBinaryFast(this.#key)?.readDoubleLE(0) ?? 0) + 1);
  };

  #addAll = () => {
    const { keys } = this.#stream;
    for (let i = this.#from; i < this.#to; i++) {
      this.#put(keys[i], (this.db.getBinaryFast(keys[i])?.readDoubleLE(0) ?? 0) + 1);
    }
  };

  #writeGroup = () => {
    const { keys, values, writes } = this.#stream;
    for (let i = this.#from; i < this.#to; i++) if (writes[i] === 1) this.#put(keys[i], values[i]);
  };

  #insertAll = () => {
    const { keys, values } = this.#stream;
    for (let i = this.#from; i < this.#to; i++) this.#put(keys[i], values[i]);
  };

  #removeAll = () => {
    const { keys } = this.#stream;
    let removed = 0;
    for (let i = this.#from; i < this.#to; i++) if (this.db.removeSync(keys[i])) removed++;
    return removed;
  };
}

export const attach = (folder) => new Subject(openDatabase(folder));
