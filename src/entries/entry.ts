/**
 * The entry that programs and iterators hand to their callbacks.
 *
 * @module
 */
import type { Codec } from "../codec/codec.ts";
import type { MapHandle } from "../ops/handle.ts";
import { isPerCpu, liveCodec } from "../ops/percpu.ts";
import { defineLocal, definePart, Place } from "./accessor.ts";

/**
 * An entry of a map, for reading. It is one object that every callback of a run is given again, so that no entry costs an
 * allocation; it is good until the callback returns, and reading it later is a BpfError EFAULT.
 *
 * A field is read from host memory at the moment it is asked for, and read again the next time. Numbers allocate nothing, but for
 * the bigints of `u64` and `i64`; `bytes`, `cstring` and `array` are decoded anew each time. The objects of structs go through
 * `{ ...entry.value }`, `JSON.stringify` and `console.log` as plain ones do; assigning one of their fields is a TypeError.
 */
export interface ReadonlyEntry<K, V> {
  readonly key: K;
  /** Of per-CPU maps, an array with the slot of each CPU. */
  readonly value: V;
  /**
   * Where the key is in host memory, for `host.u8` and the other views. Keys are aligned to 4 bytes at most: one of 8 may stand at a
   * multiple of 4.
   */
  readonly keyAddress: number;
  /** Where the value is in host memory; of per-CPU maps, where the slot of CPU 0 is ({@link LocalSlot.lookup} on the others). */
  readonly valueAddress: number;
  /** Key and value as `map.entries()` gives them: plain, and good for ever. */
  copy(): { key: K; value: V };
}

/**
 * {@link ReadonlyEntry}, and its value can be written: `entry.value.hits = 5` writes a field, `entry.value = value` all of it. What
 * is written is checked as `map.set` checks it, and is in the map at once. Writing a field of the key is a TypeError.
 *
 * On a shared host no lock is taken: only a number of up to 4 bytes is written in one step.
 */
export interface Entry<K, V> extends ReadonlyEntry<K, V> {
  value: V;
}

/** {@link ReadonlyEntry} of a per-CPU map; `S` is the value of one CPU. */
export interface ReadonlyPercpuEntry<K, S> extends ReadonlyEntry<K, S[]> {
  /** The slot of the calling thread. */
  readonly local: S;
}

/** {@link Entry} of a per-CPU map; `S` is the value of one CPU. */
export interface PercpuEntry<K, S> extends Entry<K, S[]> {
  /** The slot of the calling thread, which is what the kernel's programs see as the value. */
  local: S;
}

/** The {@link Entry} of one map. Whoever runs callbacks puts it {@link at} each entry and lets go of it with {@link leave}. */
export class LiveEntry<K, V> implements Entry<K, V> {
  declare readonly key: K;
  declare value: V;
  /** Whether its values can be written. */
  readonly writable: boolean;
  readonly #map: MapHandle<K, V>;
  /** The layout of the values where they are shown: in the table, or in a copy. */
  readonly #codec: Codec<unknown>;
  readonly #key: Place;
  readonly #value: Place;

  /**
   * @param refusal why values cannot be written; without it they can
   */
  constructor(map: MapHandle<K, V>, refusal?: string) {
    // See accessor.ts on shapes.
    Object.setPrototypeOf(this, Object.create(new.target.prototype));
    const place = map as unknown as MapHandle<unknown, unknown>;
    this.#map = map;
    this.writable = refusal === undefined;
    this.#codec = this.writable ? liveCodec(place) : place.valueCodec;
    this.#key = new Place(place, "a key cannot be written; delete the entry and set() another");
    this.#value = new Place(place, refusal);
    definePart(this, "key", this.#key, map.keyCodec);
    definePart(this, "value", this.#value, this.#codec);
    if (isPerCpu(this.#codec)) defineLocal(this, this.#value, this.#codec, map.host.cpu);
  }

  get keyAddress(): number {
    return this.#key.address;
  }

  get valueAddress(): number {
    return this.#value.address;
  }

  /** Puts it on an entry, by the addresses of key and value in host memory. */
  at(keyAddress: number, valueAddress: number): this {
    this.#key.address = keyAddress;
    this.#value.address = valueAddress;
    return this;
  }

  /** Takes it off: reading it is an error from here on. */
  leave(): void {
    this.#key.address = 0;
    this.#value.address = 0;
  }

  copy(): { key: K; value: V } {
    const key = this.#key;
    if (key.address === 0) throw key.gone();
    const map = this.#map;
    const { view } = map.host;
    return {
      key: map.decodeKey("entry", view, key.address),
      value: map.decodeValue("entry", view, this.#value.address, this.#codec as Codec<V>),
    };
  }

  [Symbol.for("nodejs.util.inspect.custom")](): unknown {
    return this.keyAddress === 0 ? "[an entry that its callback has left]" : this.copy();
  }
}
