/**
 * KV stores on shared hosts: the core copies values in and out, so that no thread sees half of one.
 *
 * @module
 */
import { elementsOf, isUint8Array } from "../arguments/byte_array.ts";
import { sharedCore } from "../core/memory/shared_core.ts";
import type { SharedExports } from "../core/wasm/shared_exports.ts";
import { ERRNO } from "../errors.ts";
import { KvStore } from "./kv_store.ts";
import { KvPair } from "./pair.ts";
import type { Binding } from "./store/binding.ts";
import { copyOut } from "./store/copy.ts";
import { keyError, storeError, valueTypeError } from "./store/failure.ts";

/** Rollouts that may come in between before a call gives up. */
const TRIES = 100;

export class SharedKvStore<T> extends KvStore<T> {
  override put(key: number, bytes: Uint8Array): void {
    if (key >>> 0 !== key || key >= this.keyLimit) throw keyError(this, "kv.put", key);
    if (!isUint8Array(bytes)) throw valueTypeError(this, "kv.put", bytes);
    this.putStaged(key, bytes, elementsOf(bytes));
  }

  override get(key: number): Uint8Array<ArrayBuffer> | undefined {
    const size = this.#fetch(key);
    if (size === 0) return undefined;
    const { u8, scratch } = this.host;
    return u8.slice(scratch.value, scratch.value + size);
  }

  override copy(key: number, target: Uint8Array): number {
    const size = this.#fetch(key);
    this.checkRoom(key, target, size);
    copyOut(this.host.u8, this.host.scratch.value, target, size);
    return size;
  }

  override pair<N extends keyof T & string>(name: N): KvPair<T[N]> {
    const { binding, pair } = this.boundPair(name);
    return new SharedPair<T[N]>(this, binding, pair);
  }

  override read(): { [N in keyof T]: T[N] } {
    const binding = this.bound("kv.read");
    for (let tries = TRIES; ; tries--) {
      if (binding.generation !== this.generation) binding.refresh(this, "kv.read");
      const bytes = this.#snapshot(binding);
      if (typeof bytes !== "number") return valuesOf(binding, bytes) as { [N in keyof T]: T[N] };
      if (bytes !== ERRNO.ESTALE || tries === 0) throw storeError(this, "kv.read", bytes, 0);
      binding.refresh(this, "kv.read");
    }
  }

  /** Copies a value into the scratch: its size, or 0. */
  #fetch(key: number): number {
    if (key >>> 0 !== key || key >= this.keyLimit) throw keyError(this, "kv.get", key);
    const { scratch } = this.host;
    scratch.turn++;
    const size = (this.core as SharedExports).kvGet(this.handle, key, scratch.value, 0);
    if (size < 0) throw storeError(this, "kv.get", -size, key);
    return size;
  }

  /** The bytes of all pairs, one behind the other, or an errno. */
  #snapshot(binding: Binding): Uint8Array<ArrayBuffer> | number {
    const { host } = this;
    const pairs = [...binding.manifest.values()];
    const list = pairs.length * 8;
    const total = pairs.reduce((sum, { size }) => sum + size, 0);
    const at = host.scratch.stage(list + total + 8);
    if (at === 0) return ERRNO.ENOMEM;
    for (const [i, { name, size }] of pairs.entries()) {
      host.putWord(at + 8 * i, binding.keyOf(name));
      host.putWord(at + 8 * i + 4, size);
    }
    const errno = sharedCore(host).kvSnapshot(this.handle, at, pairs.length, at + list, binding.generation);
    return errno === 0 ? host.u8.slice(at + list, at + list + total) : errno;
  }
}

function valuesOf(binding: Binding, bytes: Uint8Array<ArrayBuffer>): Record<string, unknown> {
  const view = new DataView(bytes.buffer);
  let at = 0;
  const entries: [string, unknown][] = [];
  for (const { name, codec, size } of binding.manifest.values()) {
    entries.push([name, codec.decode(view, at)]);
    at += size;
  }
  return Object.fromEntries(entries);
}

class SharedPair<V> extends KvPair<V> {
  override get(): V {
    const { store } = this;
    const { host } = store;
    for (let tries = TRIES; tries > 0; tries--) {
      if (!this.isCurrent) this.refresh("kv.get");
      const at = host.scratch.value;
      host.scratch.turn++;
      const size = (store.core as SharedExports).kvGet(store.handle, this.at, at, this.generation);
      if (size > 0) return this.pair.codec.decode(host.view, at) as V;
      if (-size !== ERRNO.ESTALE) this.fail("kv.get", -size);
    }
    return this.outrun("kv.get");
  }

  override set(value: V): void {
    const { store } = this;
    const { host } = store;
    const bytes = this.encode(value);
    for (let tries = TRIES; tries > 0; tries--) {
      // A getter of the value may have closed the store.
      if (!this.isCurrent) this.refresh("kv.set");
      const { scratch } = host;
      scratch.turn++;
      host.u8.set(bytes, scratch.value);
      const errno = store.core.kvPut(store.handle, this.at, scratch.value, bytes.length, this.generation);
      if (errno === 0) return;
      if (errno !== ERRNO.ESTALE) this.fail("kv.set", errno);
    }
    this.outrun("kv.set");
  }
}
