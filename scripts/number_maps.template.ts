// What src/maps/hash/map4_number.ts is written from, and that of shared hosts beside it, by scripts/hash_maps.mjs: the same class on
// $Base of $base. See hash_maps.template.ts.
//#begin
//#if plain
import { Scalar, type ScalarKind } from "../../codec/codec.ts";
//#end
import { readScalar } from "../../core/memory/scalar.ts";
import { ERRNO_LIMIT } from "../../core/wasm/exports.ts";
import { ABSENT as ABSENT_NUMBER, GREW as SET_GREW, UNFIT as SET_UNFIT } from "../../generated/abi.js";
import { $Base } from "$base";

// V8 has constants of this module in the code, and loads imported ones.
/** What the core gives for an absent key, and for a present one never (assembly/maps/number.ts). */
const ABSENT = ABSENT_NUMBER;
/** What the core answers beside errnos: all went well but the memory grew; the kind cannot hold the number. */
const GREW = SET_GREW;
const UNFIT = SET_UNFIT;

//#if plain
/** Whether values of the kind are JavaScript numbers, which the core takes and gives as they are. */
export function isNumber(scalar: ScalarKind): boolean {
  return scalar >= Scalar.U8 && scalar <= Scalar.U53;
}

//#end
/**
 * Maps with keys of 4 bytes and values that are one number. Numbers go to the core and come back as arguments and results:
 * half the time of a `get` or `set` that reads or writes them through a view of the memory.
 */
export class $Class<K, V> extends $Base<K, V> {
  /**
   * What `get` gives for an absent key. A property and no literal for V8's sake: it takes a load that has never run for one
   * that never will, so that a `get` that has found all its keys so far is compiled as giving numbers only, without a box.
   */
  readonly #none: undefined = undefined;

  override get(key: K, flags?: number): V | undefined {
    if (this.reading === 0) this.refuse("get");
    if (flags !== undefined) return this.getWith(key, flags);
    const word = this.word("get", key);
    if (word < 0) return this.#none;
    let value: number;
    try {
      value = this.core.getNumber4(this.reading, word, this.valueScalar);
    } catch (trap) {
      throw this.trapped("get", trap);
    }
    if (value === ABSENT) return this.#none;
    return (Number.isNaN(value) ? this.#decoded(word) : value) as V;
  }

  override set(key: K, value: V): this {
    if (this.writing === 0) this.refuse("set");
    if (typeof value !== "number") return super.set(key, value);
    const word = this.word("set", key);
    let result: number;
    try {
      result = this.core.setNumber4(this.writing, word, value, this.valueScalar);
    } catch (trap) {
      throw this.trapped("set", trap);
    }
    return result === 0 ? this : this.#settled(result, key, value);
  }

  /** A value that is no plain number: NaN, or bytes that mean nothing to the codec. */
  #decoded(word: number): unknown {
    const { host } = this;
    const address = host.core.lookup4(this.reading, word) >>> 0;
    // A shared host: another thread has deleted the key meanwhile, or the core gave up.
    if (address < ERRNO_LIMIT) return this.missed("get", address);
    return readScalar(host, this.valueScalar, address) ?? this.decodeValue("get", host.view, address);
  }

  #settled(result: number, key: K, value: V): this {
    // Views are replaced; everything is written.
    if (result === GREW) this.host.refresh();
    // The codec says what it would have accepted.
    else if (result === UNFIT) return super.set(key, value);
    else return this.refused("set", result, this.set, key, value);
    return this;
  }
}
