import { createHost } from "../../src/index.ts";
import {
  BPF_ATTR_BATCH,
  BPF_ATTR_ELEM,
  BPF_ATTR_MAP_CREATE,
  BPF_MAP_CREATE,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_RHASH,
  errnoName,
  readStruct,
  type StructInput,
  writeStruct,
} from "../../src/uapi/index.ts";

export const TYPES = {
  HASH: BPF_MAP_TYPE_HASH,
  PERCPU_HASH: BPF_MAP_TYPE_PERCPU_HASH,
  LRU_HASH: BPF_MAP_TYPE_LRU_HASH,
  LRU_PERCPU_HASH: BPF_MAP_TYPE_LRU_PERCPU_HASH,
  ARRAY: BPF_MAP_TYPE_ARRAY,
  PERCPU_ARRAY: BPF_MAP_TYPE_PERCPU_ARRAY,
  RHASH: BPF_MAP_TYPE_RHASH,
} as const;
export type TypeName = keyof typeof TYPES;
export const TYPE_NAMES = Object.keys(TYPES) as TypeName[];
export const HASHES = ["HASH", "PERCPU_HASH", "LRU_HASH", "LRU_PERCPU_HASH", "RHASH"] as const;
/** Types whose full maps evict. */
export const EVICTING: readonly TypeName[] = ["LRU_HASH", "LRU_PERCPU_HASH"];
export const ARRAYS = ["ARRAY", "PERCPU_ARRAY"] as const;

export const MEMORY_BYTES = 1 << 16;
/** Where the buffers of a call are, and pointers that lead nowhere. */
export const AT = {
  cursor: 0x80,
  next: 0x90,
  key: 0x100,
  value: 0x400,
  keys: 0x1000,
  values: 0x4000,
} as const;
export const NULL = 0;
export const OUTSIDE = [
  MEMORY_BYTES,
  MEMORY_BYTES + 8,
  2 ** 32 + 0x1000,
  2n ** 53n + 1n,
  2n ** 63n,
  2n ** 64n - 8n,
];
/** What all memory holds that no call has written. */
export const UNTOUCHED = 0xaa;

export type CreateInput = StructInput<typeof BPF_ATTR_MAP_CREATE>;
export type ElemInput = StructInput<typeof BPF_ATTR_ELEM>;
export type BatchInput = StructInput<typeof BPF_ATTR_BATCH>;

/** A host with the memory of a caller. */
export class Machine {
  readonly host;
  readonly bytes = new Uint8Array(MEMORY_BYTES).fill(UNTOUCHED);
  readonly view = new DataView(this.bytes.buffer);

  constructor(cpus = 2, seed = 1) {
    this.host = createHost({ seed, cpus, maxMemory: 64 * 1024 * 1024 });
  }

  /** A command with its attributes; the result as a name, or "OK". */
  call(command: number, attr: Uint8Array): string {
    const result = this.host.bpf(command, attr, this.bytes.buffer);
    return result < 0 ? errnoName(result) : "OK";
  }

  /** The result of MAP_CREATE. */
  create(type: TypeName | number, input: CreateInput = {}): number {
    const map_type = typeof type === "number" ? type : TYPES[type];
    const map_flags = type === "RHASH" ? 1 : 0;
    const attr = { map_type, map_flags, key_size: 4, value_size: 8, max_entries: 4, ...input };
    return this.host.bpf(BPF_MAP_CREATE, writeStruct(BPF_ATTR_MAP_CREATE, attr), this.bytes.buffer);
  }

  /** Bytes of a value in memory. */
  valueBytes(type: TypeName, valueSize = 8): number {
    return type.includes("PERCPU") ? Math.ceil(valueSize / 8) * 8 * this.host.cpus : valueSize;
  }

  putU32(at: number, value: number): void {
    this.view.setUint32(at, value, true);
  }

  u32(at: number): number {
    return this.view.getUint32(at, true);
  }

  /** A command on one element, with the key number `key` at its place unless the attributes say otherwise. */
  elem(command: number, fd: number, key: number | null, input: ElemInput = {}): string {
    if (key !== null) this.putU32(AT.key, key);
    // DELETE has no value: the field is behind its last one.
    const value = command === BPF_MAP_DELETE_ELEM ? NULL : AT.value;
    const attr = { map_fd: fd, key: key === null ? NULL : AT.key, value, ...input };
    return this.call(command, writeStruct(BPF_ATTR_ELEM, attr));
  }

  /** A batch command; the result and what `count` holds afterwards. */
  batch(command: number, fd: number, count: number, input: BatchInput = {}): [result: string, count: number] {
    const attr = writeStruct(BPF_ATTR_BATCH, {
      map_fd: fd,
      count,
      out_batch: AT.next,
      keys: AT.keys,
      values: AT.values,
      ...input,
    });
    const result = this.call(command, attr);
    return [result, readStruct(BPF_ATTR_BATCH, attr).count];
  }

  /** Puts keys, and values of `stride` bytes that all hold their key plus 1, where batches take them. */
  fill(keys: readonly number[], stride: number): void {
    for (const [i, key] of keys.entries()) {
      this.putU32(AT.keys + 4 * i, key);
      this.bytes.fill(key + 1, AT.values + i * stride, AT.values + (i + 1) * stride);
    }
  }

  /** The keys of a batch. */
  keys(count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.u32(AT.keys + 4 * i));
  }

  value(at: number, bytes: number): number[] {
    return [...this.bytes.subarray(at, at + bytes)];
  }

  /** Forgets what calls have written. */
  wipe(): void {
    this.bytes.fill(UNTOUCHED);
  }
}
