/**
 * Pairs: values of a KV store with a name and a type.
 *
 * @module
 */
import { within } from "../arguments/mismatch.ts";
import { bpfError, ERRNO, type Operation } from "../errors.ts";
import { compareBy, hide } from "../print/hidden.ts";
import { INSPECT, type Inspect, printEntries } from "../print/inspect.ts";
import type { CheckedPair } from "./manifest/manifest.ts";
import type { Binding } from "./store/binding.ts";
import { closedError, storeError } from "./store/failure.ts";
import type { StoreHandle } from "./store/store_handle.ts";

/** Bytes to encode values into, and whether somebody is doing so: a getter of a value may set the pair that is being set. */
interface Buffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
}

function newBuffer(size: number): Buffer {
  const bytes = new Uint8Array(size);
  return { bytes, view: new DataView(bytes.buffer) };
}

/** What pairs are compared by. */
function contentsOfPair(this: KvPair<unknown>): unknown {
  const { store, name } = this;
  return store.closed ? [store.subject, name] : [name, store.get(this.key)];
}

/**
 * A pair of a manifest: see {@link KvStore.pair}. It belongs to that manifest: when another one is put in force, `get`, `set` and `key`
 * throw {@link ManifestMismatchError} ESTALE, and work again when it is in force again. So pairs of one manifest never show a mix of two.
 *
 * @example
 * ```ts
 * import { createHost, struct, u32 } from "bpfmap";
 *
 * const host = createHost();
 * const store = host.createKvStore({
 *   manifest: { pairs: { hits: { codec: u32 }, range: { codec: struct({ low: u32, high: u32 }), default: { low: 1, high: 9 } } } },
 * });
 * const hits = store.pair("hits");
 * hits.set(hits.get() + 1);
 * console.log(hits.get(), store.pair("range").get(), hits.key); // 1 { low: 1, high: 9 } 0
 * ```
 */
export abstract class KvPair<V> {
  declare readonly store: StoreHandle;
  /** @internal */
  declare readonly binding: Binding;
  /** @internal */
  declare readonly pair: CheckedPair;
  /** @internal The key, as of a generation. */
  declare at: number;
  /** @internal */
  declare generation: number;
  readonly #buffer: Buffer;
  #encoding = false;

  /** @internal Use {@link KvStore.pair}. */
  constructor(store: StoreHandle, binding: Binding, pair: CheckedPair) {
    hide<KvPair<V>>(this, { store, generation: -1, at: 0, pair, binding });
    compareBy(this, contentsOfPair);
    this.#buffer = newBuffer(pair.size);
    this.refresh("kv.pair");
  }

  get name(): string {
    return this.pair.name;
  }

  /** The integer key that the name stands for: `store.get(key)` gives the bytes of the value. */
  get key(): number {
    if (!this.isCurrent) this.refresh("kv.pair");
    return this.at;
  }

  /** The value. A new object, where the codec gives one. */
  abstract get(): V;

  /**
   * Sets the value, in place.
   *
   * @throws TypeError or RangeError for a value that the codec cannot hold
   */
  abstract set(value: V): void;

  get [Symbol.toStringTag](): string {
    return "KvPair";
  }

  /** What `JSON.stringify` gives: which pair it is, without its value. */
  toJSON(): { store: string; name: string } {
    return { store: this.store.name, name: this.name };
  }

  /** @internal */
  [INSPECT](_depth?: number, options: object = {}, inspect?: Inspect): string {
    const value = function* (this: KvPair<V>): Generator<[string, V]> {
      yield [this.name, this.get()];
    };
    return `KvPair of ${this.store.subject}: ${printEntries(value.call(this), options, inspect)[0]}`;
  }

  /** @internal Whether the key is that of the manifest in force. */
  protected get isCurrent(): boolean {
    const { store } = this;
    return !store.closed && this.generation === store.generation;
  }

  /** @internal Finds the key again; throws ESTALE when another manifest is in force. */
  protected refresh(operation: Operation): void {
    const { store, binding } = this;
    if (store.closed) throw closedError(store, operation);
    if (binding.generation !== store.generation) binding.refresh(store, operation);
    this.generation = binding.generation;
    this.at = binding.keyOf(this.pair.name);
  }

  /** @internal The bytes of a value, good until the next one is encoded. */
  protected encode(value: V): Uint8Array<ArrayBuffer> {
    const nested = this.#encoding;
    const { bytes, view } = nested ? newBuffer(this.pair.size) : this.#buffer;
    this.#encoding = true;
    try {
      this.pair.codec.encode(value, view, 0);
    } catch (error) {
      throw within(`kv.set: ${this.store.subject}: pair ${JSON.stringify(this.name)}`, error);
    } finally {
      this.#encoding = nested;
    }
    return bytes;
  }

  /** @internal Throws for an errno of the core. */
  protected fail(operation: Operation, errno: number): never {
    throw storeError(this.store, operation, errno, this.at, this.pair.size);
  }

  /** @internal Throws for a rollout that came in between again and again. */
  protected outrun(operation: Operation): never {
    throw bpfError(ERRNO.EAGAIN, operation, this.store.subject, "was rolled out again and again meanwhile");
  }
}
