/**
 * Random operations whose arguments are in host memory, on hosts whose memory grows, on full hosts and on shared ones, compared with a
 * JavaScript Map. An operation is one key of one call.
 */
import type { Batch, Codec, HashMap, Host } from "../../src/index.ts";
import { Random } from "../../src/testing/index.ts";
import { lib, uapi } from "./kit.ts";

const { BPF_ANY, BPF_EXIST, BPF_NOEXIST, BpfError, bytes, createHost, struct, u32, u53 } = lib;

const KEYS = 3000;
const MAX_ENTRIES = 2000;
const MOST = 64;
/** Entries of one batch of a drain. */
const DRAINED = 8;
/** Bytes of host memory that arguments are put into: keys, values and deltas, each in a third. */
const CARRIER = 3 * MOST * 64;
const THIRD = CARRIER / 3;
const ENOMEM = 12;
const E2BIG = 7;
const ENOENT = 2;
const EEXIST = 17;

type AnyMap = HashMap<unknown, unknown>;

/** How numbers stand for keys and values of a map. */
interface Form {
  readonly type: "hash" | "rhash";
  readonly key: Codec<never>;
  readonly value: Codec<never>;
  readonly counts: boolean;
  /** Bytes of a key and of a value are the number in little-endian, and again. */
  readonly keySize: number;
  readonly valueSize: number;
  /** What the typed API takes, from the bytes. */
  keyOf(view: DataView, at: number): unknown;
  valueFrom(view: DataView, at: number): unknown;
  numberOf(value: unknown): number;
}

const run = (size: number) => (view: DataView, at: number) =>
  new Uint8Array(view.buffer, view.byteOffset + at, size);
const word = (view: DataView, at: number) => view.getUint32(at, true);

const FORMS: readonly Form[] = [
  {
    type: "rhash",
    key: u32 as never,
    value: u53 as never,
    counts: true,
    keySize: 4,
    valueSize: 8,
    keyOf: word,
    valueFrom: word,
    numberOf: (value) => value as number,
  },
  {
    type: "hash",
    key: struct({ a: u32, b: u32 }) as never,
    value: u32 as never,
    counts: true,
    keySize: 8,
    valueSize: 4,
    keyOf: (view, at) => ({ a: word(view, at), b: word(view, at + 4) }),
    valueFrom: word,
    numberOf: (value) => value as number,
  },
  {
    type: "rhash",
    key: bytes(24) as never,
    value: bytes(40) as never,
    counts: false,
    keySize: 24,
    valueSize: 40,
    keyOf: run(24),
    valueFrom: run(40),
    numberOf: (value) =>
      new DataView((value as Uint8Array).buffer, (value as Uint8Array).byteOffset).getUint32(0, true),
  },
];

export interface Totals {
  operations: number;
  calls: number;
  refused: number;
  /** Calls that made memory grow. */
  grown: number;
  /** Hosts: plain, plain and full, shared, shared and full. */
  hosts: [number, number, number, number];
}

class Run {
  readonly #random: Random;
  readonly #form: Form;
  readonly #host: Host;
  readonly #map: AnyMap;
  readonly #batch: Batch<unknown, unknown>;
  readonly #carrier;
  readonly #fd: number;
  readonly #model = new Map<number, number>();
  readonly #noise: AnyMap[] = [];
  readonly #full: boolean;
  readonly totals: Totals;

  constructor(seed: number, totals: Totals) {
    const random = new Random(seed);
    this.#random = random;
    this.totals = totals;
    const shared = random.chance(50);
    this.#full = random.chance(40);
    this.totals.hosts[(shared ? 2 : 0) + (this.#full ? 1 : 0)]++;
    this.#form = FORMS[random.below(FORMS.length)] as Form;
    const { type, key, value } = this.#form;
    const maxMemory = (this.#full ? 8 : 512) * 65_536;
    this.#host = createHost({ seed, shared, cpus: 2, maxMemory });
    this.#carrier = this.#host.createMap({
      type: "array",
      key: u32,
      value: bytes(64),
      maxEntries: CARRIER / 64,
    });
    this.#map = this.#host.createMap({ type, key, value, maxEntries: MAX_ENTRIES }) as unknown as AnyMap;
    this.#batch = this.#map.createBatch(MOST);
    this.#host.pin("/map", this.#map);
    const path = new Uint8Array(16);
    path.set(new TextEncoder().encode("/map\0"), 8);
    this.#fd = this.#host.bpf(
      uapi.BPF_OBJ_GET,
      uapi.writeStruct(uapi.BPF_ATTR_OBJ, { pathname: 8 }),
      path.buffer,
    );
  }

  /** Makes about so many operations. */
  go(operations: number): void {
    const end = this.totals.operations + operations;
    for (let calls = 0; this.totals.operations < end; calls++) {
      this.#step();
      this.totals.calls++;
      if (calls % 3000 === 2999) this.#compare();
    }
    this.#compare();
    this.#batch.close();
    this.#carrier.close();
    for (const map of this.#noise) map.close();
    this.#host.closeFd(this.#fd);
    this.#host.unpin("/map");
    this.#map.close();
    const { bytes: left } = this.#host.memoryUsage();
    if (left !== 0) throw new Error(`${left} bytes are left`);
    this.#host.close();
  }

  #compare(): void {
    const problems = this.#host.verify();
    if (problems.length > 0) throw new Error(problems[0]);
    if (this.#map.size !== this.#model.size)
      throw new Error(`${this.#map.size} entries, not ${this.#model.size}`);
    const { numberOf } = this.#form;
    const key = this.#form.key as unknown as Codec<unknown>;
    const view = new DataView(new ArrayBuffer(64));
    const batch = this.#batch;
    batch.rewind();
    let entries = 0;
    for (let more = true; more; ) {
      batch.count = 1 + this.#random.below(MOST);
      more = this.#map.lookupBatch(batch);
      for (let i = 0; i < batch.count; i++, entries++) {
        key.encode(batch.key(i), view, 0);
        this.#same("lookupBatch", word(view, 0), numberOf(batch.value(i)));
      }
    }
    if (entries !== this.#model.size)
      throw new Error(`lookupBatch gave ${entries} entries, not ${this.#model.size}`);
  }

  #same(call: string, key: number, value: number | undefined): void {
    const expected = this.#model.get(key);
    if (expected !== value) throw new Error(`${call}: key ${key}: ${value} instead of ${expected}`);
  }

  /** The carrier's memory as it is now. */
  get #memory(): Uint8Array {
    return this.#carrier.view(Uint8Array) as Uint8Array;
  }

  /** Writes `n` random keys and values where the arguments of calls are; the numbers. */
  #write(
    memory: Uint8Array,
    keysAt: number,
    valuesAt: number,
    n: number,
  ): { keys: number[]; values: number[] } {
    const { keySize, valueSize } = this.#form;
    const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    const keys: number[] = [];
    const values: number[] = [];
    for (let i = 0; i < n; i++) {
      const key = this.#random.below(KEYS);
      const value = this.#random.below(1 << 20);
      keys.push(key);
      values.push(value);
      for (let at = 0; at < keySize; at += 4) view.setUint32(keysAt + i * keySize + at, key, true);
      for (let at = 0; at < valueSize; at += 4) {
        view.setUint32(valuesAt + i * valueSize + at, at > 0 && valueSize === 8 ? 0 : value, true);
      }
    }
    return { keys, values };
  }

  #step(): void {
    const { u8 } = this.#host;
    this.#call();
    if (this.#host.u8 !== u8) this.totals.grown++;
  }

  #call(): void {
    const roll = this.#random.below(20);
    if (roll < 8) this.#single();
    else if (roll < 11) this.#lookupMany();
    else if (roll < 13) this.#addMany();
    else if (roll < 15) this.#writeBatch();
    else if (roll < 17) this.#systemCall();
    else if (roll < 18) this.#noiseStep();
    else this.#take();
  }

  /** The errno of a call that may be refused, with how many were done; 0 when it was not. */
  #errnoOf(call: () => void): { errno: number; count: number } {
    try {
      call();
      return { errno: 0, count: 0 };
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      this.totals.refused++;
      return { errno: error.errno, count: error.count ?? 0 };
    }
  }

  /** Whether an errno is one that a write to an absent or present key may have here. */
  #check(call: string, key: number, errno: number): void {
    const fits = this.#model.has(key) || this.#model.size < MAX_ENTRIES;
    if (errno === E2BIG && !fits) return;
    if (errno === ENOMEM) return;
    if (errno !== 0 || !fits)
      throw new Error(`${call}: key ${key}: errno ${errno} of ${this.#model.size} entries`);
  }

  #single(): void {
    const { keyOf, valueFrom, numberOf, counts } = this.#form;
    const memory = this.#memory;
    const { keys, values } = this.#write(memory, 0, THIRD, 1);
    const [number] = keys as [number];
    const [value] = values as [number];
    const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    const key = keyOf(view, 0);
    const map = this.#map;
    this.totals.operations++;
    switch (this.#random.below(counts ? 7 : 6)) {
      case 0: {
        const { errno } = this.#errnoOf(() => map.set(key, valueFrom(view, THIRD)));
        this.#check("set", number, errno);
        if (errno === 0) this.#model.set(number, value);
        break;
      }
      case 1: {
        const flags = [BPF_ANY, BPF_NOEXIST, BPF_EXIST][this.#random.below(3)] as number;
        const has = this.#model.has(number);
        const { errno } = this.#errnoOf(() => map.update(key, valueFrom(view, THIRD), flags));
        if (flags === BPF_NOEXIST && has) {
          if (errno !== EEXIST) throw new Error(`update: ${errno}`);
        } else if (flags === BPF_EXIST && !has) {
          if (errno !== ENOENT) throw new Error(`update: ${errno}`);
        } else {
          this.#check("update", number, errno);
          if (errno === 0) this.#model.set(number, value);
        }
        break;
      }
      case 2:
        if (map.delete(key) !== this.#model.delete(number)) throw new Error(`delete: key ${number}`);
        break;
      case 3: {
        const found = map.lookupAndDelete(key);
        this.#same("lookupAndDelete", number, found === undefined ? undefined : numberOf(found));
        this.#model.delete(number);
        break;
      }
      case 6: {
        let sum = 0;
        const { errno } = this.#errnoOf(() => {
          sum = Number(map.add(key, 3));
        });
        this.#check("add", number, errno);
        if (errno === 0) {
          this.#model.set(number, (this.#model.get(number) ?? 0) + 3);
          this.#same("add", number, sum);
        }
        break;
      }
      default: {
        const found = map.get(key);
        this.#same("get", number, found === undefined ? undefined : numberOf(found));
        break;
      }
    }
  }

  #lookupMany(): void {
    const { keySize, valueSize } = this.#form;
    const n = 1 + this.#random.below(MOST);
    const memory = this.#memory;
    const { keys } = this.#write(memory, 0, THIRD, n);
    const flat = memory.subarray(0, n * keySize);
    const inBatch = this.#random.chance(50);
    const target = inBatch ? this.#batch.values : memory.subarray(THIRD, THIRD + n * valueSize);
    const { errno } = this.#errnoOf(() => this.#map.lookupMany(flat, target));
    this.totals.operations += n;
    if (errno === ENOMEM && this.#full) return;
    if (errno !== 0) throw new Error(`lookupMany: ${errno}`);
    const now = inBatch ? this.#batch.values : this.#memory.subarray(THIRD);
    const view = new DataView(now.buffer, now.byteOffset, now.byteLength);
    for (const [i, key] of keys.entries()) {
      this.#same("lookupMany", key, this.#map.found(i) ? word(view, i * valueSize) : undefined);
    }
  }

  #addMany(): void {
    if (!this.#form.counts) return;
    const { keySize, valueSize } = this.#form;
    const n = 1 + this.#random.below(MOST);
    const memory = this.#memory;
    const { keys, values } = this.#write(memory, 0, THIRD, n);
    const { buffer, byteOffset } = memory;
    const wide = valueSize === 8;
    const deltas = wide ? values : new Uint32Array(buffer, byteOffset + THIRD, n);
    const { errno, count } = this.#errnoOf(() =>
      this.#map.addMany(memory.subarray(0, n * keySize), deltas as never),
    );
    this.#apply("addMany", keys, errno, errno === 0 ? n : count, (key, i) => {
      this.#model.set(key, (this.#model.get(key) ?? 0) + (values[i] as number));
    });
  }

  /** What the first `done` keys of a call have done. */
  #apply(
    call: string,
    keys: number[],
    errno: number,
    done: number,
    effect: (key: number, i: number) => void,
  ): void {
    this.totals.operations += keys.length;
    for (let i = 0; i < done; i++) {
      this.#check(call, keys[i] as number, 0);
      effect(keys[i] as number, i);
    }
    if (done < keys.length) this.#check(call, keys[done] as number, errno || -1);
  }

  #writeBatch(): void {
    const batch = this.#batch;
    const n = 1 + this.#random.below(MOST);
    const { buffer, byteOffset } = batch.keys;
    const whole = new Uint8Array(buffer);
    const { keys, values } = this.#write(whole, byteOffset, batch.values.byteOffset, n);
    batch.count = n;
    if (this.#random.chance(60)) {
      const { errno } = this.#errnoOf(() => this.#map.updateBatch(batch));
      const done = errno === 0 || batch.count < n ? batch.count : 0;
      this.#apply("updateBatch", keys, errno, done, (key, i) => this.#model.set(key, values[i] as number));
      return;
    }
    const { errno } = this.#errnoOf(() => this.#map.deleteBatch(batch));
    this.totals.operations += n;
    if (errno === ENOMEM) return;
    const done = errno === 0 ? n : batch.count;
    for (let i = 0; i < done; i++) {
      if (!this.#model.delete(keys[i] as number))
        throw new Error(`deleteBatch: key ${keys[i]} was not there`);
    }
    if (errno !== 0 && this.#model.has(keys[done] as number))
      throw new Error(`deleteBatch: key ${keys[done]}`);
  }

  /** UPDATE_BATCH, or MAP_LOOKUP_ELEM, with pointers into host memory. */
  #systemCall(): void {
    const n = 1 + this.#random.below(MOST);
    const memory = this.#memory;
    const base = memory.byteOffset;
    const { keys, values } = this.#write(memory, 0, THIRD, n);
    if (this.#random.chance(50)) {
      const fields = { map_fd: this.#fd, keys: base, values: base + THIRD, count: n };
      const attributes = uapi.writeStruct(uapi.BPF_ATTR_BATCH, fields);
      const errno = -this.#host.bpf(uapi.BPF_MAP_UPDATE_BATCH, attributes);
      const { count } = uapi.readStruct(uapi.BPF_ATTR_BATCH, attributes);
      this.#apply("UPDATE_BATCH", keys, errno, count, (key, i) => this.#model.set(key, values[i] as number));
      return;
    }
    this.totals.operations++;
    const fields = { map_fd: this.#fd, key: base, value: base + 2 * THIRD };
    const errno = -this.#host.bpf(uapi.BPF_MAP_LOOKUP_ELEM, uapi.writeStruct(uapi.BPF_ATTR_ELEM, fields));
    const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    this.#same("MAP_LOOKUP_ELEM", keys[0] as number, errno === ENOENT ? undefined : word(view, 2 * THIRD));
  }

  /** Makes memory grow or the host full, or gives some back. */
  #noiseStep(): void {
    const random = this.#random;
    this.totals.operations++;
    if (this.#noise.length > 0 && random.chance(35)) {
      this.#noise.splice(random.below(this.#noise.length), 1)[0]?.close();
      return;
    }
    this.#errnoOf(() => {
      const value = bytes(1 + random.below(3000));
      const map = this.#host.createMap({
        type: "rhash",
        key: u32,
        value,
        maxEntries: 1000,
      }) as unknown as AnyMap;
      this.#noise.push(map);
      const entries = this.#full ? 1000 : 100;
      for (let i = 0; i < entries; i++) map.set(i, new Uint8Array(value.size));
    });
    if (this.#noise.length > 20) for (const map of this.#noise.splice(0)) map.close();
  }

  /** A drain that takes some entries and leaves. A full host may not take the rest of its batch back: the error says how many are lost. */
  #take(): void {
    if (!this.#random.chance(10)) return;
    const { numberOf } = this.#form;
    const key = this.#form.key as unknown as Codec<unknown>;
    const view = new DataView(new ArrayBuffer(64));
    let left = this.#random.below(50);
    const { errno } = this.#errnoOf(() => {
      for (const [taken, value] of this.#map.drain({ size: DRAINED })) {
        key.encode(taken, view, 0);
        const number = word(view, 0);
        this.#same("drain", number, numberOf(value));
        this.#model.delete(number);
        this.totals.operations++;
        if (left-- === 0) break;
      }
    });
    if (errno === ENOMEM && this.#full) this.#forgetLost();
  }

  /** Takes from the model what a drain has lost: less than one of its batches. */
  #forgetLost(): void {
    const { keySize, keyOf } = this.#form;
    const view = new DataView(new ArrayBuffer(64));
    let lost = 0;
    for (const number of [...this.#model.keys()]) {
      for (let at = 0; at < keySize; at += 4) view.setUint32(at, number, true);
      if (this.#map.has(keyOf(view, 0))) continue;
      this.#model.delete(number);
      lost++;
    }
    if (lost >= DRAINED) throw new Error(`a drain lost ${lost} entries`);
  }
}

/** Makes `operations` random operations on hosts of all sorts. */
export function runModel(seed: number, operations: number): Totals {
  const random = new Random(seed);
  const totals: Totals = { operations: 0, calls: 0, refused: 0, grown: 0, hosts: [0, 0, 0, 0] };
  while (totals.operations < operations) {
    const runSeed = random.next();
    try {
      new Run(runSeed, totals).go(Math.min(60_000, operations));
    } catch (error) {
      console.log(`diverged: run ${runSeed} of seed ${seed}, after ${totals.operations} operations`);
      throw error;
    }
  }
  console.log(
    `${totals.operations} operations in ${totals.calls} calls, seed ${seed}: ${totals.refused} refused, memory grew ${totals.grown} times; hosts: plain, full, shared, shared and full: ${totals.hosts}`,
  );
  return totals;
}
