import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requirePeer } from "./install.mjs";

export const name = "lmdb";
export const title = "lmdb (npm) in memory, one transaction for all writes of a pass";
/** A microsecond or two for each operation: more would take too long. */
export const mostEntries = 1_000_000;

/** Memory, where there is such a file system. */
const SHM = "/dev/shm";
const MAP_BYTES = 2 ** 33;

export const newFolder = () => mkdtempSync(join(existsSync(SHM) ? SHM : tmpdir(), "bpfmap-bench-lmdb-"));

/** The database in a folder, which any thread may open. */
export function openDatabase(folder) {
  const { open } = requirePeer("lmdb");
  return open({
    path: join(folder, "data"),
    mapSize: MAP_BYTES,
    keyEncoding: "uint32",
    encoding: "binary",
    noSync: true,
  });
}

class LmdbSubject {
  /** Its pages are free when it is empty, and files are slow to make. */
  emptyIsNew = true;

  constructor() {
    this.folder = newFolder();
    this.db = openDatabase(this.folder);
    this.value = Buffer.alloc(8);
    this.double = new Float64Array(this.value.buffer, this.value.byteOffset, 1);
  }

  insert(keys) {
    const { db, value, double } = this;
    db.transactionSync(() => {
      for (let i = 0; i < keys.length; i++) {
        double[0] = i;
        db.putSync(keys[i], value);
      }
    });
  }

  lookup(keys) {
    const { db } = this;
    let total = 0;
    for (let i = 0; i < keys.length; i++) total += db.getBinaryFast(keys[i]).readDoubleLE(0);
    return total;
  }

  miss(keys) {
    const { db } = this;
    let found = 0;
    for (let i = 0; i < keys.length; i++) if (db.getBinaryFast(keys[i]) !== undefined) found++;
    return found;
  }

  overwrite(keys) {
    const { db, value, double } = this;
    db.transactionSync(() => {
      for (let i = 0; i < keys.length; i++) {
        double[0] = i;
        db.putSync(keys[i], value);
      }
    });
  }

  remove(keys) {
    const { db } = this;
    let removed = 0;
    db.transactionSync(() => {
      for (let i = 0; i < keys.length; i++) if (db.removeSync(keys[i])) removed++;
    });
    return removed;
  }

  close() {
    this.db.close();
    rmSync(this.folder, { recursive: true });
  }
}

export async function load() {
  requirePeer("lmdb");
  return () => new LmdbSubject();
}
