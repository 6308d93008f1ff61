/**
 * Copies of keys, by number, outside of host memory.
 *
 * @module
 */
import { TEXT_HEAD } from "../../codec/text.ts";
import type { HostViews } from "./views.ts";

/** Rows as long as the longest key. */
export class KeyRows {
  readonly #host: HostViews;
  readonly #keySize: number;
  readonly #texts: boolean;
  #bytes = new Uint8Array(0);

  constructor(host: HostViews, { keySize, texts }: { readonly keySize: number; readonly texts: boolean }) {
    this.#host = host;
    this.#keySize = keySize;
    this.#texts = texts;
  }

  get bytes(): number {
    return this.#bytes.length;
  }

  /** Makes room for so many rows at least. */
  reserve(rows: number): void {
    if (this.#bytes.length >= rows * this.#keySize) return;
    const bytes = new Uint8Array(rows * this.#keySize);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }

  clear(): void {
    this.#bytes = new Uint8Array(0);
  }

  /** Copies the key at an address into a row. */
  take(row: number, key: number): void {
    const { u8 } = this.#host;
    const start = row * this.#keySize;
    const length = this.#lengthOf(key);
    for (let i = 0; i < length; i++) this.#bytes[start + i] = u8[key + i];
  }

  /** Copies a row to an address. */
  put(row: number, target: number): void {
    const { u8 } = this.#host;
    const start = row * this.#keySize;
    for (let i = 0; i < this.#keySize; i++) u8[target + i] = this.#bytes[start + i];
  }

  /** Whether a row has the key at an address. */
  has(row: number, key: number): boolean {
    const { u8 } = this.#host;
    const start = row * this.#keySize;
    const length = this.#lengthOf(key);
    for (let i = 0; i < length; i++) if (this.#bytes[start + i] !== u8[key + i]) return false;
    return true;
  }

  /** Of a text, the bytes behind its end mean nothing. */
  #lengthOf(key: number): number {
    return this.#texts ? TEXT_HEAD + this.#host.word(key) : this.#keySize;
  }
}
