/// <reference lib="esnext.disposable" preserve="true" />
/**
 * KV stores: values of 1 to 4096 bytes by small integer keys.
 *
 * @module
 */
import { elementsOf, isUint8Array } from "../../arguments/byte_array.ts";
import { describe } from "../../arguments/mismatch.ts";
import type { CoreHost } from "../../core/core_host.ts";
import { tableBytes, tableEntries } from "../../core/tables/stats.ts";
import type { Table } from "../../core/tables/table.ts";
import type { CoreExports } from "../../core/wasm/exports.ts";
import type { WasmGlobal } from "../../core/wasm/wasm_types.ts";
import { ERRNO, type Operation } from "../../errors.ts";
import { problemsOfTable } from "../../ops/verify.ts";
import { compareBy, hide } from "../../print/hidden.ts";
import { INSPECT, type Inspect } from "../../print/inspect.ts";
import { readManifest, type StoredPair } from "../manifest/manifest.ts";
import { offsetOf, PAGE_BYTES, PAGE_ENTRY_SHIFT, pageOf, sizeOf } from "../metadata.ts";
import type { Binding } from "./binding.ts";
import { copyIn } from "./copy.ts";
import { closedError, contentError, keyError, storeError, storeSubject, valueError } from "./failure.ts";
import { contentsOfStore, inspectStore, jsonOfStore, type StoreJson } from "./print_store.ts";

/** The manifest in force, as a store has it in its memory. */
export interface StoredManifest {
  /** How many manifests there have been: 0 before the first one. */
  readonly generation: number;
  readonly pairs: readonly StoredPair[];
}

/** A handle of a store whose pairs nobody needs the types of; what {@link KvStore} is made of. */
export abstract class StoreHandle {
  declare readonly host: CoreHost;
  /** Keys are below this. */
  declare readonly maxKeys: number;
  /** Pages of 4096 bytes that the values may take, 1 to 128. */
  declare readonly maxPages: number;
  /** @internal */
  declare readonly table: Table;
  /** @internal */
  declare readonly core: CoreExports;
  /** @internal */
  declare readonly handle: number;
  /** @internal What the pairs of this handle are; undefined when it was opened without a manifest. */
  declare binding: Binding | undefined;
  /** @internal */
  declare closed: boolean;
  /** @internal Keys while the store is open, else 0. */
  declare keyLimit: number;
  /** @internal Index of the first word of metadata in the host's u32. */
  declare readonly firstWord: number;
  /** @internal Index of the page table there. */
  declare readonly firstPage: number;
  /** @internal Index of the word with the generation there. */
  declare readonly generationWord: number;
  readonly #ownersWord: number;

  /** @internal Use {@link Host.createKvStore}. */
  constructor(host: CoreHost, table: Table) {
    const { core } = host;
    const wordOf = (offset: WasmGlobal) => (table.handle + offset.value) >>> 2;
    hide<StoreHandle>(this, {
      keyLimit: table.maxEntries,
      host,
      firstWord: host.u32[wordOf(core.KV_METADATA_OFFSET)] >>> 2,
      firstPage: host.u32[wordOf(core.KV_PAGES_OFFSET)] >>> 2,
      generationWord: wordOf(core.KV_GENERATION_OFFSET),
      handle: table.handle,
      core,
      closed: false,
      table,
      maxKeys: table.maxEntries,
      maxPages: table.mapExtra,
      binding: undefined,
    });
    compareBy(this, contentsOfStore);
    this.#ownersWord = wordOf(core.KV_OWNERS_OFFSET);
  }

  /** @internal Of the manifest that is in force. */
  get generation(): number {
    return this.host.u32[this.generationWord];
  }

  get name(): string {
    return this.table.name;
  }

  /** Keys that have a value. */
  get size(): number {
    this.check("size");
    return tableEntries(this.host, this.handle);
  }

  /**
   * Address in host memory of the metadata: a u32 for each key, 0 for a key without a value, else, least significant bit first, page_idx (3
   * bits), page_off (12), size - 1 (12), init (1) and 4 more bits of page_idx, as docs/kv.md draws it.
   */
  get metadata(): number {
    this.check("info");
    return this.firstWord * 4;
  }

  /** Pages of 4096 bytes in use. They come with the values, and go when they are empty. */
  get pages(): number {
    this.check("info");
    return this.host.u32[(this.handle + this.core.KV_PAGE_COUNT_OFFSET.value) >>> 2];
  }

  /**
   * Sets the value of a key. One that is not longer than the one before is written where that was, and nothing is allocated; so is a
   * longer one when the bytes behind are free, and otherwise the room of the one before counts as free.
   *
   * @param bytes 1 to 4096 bytes
   * @throws BpfError EINVAL for no bytes, E2BIG for more than 4096; ENOSPC when no page has so many free bytes in one piece and
   *   there are `maxPages`; ENOMEM when the host has no memory for a page; EINVAL when the key is a pair's, of another size, and EPERM
   *   when a rollout keeps it.
   */
  abstract put(key: number, bytes: Uint8Array): void;

  /** A copy of the value of a key; undefined when it has none. */
  abstract get(key: number): Uint8Array<ArrayBuffer> | undefined;

  /**
   * Copies the value of a key into `target`, from its beginning.
   *
   * @returns bytes of the value; 0 when the key has none
   * @throws RangeError when the value is longer than `target`
   */
  abstract copy(key: number, target: Uint8Array): number;

  /** Whether a key has a value. */
  has(key: number): boolean {
    return this.word("kv.has", key) !== 0;
  }

  /** Bytes of the value of a key; 0 when it has none. */
  sizeOf(key: number): number {
    const word = this.word("kv.has", key);
    return word === 0 ? 0 : sizeOf(word);
  }

  /**
   * A live view of the value of a key: what is written to it stands in the store, and the other way round. It is good until the value
   * is deleted or put with another size, or the memory of a host that is not shared grows, which leaves the view with length 0. On a
   * shared host other threads may be writing to it.
   *
   * @returns undefined when the key has no value
   */
  view(key: number): Uint8Array | undefined {
    const word = this.word("kv.view", key);
    if (word === 0) return undefined;
    const start = this.addressOf(word);
    return this.host.u8.subarray(start, start + sizeOf(word));
  }

  /**
   * Deletes the value of a key.
   *
   * @returns false when it has none
   * @throws BpfError EPERM when the key is a pair's, or a rollout keeps it
   */
  delete(key: number): boolean {
    if (key >>> 0 !== key || key >= this.keyLimit) throw keyError(this, "kv.delete", key);
    const errno = this.core.kvDelete(this.handle, key);
    if (errno === ERRNO.ENOENT) return false;
    if (errno !== 0) throw storeError(this, "kv.delete", errno, key);
    return true;
  }

  /** The manifest in force, whatever this handle is bound to. */
  get manifest(): StoredManifest {
    this.check("kv.bind");
    const { generation, text } = this.readText();
    return { generation, pairs: readManifest(text) };
  }

  /** Bytes of the store with all its structures. */
  memoryUsage(): number {
    this.check("memoryUsage");
    return tableBytes(this.host, this.handle);
  }

  /** Checks every invariant of the store, as {@link HashMap.verify} those of a map. */
  verify(): string[] {
    this.check("verify");
    return problemsOfTable(this.host, this.table);
  }

  /** Closes this handle. The store goes with its last handle and pin. Calling it again does nothing. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.keyLimit = 0;
    this.host.registry.removeHandle(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get [Symbol.toStringTag](): string {
    return "KvStore";
  }

  /** What `JSON.stringify` gives: what the store is, without its values. */
  toJSON(): StoreJson {
    return jsonOfStore(this);
  }

  /** @internal */
  [INSPECT](depth?: number, options: object = {}, inspect?: Inspect): string {
    return inspectStore(this, depth, options, inspect);
  }

  /** @internal How messages call the store. */
  get subject(): string {
    return storeSubject(this.name, this.table.id);
  }

  /** @internal */
  check(operation: Operation): void {
    if (this.closed) throw closedError(this, operation);
  }

  /** @internal Throws EBADF; as maps do. */
  refuse(operation: Operation): never {
    throw closedError(this, operation);
  }

  /** @internal The word of metadata of a key. */
  word(operation: Operation, key: number): number {
    if (key >>> 0 !== key || key >= this.keyLimit) throw keyError(this, operation, key);
    return this.host.u32[this.firstWord + key];
  }

  /** @internal Where the value is that a word names. */
  addressOf(word: number): number {
    return this.host.u32[this.firstPage + (pageOf(word) << (PAGE_ENTRY_SHIFT - 2))] + offsetOf(word);
  }

  /** @internal Whose a key is: 0, bytes of a pair, or STAGED or RETAINED. */
  ownerOf(key: number): number {
    const owners = this.host.u32[this.#ownersWord];
    return owners === 0 ? 0 : this.host.u16[(owners >>> 1) + key];
  }

  /** @internal The pair of the manifest in force that has a key. */
  pairOf(key: number): StoredPair | undefined {
    return this.manifest.pairs.find((pair) => pair.key === key);
  }

  /** @internal Puts a value of so many bytes by the core. */
  protected putStaged(key: number, bytes: Uint8Array, length: number): void {
    const { scratch, u8 } = this.host;
    if (length === 0 || length > PAGE_BYTES) throw valueError(this, "kv.put", key, length);
    scratch.turn++;
    copyIn(bytes, length, u8, scratch.value);
    const errno = this.core.kvPut(this.handle, key, scratch.value, length, 0);
    if (this.host.u8.length === 0) this.host.refresh();
    if (errno !== 0) throw storeError(this, "kv.put", errno, key, length);
  }

  /** @internal Throws unless a target has room for a value. */
  protected checkRoom(key: number, target: Uint8Array, size: number): void {
    if (!isUint8Array(target)) {
      throw new TypeError(`kv.copy: ${this.subject}: expected a Uint8Array, got ${describe(target)}`);
    }
    const room = elementsOf(target);
    if (size > room) {
      throw new RangeError(
        `kv.copy: ${this.subject}: the value of key ${key} has ${size} bytes, the target ${room}`,
      );
    }
  }

  /** @internal Generation and text of the manifest in force. */
  readText(): { generation: number; text: Uint8Array } {
    const { host } = this;
    for (let room = PAGE_BYTES; ; ) {
      const at = host.scratch.stage(room + 8);
      if (at === 0) throw contentError(this, "kv.bind", ERRNO.ENOMEM);
      const bytes = this.core.kvManifest(this.handle, at, room);
      if (bytes < 0) throw contentError(this, "kv.bind", -bytes);
      if (bytes <= room)
        return { generation: host.u32[at >>> 2], text: host.u8.slice(at + 4, at + 4 + bytes) };
      room = bytes;
    }
  }
}
