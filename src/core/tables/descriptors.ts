/**
 * The file descriptors of a host: what `host.bpf` hands out for maps, with the rights of each.
 *
 * @module
 */
import type { Registry } from "./registry.ts";
import type { Table } from "./table.ts";

/** An open file of a map. */
export interface MapFile {
  readonly table: Table;
  /** Opened without BPF_F_WRONLY. */
  readonly readable: boolean;
  /** Opened without BPF_F_RDONLY. */
  readonly writable: boolean;
}

/** 0, 1 and 2 are the standard streams, as in every process: open, and no maps. */
const FIRST = 3;

export class Descriptors {
  #tables: Registry;
  #files: (MapFile | undefined)[] = [];
  /** No descriptor below this one is free. */
  #free = 0;

  constructor(tables: Registry) {
    this.#tables = tables;
  }

  /** The lowest free descriptor, now open on a table. */
  open(table: Table, readable: boolean, writable: boolean): number {
    while (this.#files[this.#free] !== undefined) this.#free++;
    const fd = FIRST + this.#free;
    this.#files[this.#free++] = { table, readable, writable };
    this.#tables.hold(table);
    return fd;
  }

  get(fd: number): MapFile | undefined {
    return this.#files[fd - FIRST];
  }

  /** Whether a descriptor is open on something that is no map. */
  isStream(fd: number): boolean {
    return fd >= 0 && fd < FIRST;
  }

  /** False when it is not open. */
  close(fd: number): boolean {
    const file = this.get(fd);
    if (file === undefined) return false;
    this.#files[fd - FIRST] = undefined;
    this.#free = Math.min(this.#free, fd - FIRST);
    this.#tables.drop(file.table);
    return true;
  }

  closeAll(): void {
    for (const index of this.#files.keys()) this.close(FIRST + index);
    this.#files = [];
    this.#free = 0;
  }
}
