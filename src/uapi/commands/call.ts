/**
 * One system call: its attributes, the memory that its pointers lead to, and the checks that all commands share.
 *
 * @module
 */
import type { MapFile } from "../../core/tables/descriptors.ts";
import type { Table } from "../../core/tables/table.ts";
import type { Host } from "../../host/host.ts";
import { BPF_ATTR_BYTES } from "../abi/attr.ts";
import { BPF_F_LOCK, BPF_F_RDONLY, BPF_F_WRONLY } from "../abi/constants.ts";
import { ERRNO } from "../abi/errno.ts";
import { endOf, type Field } from "../abi/struct.ts";
import { UserMemory } from "./user_memory.ts";

/** PAGE_SIZE, the most that the kernel looks at of an attribute or an info struct. */
export const PAGE_BYTES = 4096;

export class Call {
  readonly host: Host;
  readonly memory: UserMemory;
  /** The attributes, as long as the union: an attribute that ends early goes on with zeroes. */
  readonly #bytes = new Uint8Array(BPF_ATTR_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #attr: Uint8Array;
  readonly #length: number;
  /** Where the attributes are in host memory, when they are there: their view is detached when the memory grows. */
  readonly #address: number;

  constructor(host: Host, attr: Uint8Array, memory: ArrayBufferLike | undefined) {
    this.host = host;
    this.memory = new UserMemory(host, memory);
    this.#attr = attr;
    this.#length = attr.length;
    this.#address = attr.buffer === host.u8.buffer ? attr.byteOffset : -1;
    this.#bytes.set(attr.subarray(0, BPF_ATTR_BYTES));
  }

  u32(field: Field): number {
    return this.#view.getUint32(field[1], true);
  }

  s32(field: Field): number {
    return this.#view.getInt32(field[1], true);
  }

  /** A 64-bit field, exact up to 2^53. No memory is as long, so that every pointer beyond stays one that leads nowhere. */
  u64(field: Field): number {
    return this.#view.getUint32(field[1] + 4, true) * 2 ** 32 + this.#view.getUint32(field[1], true);
  }

  bytes(field: Field): Uint8Array {
    return this.#bytes.subarray(field[1], endOf(field));
  }

  /** CHECK_ATTR: whether there is anything behind the last field that the command knows. */
  hasTail(last: Field): boolean {
    for (let i = endOf(last); i < BPF_ATTR_BYTES; i++) if (this.#bytes[i] !== 0) return true;
    return false;
  }

  /** put_user to a field of the caller's attributes. False when they end before it. */
  put(field: Field, value: number): boolean {
    const start = field[1];
    if (start + 4 > this.#length) return false;
    const [bytes, at] = this.#address < 0 ? [this.#attr, start] : [this.host.u8, this.#address + start];
    for (let i = 0; i < 4; i++) bytes[at + i] = value >>> (8 * i);
    return true;
  }

  /** The open file of a descriptor; -EBADF when it is not open, -EINVAL when it is no map. */
  file(fd: number): MapFile | number {
    const { descriptors } = this.host;
    return descriptors.get(fd) ?? -(descriptors.isStream(fd) ? ERRNO.EINVAL : ERRNO.EBADF);
  }

  isFrozen(table: Table): boolean {
    const { host } = this;
    return host.word(table.handle + host.layout.frozen) !== 0;
  }

  /** FMODE_CAN_WRITE of `map_get_sys_perms`: freezing takes it from every descriptor. */
  canWrite(file: MapFile): boolean {
    return file.writable && !this.isFrozen(file.table);
  }
}

/** Whether flags ask for a spin lock that the value does not have. */
export function lacksLock(table: Table, flags: number): boolean {
  return (flags & BPF_F_LOCK) !== 0 && table.lockOffset === undefined;
}

/** Whether flags (64-bit, as a number) have any bit but BPF_F_LOCK. */
export function hasOtherThanLock(flags: number): boolean {
  return flags !== 0 && flags !== BPF_F_LOCK;
}

/** A new descriptor of a map, with the rights that BPF_F_RDONLY and BPF_F_WRONLY leave (`bpf_map_new_fd`). */
export function openFile(host: Host, table: Table, flags: number): number {
  return host.descriptors.open(table, (flags & BPF_F_WRONLY) === 0, (flags & BPF_F_RDONLY) === 0);
}

/** Whether flags ask for both rights to be taken, which `bpf_get_file_flag` refuses. */
export function asksForNothing(flags: number): boolean {
  return (flags & BPF_F_RDONLY) !== 0 && (flags & BPF_F_WRONLY) !== 0;
}
