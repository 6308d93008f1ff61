// What src/maps/hash/map4.ts, map8.ts, map16.ts, map_any.ts and map_text.ts are written from, and those of shared hosts beside them, by
// scripts/hash_maps.mjs. They are one class for each kind of key, since each needs call sites of its own: see the head of
// src/maps/base/keyed_map.ts; and one more for keys of 4 bytes with values that are one number, which go to the core and come back
// as arguments and results: half the time of a `get` or `set` that reads or writes them through a view of the memory. The numbers
// that are common, with u32 keys, have a class each, since V8 shares what it has learnt of a method between classes of one text. On
// plain hosts their methods ask nothing twice: a closed handle, or one that may not read or write, points them to a table that is
// empty and frozen for ever (NOBODY), and only what that answers leads to the question why. What differs has a name here:
//
//   $Class     the class, which extends $Base of $base
//   $N         the kind: 4, 8 or 16 bytes, Any number of them, or Text; also the end of the names of the core's exports
//   $take      the method that takes a key apart
//   $taken     what it gives: a word, the lower one of two words, or the address of the key's bytes in the scratch
//   $isAbsent  whether that says that the layout cannot hold the key, which is absent then
//   $words     what the core is given of the key
//   $about     what its docs say
//   $setBytes  what `set` is called that goes through the memory
//   $otherSet  how `set` of numbers calls it
//   $get, $set, $lookup, $upsert, $getPart, $remove4   the core's exports; $andKind what the first two are given of the kind, if they are
//              for many. Those of maps that evict or expire are told whether the entry counts as used ($used, $unused), and what becomes
//              of its expiry ($ofMap, $asIs)
//              $orOptions, $andOptions, $optionsOf, $refuseOptions and $takeTtl are about options of `set`, $touch and $renew about the clock
//   $done      what `set` gives when it is done: the map, whose hooks are told what went for it
//   $given     what `get` of these gives where the core gives `value`
//   $read      the table that it asks
//   $written   and the one that `set` and `delete` change
//
// Lines from "//#if" to "//#end" are for the kinds that stand there: of keys, of values (scalar: one kind of number, number: any other;
// or coded; unclear: numbers that the core does not give as they are), or of hosts (plain or
// shared); parts are coded values on plain hosts, parted those whose parts the core reads; zeroes are maps whose new values the core leaves as they are; nobody and asked are classes for one kind of number on plain and on shared hosts. On shared hosts the core writes values, under the lock of the key's bucket: `set`,
// `locate` and `obtain` stand in SharedHashMap.
//#begin
//#if 4 8
import { Scalar } from "../../codec/codec.ts";
import { type KeyWords, keyWordsOf } from "../../codec/words.ts";
//#end
//#if plain
import { $flags } from "../../constants.ts";
//#end
import { $scalarFunctions } from "../../core/memory/scalar.ts";
import { ERRNO_LIMIT } from "../../core/wasm/exports.ts";
import { $errors } from "../../errors.ts";
$abi
//#if parted parts
import type { Part } from "../../ops/calls/part.ts";
//#end
//#if 4 8
import { takeKey } from "../../ops/calls/take_key.ts";
//#end
//#if sets
import type { SetOptions } from "../../ops/calls/ttl.ts";
//#end
import { $Base } from "$base";
//#if 4

const { U32, I32 } = Scalar;
//#end
//#if parted number scalar

// V8 has constants of this module in the code, and loads imported ones.
/** What the core gives for an absent key, and for a present one never (assembly/maps/number.ts). */
const ABSENT = ABSENT_NUMBER;
//#end
//#if number scalar
/** What the core answers beside errnos: all went well but the memory grew; the kind cannot hold the number. */
const GREW = SET_GREW;
const UNFIT = SET_UNFIT;
//#end
//#if 8

/** 2^32: what the upper word of a u53 counts. */
const WORD = 0x1_0000_0000;
//#end

/** $about */
export class $Class<K, V> extends $Base<K, V> {
//#if 4 8
  /** Takes keys apart that are structs or bytes. */
  readonly #words: KeyWords | undefined = keyWordsOf(this.keyCodec);
//#end
//#if 8
  /** Upper word of the key that {@link low} was last called for: two results without an object. */
  #high = 0;
//#end
//#if 4 8

//#end
//#if nobody
  /** The tables that `get` asks, and that `set` and `delete` change: NOBODY's when the handle is closed, or may not. */
  #read = this.reading === 0 ? NOBODY : this.reading;
  #written = this.writing === 0 ? NOBODY : this.writing;
//#end
//#if number scalar
  /**
   * What `get` gives for an absent key. A property and no literal for V8's sake: it takes a load that has never run for one
   * that never will, so that a `get` that has found all its keys so far is compiled as giving numbers only, without a box.
   */
  readonly #none: undefined = undefined;

//#end
//#if scalar
  override get(key: K, flags?: number): V | undefined {
    if (flags !== undefined || typeof key !== "number" || key >>> 0 !== key)
      return this.#getOther(key, flags);
//#end
//#if asked
    if (this.reading === 0) this.refuse("get");
//#end
//#if touched
    if (this.timed) this.clock.touch();
//#end
//#if scalar
    let value: number;
    try {
      value = this.core.$get($read, key$andKind$used);
    } catch (trap) {
      throw this.trapped("get", trap);
    }
//#end
//#if nobody
    if (value === ABSENT) return this.reading === 0 ? this.refuse("get") : this.#none;
//#end
//#if asked
    if (value === ABSENT) return this.#none;
//#end
//#if scalar
    return $given as V;
  }

  /** With flags, or with a key that is no u32. */
  #getOther(key: K, flags?: number): V | undefined {
    if (this.reading === 0) this.refuse("get");
    if (flags !== undefined) return this.getWith(key, flags);
    const word = this.word("get", key);
    return word < 0 ? undefined : this.get(word as K);
  }

  override set(key: K, value: V, options?: SetOptions): this {
    if (typeof value !== "number" || typeof key !== "number" || key >>> 0 !== key$orOptions) {
      return $otherSet(key, value, options);
    }
//#end
//#if asked
    if (this.writing === 0) this.refuse("set");
//#end
//#if touched
    if (this.timed) this.clock.renew();
    const ttl = options === undefined ? TTL_OF_MAP : this.ttlOf(options);
//#end
//#if scalar
    let result: number;
    try {
      result = this.core.$set($written, key, value$andKind$ofMap);
    } catch (trap) {
      throw this.trapped("set", trap);
    }
    return result === 0 ? $done : this.#settled(result, key, value$andOptions);
  }

//#end
//#if nobody
  override close(): void {
    this.#read = NOBODY;
    this.#written = NOBODY;
    super.close();
  }

//#end
//#if number
  override get(key: K, flags?: number): V | undefined {
    if (this.reading === 0) this.refuse("get");
    if (flags !== undefined) return this.getWith(key, flags);
    const word = this.word("get", key);
    if (word < 0) return this.#none;$touch
    let value: number;
    try {
      value = this.core.$get(this.reading, word, this.valueScalar$used);
    } catch (trap) {
      throw this.trapped("get", trap);
    }
    if (value === ABSENT) return this.#none;
    return (Number.isNaN(value) ? this.#decoded(word) : value) as V;
  }

  override set(key: K, value: V, options?: SetOptions): this {$takeTtl
    if (this.writing === 0) this.refuse("set");
    if (typeof value !== "number"$orOptions) return $otherSet(key, value, options);
    const word = this.word("set", key);
    let result: number;
    try {
      result = this.core.$set(this.writing, word, value, this.valueScalar$ofMap);
    } catch (trap) {
      throw this.trapped("set", trap);
    }
    return result === 0 ? $done : this.#settled(result, key, value$andOptions);
  }

//#end
//#if number unclear
  /** A value that is no plain number: NaN, or bytes that mean nothing to the codec. */
  #decoded(word: number): unknown {
    const { host } = this;
    const address = host.core.$lookup(this.reading, word$unused) >>> 0;
    // A shared host: another thread has deleted the key meanwhile, or the core gave up.
    if (address < ERRNO_LIMIT) return this.missed("get", address);
    return readScalar(host, this.valueScalar, address) ?? this.decodeValue("get", host.view, address);
  }

//#end
//#if number scalar
  #settled(result: number, key: K, value: V$optionsOf): this {
    // Views are replaced; everything is written.
    if (result === GREW) this.host.refresh();
    // The codec says what it would have accepted.
    else if (result === UNFIT) return $otherSet(key, value$andOptions);
    else if (this.writing === 0) this.refuse("set");
    else return this.refused("set", result, this.set, key, value$andOptions);
    return $done;
  }

//#end
//#if coded
  override get(key: K, flags?: number): V | undefined {
    if (this.reading === 0) this.refuse("get");
    if (flags !== undefined) return this.getWith(key, flags);
    const { host } = this;
    const $taken = this.$take("get", key);
    if ($isAbsent) return undefined;$touch
    let address: number;
    try {
      address = this.core.$lookup(this.reading, $words$used) >>> 0;
    } catch (trap) {
      throw this.trapped("get", trap);
    }
    if (address < ERRNO_LIMIT) return this.missed("get", address);
    const value = readScalar(host, this.valueScalar, address);
    return value === undefined ? this.decodeValue("get", host.view, address) : (value as V);
  }

//#end
//#if parted
  override getPart(key: K, part: Part): unknown {
    if (this.reading === 0) this.refuse("field.get");
    if (!part.isNumber) return this.fetchPart(key, part);
    const $taken = this.$take("field.get", key);
    if ($isAbsent) return undefined;$touch
    let value: number;
    try {
      value = this.core.$getPart(this.reading, $words, part.offset, part.scalar);
    } catch (trap) {
      throw this.trapped("field.get", trap);
    }
    if (value === ABSENT) return undefined;
    if (!Number.isNaN(value)) return value;
    // NaN, or bytes that mean nothing to the codec. Of a shared host: or another thread has deleted the key meanwhile, or the core
    // gave up.
    const { host } = this;
    const address = host.core.$lookup(this.reading, $words$unused) >>> 0;
    if (address < ERRNO_LIMIT) return this.missed("field.get", address);
    const place = address + part.offset;
    return (
      readScalar(host, part.scalar, place) ?? this.decodeValue("field.get", host.view, place, part.codec)
    );
  }

//#end
//#if parts
  override setPart(key: K, part: Part, fits: boolean, x: unknown): boolean {
    const { host } = this;
    const $taken = this.$take("field.set", key);
    if ($isAbsent) return false;$renew
    let address: number;
    try {
      address = this.core.$upsert(this.writing, $words, BPF_EXIST$asIs) >>> 0;
    } catch (trap) {
      throw this.trapped("field.set", trap);
    }
    if (host.u8.length === 0) host.refresh();
    if (address === ERRNO.ENOENT) return false;
    if (address < ERRNO_LIMIT) this.fail("field.set", address);
    this.storePart(address, part, fits, x);
    return true;
  }

//#end
//#if plain
  $setBytes(key: K, value: V, options?: SetOptions): this {$refuseOptions$takeTtl
    if (this.writing === 0) this.refuse("set");
    const { host } = this;
    const direct = fitsScalar(this.valueScalar, value);
    if (!direct) this.encodeValue("set", value);
    const $taken = this.$take("set", key);
    let address: number;
    try {
      address = this.core.$upsert(this.writing, $words, BPF_ANY$ofMap) >>> 0;
    } catch (trap) {
      throw this.trapped("set", trap);
    }
    if (host.u8.length === 0) host.refresh();
    if (address < ERRNO_LIMIT) return this.refused("set", address, this.set, key, value$andOptions);
    if (direct) writeScalar(host, this.valueScalar, address, value);
    else host.copy(address, host.scratch.value, this.table.valueBytes);
    return $done;
  }

//#end
  override has(key: K): boolean {
    if (this.reading === 0) this.refuse("has");
    const $taken = this.$take("has", key);
    if ($isAbsent) return false;$touch
    let address: number;
    try {
      address = this.core.$lookup(this.reading, $words$unused) >>> 0;
    } catch (trap) {
      throw this.trapped("has", trap);
    }
    if (address < ERRNO_LIMIT) this.missed("has", address);
    return address !== 0;
  }

//#if scalar
  override delete(key: K): boolean {
    if (typeof key !== "number" || key >>> 0 !== key) return this.#deleteOther(key);
//#end
//#if asked
    if (this.writing === 0) this.refuse("delete");
//#end
//#if touched
    if (this.timed) this.clock.touch();
//#end
//#if scalar
    let errno: number;
    try {
      errno = this.core.$remove4($written, key);
    } catch (trap) {
      throw this.trapped("delete", trap);
    }
    if (errno === 0) return true;
    if (errno !== ERRNO.ENOENT) this.#refusedDelete(errno);
    return false;
  }

  #refusedDelete(errno: number): never {
    if (this.writing === 0) this.refuse("delete");
    return this.fail("delete", errno);
  }

  /** With a key that is no u32. */
  #deleteOther(key: K): boolean {
    if (this.writing === 0) this.refuse("delete");
    const word = this.word("delete", key);
    return word >= 0 && this.delete(word as K);
  }

//#end
//#if number coded
  override delete(key: K): boolean {
    if (this.writing === 0) this.refuse("delete");
    const $taken = this.$take("delete", key);
    if ($isAbsent) return false;$touch
    let errno: number;
    try {
      errno = this.core.$remove(this.writing, $words);
    } catch (trap) {
      throw this.trapped("delete", trap);
    }
    if (errno !== 0 && errno !== ERRNO.ENOENT) this.fail("delete", errno);
    return errno === 0;
  }

//#end
  override lookup(key: K): number {
    if (this.reading === 0) this.refuse("lookup");
    return this.locate("lookup", key);
  }

//#if plain
  override locate(operation: Operation, key: K): number {
    const $taken = this.$take(operation, key);
    if ($isAbsent) return 0;$touch
    try {
      return this.core.$lookup(this.table.handle, $words$used) >>> 0;
    } catch (trap) {
      throw this.trapped(operation, trap);
    }
  }

  override obtain(operation: Operation, key: K): number {
    const { host } = this;
    const $taken = this.$take(operation, key);$renew
//#end
//#if zeroes
    const count = (this.writing + host.layout.count) >>> 2;
    const before = host.u32[count];
//#end
//#if plain
    let address: number;
    try {
      address = this.core.$upsert(this.writing, $words, BPF_ANY$asIs) >>> 0;
    } catch (trap) {
      throw this.trapped(operation, trap);
    }
    if (host.u8.length === 0) host.refresh();
    if (address < ERRNO_LIMIT) return this.refused(operation, address, this.obtain, operation, key);
//#end
//#if zeroes
    if (host.u32[count] !== before) host.u8.fill(0, address, address + this.table.valueBytes);
//#end
//#if plain
    return address;
  }

//#end
//#if 4
  override find(handle: number, key: number): number {$touch
    return this.host.core.$lookup(handle, this.host.u32[key >>> 2]$unused) >>> 0;
  }

  /** The bytes of a key as a little-endian word; below 0 for one that is absent: see {@link encodeKey}. */
  private word(operation: Operation, key: K): number {
    // Written out, and with constants of this module: V8 loads imported bindings anew in every call.
    if (typeof key === "number") {
      if (this.keyScalar === U32 && key >>> 0 === key) return key;
      if (this.keyScalar === I32 && (key | 0) === key) return key >>> 0;
    }
    const words = this.#words;
    if (words !== undefined && takeKey(this, operation, words, key)) return words.first >>> 0;
    const at = this.encodeKey(operation, key);
    return at === 0 ? -1 : this.host.u32[at >>> 2];
  }
//#end
//#if 8
  override find(handle: number, key: number): number {$touch
    const { core, u32 } = this.host;
    return core.$lookup(handle, u32[key >>> 2], u32[(key >>> 2) + 1]$unused) >>> 0;
  }

  /** The lower word of a key; the upper one goes to `#high`. Below 0 for one that is absent: see {@link encodeKey}. */
  private low(operation: Operation, key: K): number {
    if (this.keyScalar === Scalar.U53 && isU53(key)) {
      this.#high = (key / WORD) >>> 0;
      return key >>> 0;
    }
    const words = this.#words;
    if (words !== undefined && takeKey(this, operation, words, key)) {
      this.#high = words.second;
      return words.first >>> 0;
    }
    const at = this.encodeKey(operation, key);
    if (at === 0) return -1;
    const first = at >>> 2;
    this.#high = this.host.u32[first + 1];
    return this.host.u32[first];
  }
//#end
//#if 16 Any Text
  override find(handle: number, key: number): number {$touch
    return this.host.core.$lookup(handle, key$unused) >>> 0;
  }
//#end
}
