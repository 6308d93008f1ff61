/**
 * The memory of the caller: what `copy_from_user` and `copy_to_user` are in the kernel.
 *
 * A pointer is a byte offset. 0 is NULL: nothing is mapped there, as in every process. Nor is anything behind the end. Of a
 * buffer that lies across the end, the part that is mapped is written before the fault is found, as in the kernel.
 *
 * @module
 */
import type { Host } from "../../host/host.ts";

/** Up to so many bytes a loop is quicker than the two calls of `set` and `subarray`. */
const SHORT = 32;

function copy(target: Uint8Array, at: number, source: Uint8Array, from: number, bytes: number): void {
  if (bytes > SHORT || target === source) target.set(source.subarray(from, from + bytes), at);
  else for (let i = 0; i < bytes; i++) target[at + i] = source[from + i];
}

export class UserMemory {
  readonly #host: Host;
  /** Undefined for host memory, whose view changes when it grows. */
  readonly #bytes: Uint8Array | undefined;

  constructor(host: Host, memory: ArrayBufferLike | undefined) {
    this.#host = host;
    const own = memory === undefined || memory === host.u8.buffer;
    // Through a DataView, which takes a buffer and nothing else: a typed array would be copied.
    this.#bytes = own ? undefined : new Uint8Array(new DataView(memory).buffer);
  }

  get #view(): Uint8Array {
    return this.#bytes ?? this.#host.u8;
  }

  /** How many of `bytes` bytes from a pointer on are mapped. */
  mapped(pointer: number, bytes: number): number {
    return pointer === 0 ? 0 : Math.max(0, Math.min(bytes, this.#view.length - pointer));
  }

  /** How many whole entries of `stride` bytes are mapped from a pointer on, up to `count`. */
  entries(pointer: number, stride: number, count: number): number {
    return Math.floor(this.mapped(pointer, stride * count) / stride);
  }

  /** Copies to an address of host memory. False, and nothing copied, for a fault. */
  read(pointer: number, address: number, bytes: number): boolean {
    if (this.mapped(pointer, bytes) < bytes) return false;
    copy(this.#host.u8, address, this.#view, pointer, bytes);
    return true;
  }

  /** Copies from an address of host memory. False for a fault, with what is mapped written. */
  write(pointer: number, address: number, bytes: number): boolean {
    const mapped = this.mapped(pointer, bytes);
    copy(this.#view, pointer, this.#host.u8, address, mapped);
    return mapped === bytes;
  }

  /** A copy of bytes; undefined for a fault. */
  take(pointer: number, bytes: number): Uint8Array | undefined {
    if (this.mapped(pointer, bytes) < bytes) return undefined;
    return this.#view.slice(pointer, pointer + bytes);
  }

  /** Writes bytes. False for a fault, with what is mapped written. */
  put(pointer: number, bytes: Uint8Array): boolean {
    const mapped = this.mapped(pointer, bytes.length);
    copy(this.#view, pointer, bytes, 0, mapped);
    return mapped === bytes.length;
  }

  /** The u32 at a pointer; undefined for a fault. */
  u32(pointer: number): number | undefined {
    if (this.mapped(pointer, 4) < 4) return undefined;
    const bytes = this.#view;
    return (
      (bytes[pointer] |
        (bytes[pointer + 1] << 8) |
        (bytes[pointer + 2] << 16) |
        (bytes[pointer + 3] << 24)) >>>
      0
    );
  }

  /** Writes a u32. False for a fault, with what is mapped written. */
  putU32(pointer: number, value: number): boolean {
    const mapped = this.mapped(pointer, 4);
    for (let i = 0; i < mapped; i++) this.#view[pointer + i] = value >>> (8 * i);
    return mapped === 4;
  }
}
