/**
 * Gathers the buffers of one call in one memory, so that the pointers of an attribute have something to point into.
 *
 * @module
 */
import { elementsOf, fixedBytes, isUint8Array } from "../../arguments/byte_array.ts";
import { isWellFormed } from "../../core/tables/path.ts";
import type { Table } from "../../core/tables/table.ts";
import type { Host } from "../../host/host.ts";

/** Pointers start at a multiple of this; the first 8 bytes are left for NULL. */
const ALIGNMENT = 8;
const CURSOR_BYTES = 4;
const U32_MAX = 0xffff_ffff;

/** A buffer of the caller's, as long as it was when the call began, and where it stands. */
interface Transferred {
  readonly bytes: Uint8Array;
  readonly pointer: number;
}

export class Transfer {
  readonly #host: Host;
  /** Undefined for a descriptor that is not open: then no size is checked, and the call answers EBADF. */
  readonly #table: Table | undefined;
  readonly #buffers = new Map<Uint8Array, Transferred>();
  #end = ALIGNMENT;

  constructor(host: Host, fd: number) {
    this.#host = host;
    this.#table = host.closed ? undefined : host.descriptors.get(fd)?.table;
  }

  /**
   * Where a buffer will stand, NULL for null. The same buffer passed twice has one place.
   *
   * @throws TypeError for what is no Uint8Array; RangeError when it has fewer than `bytes` bytes: in C that would be an access
   *   behind its end.
   */
  buffer(name: string, buffer: Uint8Array | null, bytes: number): number {
    if (buffer === null) return 0;
    if (!isUint8Array(buffer)) throw new TypeError(`${name}: expected a Uint8Array or null`);
    const known = this.#buffers.get(buffer);
    const length = known?.bytes.length ?? elementsOf(buffer);
    if (length < bytes) {
      throw new RangeError(`${name}: expected at least ${bytes} bytes, got ${length}`);
    }
    if (known !== undefined) return known.pointer;
    const pointer = this.#end;
    this.#buffers.set(buffer, { bytes: fixedBytes(buffer, length), pointer });
    this.#end += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
    return pointer;
  }

  key(key: Uint8Array | null): number {
    return this.keys(key, 1);
  }

  value(value: Uint8Array | null): number {
    return this.values(value, 1);
  }

  keys(keys: Uint8Array | null, count: number): number {
    return this.buffer("keys", keys, (this.#table?.keySize ?? 0) * count);
  }

  values(values: Uint8Array | null, count: number): number {
    return this.buffer("values", values, (this.#table?.valueBytes ?? 0) * count);
  }

  cursor(cursor: Uint8Array | null): number {
    return this.buffer("cursor", cursor, CURSOR_BYTES);
  }

  /** A string with its NUL. */
  text(text: string): number {
    if (!isWellFormed(text)) throw new TypeError("pathname: expected text without lone surrogates");
    return this.buffer("pathname", new TextEncoder().encode(`${text}\0`), 0);
  }

  /** Makes the call and copies the buffers that it may have written back. */
  call(command: number, attr: Uint8Array, outputs: readonly (Uint8Array | null)[]): number {
    if (this.#end > U32_MAX) throw new RangeError(`the buffers of one call take ${this.#end} bytes`);
    const memory = new Uint8Array(this.#end);
    for (const { bytes, pointer } of this.#buffers.values()) memory.set(bytes, pointer);
    const result = this.#host.bpf(command, attr, memory.buffer);
    for (const output of outputs) {
      if (output === null) continue;
      const known = this.#buffers.get(output);
      if (known === undefined) continue;
      const { bytes, pointer } = known;
      bytes.set(memory.subarray(pointer, pointer + bytes.length));
    }
    return result;
  }
}
