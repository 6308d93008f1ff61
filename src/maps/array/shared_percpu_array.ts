/**
 * Per-CPU arrays on shared hosts. Elements never move and a slot has one writer, so the thread whose it is reads and writes it in
 * place. Others read it meanwhile: words of 8 bytes are written at once.
 *
 * @module
 */
import { Scalar, type ScalarKind } from "../../codec/codec.ts";
import type { CoreHost } from "../../core/core_host.ts";
import { addTo, addU32, fitsU53 } from "../../core/memory/add.ts";
import { readScalar, writeScalar } from "../../core/memory/scalar.ts";
import type { Operation } from "../../errors.ts";
import type { Additions } from "../../ops/calls/add_fields.ts";
import { type Counter, checkDelta, outOfU53 } from "../../ops/calls/counter.ts";
import type { Part } from "../../ops/calls/part.ts";
import { isOneAccess } from "../../ops/calls/shared.ts";
import { subjectOf } from "../../ops/failure.ts";
import { LocalSlot } from "../../ops/percpu.ts";
import { SharedArrayMap } from "./shared_array.ts";

const WORD = 0x1_0000_0000;

/** Writes numbers of 8 bytes in one access each. */
class WholeWords {
  readonly #host: CoreHost;
  /** Good for ever: shared memory does not grow. */
  readonly #words: BigUint64Array;
  readonly #word = new Float64Array(1);
  readonly #halves = new Uint32Array(this.#word.buffer);

  constructor(host: CoreHost) {
    this.#host = host;
    this.#words = new BigUint64Array(host.u8.buffer);
  }

  /** Writes a value that fits. */
  write(scalar: ScalarKind, address: number, value: unknown): void {
    if (isOneAccess(scalar)) writeScalar(this.#host, scalar, address, value);
    else if (scalar === Scalar.U53) this.#writeU53(address, value as number);
    else this.#words[address >>> 3] = value as bigint;
  }

  /** As a float of the same bits: a bigint would have to be made for each number. It is no NaN, since its upper bits are zeros. */
  #writeU53(address: number, value: number): void {
    this.#halves[0] = value;
    this.#halves[1] = value / WORD;
    this.#host.f64[address >>> 3] = this.#word[0];
  }

  /** {@link addTo}; undefined, and nothing is written, for a u53 that would leave its range. */
  add(scalar: ScalarKind, address: number, delta: number | bigint): number | bigint | undefined {
    const host = this.#host;
    if (scalar === Scalar.U32) return addU32(host, address, delta as number);
    if (scalar === Scalar.U53) {
      const before = readScalar(host, scalar, address) as number | undefined;
      const sum = (before ?? -WORD * WORD) + (delta as number);
      if (sum < 0 || sum > Number.MAX_SAFE_INTEGER) return undefined;
      this.#writeU53(address, sum);
      return sum;
    }
    if (typeof delta === "number") return addTo(host, scalar, address, delta);
    this.#words[address >>> 3] += delta;
    return readScalar(host, scalar, address) as bigint;
  }
}

class SharedArraySlot<V> extends LocalSlot<number, V> {
  readonly #words: WholeWords;

  constructor(map: SharedPercpuArrayMap<V>, words: WholeWords) {
    super(map);
    this.#words = words;
  }

  protected override store(address: number, direct: boolean, value: V): void {
    const { host } = this.map;
    const { scalar } = this.codec;
    const size = this.map.table.valueSize;
    if (direct) this.#words.write(scalar, address, value);
    // Engines copy shared memory word by word.
    else host.u8.copyWithin(address, host.scratch.value, host.scratch.value + size);
  }
}

/** {@link PercpuArrayMap} on a shared host. */
export class SharedPercpuArrayMap<V> extends SharedArrayMap<V[]> {
  readonly #words = new WholeWords(this.host);
  readonly #local = new SharedArraySlot<V>(this, this.#words);

  get local(): LocalSlot<number, V> {
    return this.#local;
  }

  override count(operation: Operation, index: number, counter: Counter, delta: unknown): unknown {
    checkDelta(this, operation, counter, delta);
    const address = this.obtain(operation, index) + this.#local.offset + counter.offset;
    const count = this.#words.add(counter.scalar, address, delta as number | bigint);
    if (count === undefined) throw outOfU53(counter, `${operation}: ${subjectOf(this)}: `, delta as number);
    return count;
  }

  override countAll(index: number, { counters, deltas, count }: Additions): void {
    const address = this.obtain("addFields", index) + this.#local.offset;
    for (let i = 0; i < count; i++) {
      const { scalar, offset } = counters[i];
      if (scalar !== Scalar.U53 || fitsU53(this.host, address + offset, deltas[i] as number)) continue;
      throw outOfU53(counters[i], `addFields: ${subjectOf(this)}: `, deltas[i]);
    }
    for (let i = 0; i < count; i++) {
      this.#words.add(counters[i].scalar, address + counters[i].offset, deltas[i]);
    }
  }

  override setPart(index: number, part: Part, fits: boolean, x: unknown): boolean {
    if (this.locate("field.set", index) === 0) return false;
    const address = this.obtain("field.set", index) + part.offset;
    const { host } = this;
    if (fits) this.#words.write(part.scalar, address, x);
    else host.u8.copyWithin(address, host.scratch.value, host.scratch.value + part.codec.size);
    return true;
  }

  override addDeltas(
    stage: number,
    keys: number,
    count: number,
    deltas: number,
    width: number,
    offset: number,
  ): number {
    return super.addDeltas(stage, keys, count, deltas, width, this.#local.offset + offset);
  }
}
