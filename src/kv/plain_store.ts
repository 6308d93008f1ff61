/**
 * KV stores on hosts with a memory of their own: JavaScript reads and writes the values where they are, and calls the core only for what
 * takes or frees room.
 *
 * @module
 */
import { elementsOf, isUint8Array } from "../arguments/byte_array.ts";
import { KvStore } from "./kv_store.ts";
import { offsetOf, PAGE_ENTRY_SHIFT, pageOf, RETAINED, sizeOf } from "./metadata.ts";
import { KvPair } from "./pair.ts";
import { copyIn, copyOut } from "./store/copy.ts";
import { keyError, valueTypeError } from "./store/failure.ts";

export class PlainKvStore<T> extends KvStore<T> {
  override put(key: number, bytes: Uint8Array): void {
    if (key >>> 0 !== key || key >= this.keyLimit) throw keyError(this, "kv.put", key);
    if (!isUint8Array(bytes)) throw valueTypeError(this, "kv.put", bytes);
    const length = elementsOf(bytes);
    const word = this.host.u32[this.firstWord + key];
    if (word !== 0 && sizeOf(word) === length && this.ownerOf(key) < RETAINED) {
      copyIn(bytes, length, this.host.u8, this.addressOf(word));
    } else this.putStaged(key, bytes, length);
  }

  override get(key: number): Uint8Array<ArrayBuffer> | undefined {
    if (key >>> 0 !== key || key >= this.keyLimit) throw keyError(this, "kv.get", key);
    const { u8, u32 } = this.host;
    const word = u32[this.firstWord + key];
    if (word === 0) return undefined;
    const start = u32[this.firstPage + (pageOf(word) << (PAGE_ENTRY_SHIFT - 2))] + offsetOf(word);
    return (u8 as Uint8Array<ArrayBuffer>).slice(start, start + sizeOf(word));
  }

  override copy(key: number, target: Uint8Array): number {
    const word = this.word("kv.copy", key);
    const size = word === 0 ? 0 : sizeOf(word);
    this.checkRoom(key, target, size);
    if (size > 0) copyOut(this.host.u8, this.addressOf(word), target, size);
    return size;
  }

  override pair<N extends keyof T & string>(name: N): KvPair<T[N]> {
    const { binding, pair } = this.boundPair(name);
    return new PlainPair<T[N]>(this, binding, pair);
  }

  override read(): { [N in keyof T]: T[N] } {
    const binding = this.bound("kv.read");
    if (binding.generation !== this.generation) binding.refresh(this, "kv.read");
    const values = Array.from(binding.manifest.values(), ({ name, codec }) => {
      const start = this.addressOf(this.host.u32[this.firstWord + binding.keyOf(name)]);
      return [name, codec.decode(this.host.view, start)];
    });
    return Object.fromEntries(values) as { [N in keyof T]: T[N] };
  }
}

class PlainPair<V> extends KvPair<V> {
  override get(): V {
    if (!this.isCurrent) this.refresh("kv.get");
    const { store } = this;
    const { host } = store;
    const address = store.addressOf(host.u32[store.firstWord + this.at]);
    return this.pair.codec.decode(host.view, address) as V;
  }

  override set(value: V): void {
    const bytes = this.encode(value);
    // A getter of the value may have rolled another manifest out.
    if (!this.isCurrent) this.refresh("kv.set");
    const { store } = this;
    const { host } = store;
    host.u8.set(bytes, store.addressOf(host.u32[store.firstWord + this.at]));
  }
}
