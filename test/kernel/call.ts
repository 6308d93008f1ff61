/** Builds a call for both sides from an operation: the attribute, and the buffers in memory. */
import { valueBytes } from "../../src/testing/bytes.ts";
import { BATCH, CMD, ELEMENT, INFO } from "./commands.ts";
import { locate, MARGIN, MEMORY_BYTES, NULL, PATTERN, PLACE, type Pointer, type Region } from "./memory.ts";
import type { Batch, Create, Element, Info } from "./operations.ts";
import { type PointerField, type Syscalls, writeAddress } from "./syscalls.ts";
import { CURSOR_BYTES, type MapState, type World } from "./world.ts";

type Sides = readonly [Syscalls, Syscalls];

/** A call that both sides get: one attribute and its buffers; descriptors are added for each side. */
export class Call {
  readonly attr: Uint8Array;
  readonly pointers: PointerField[] = [];
  readonly buffers: Region[] = [];
  readonly #view: DataView;
  readonly #sides: Sides;

  constructor(sides: Sides, size: number) {
    this.#sides = sides;
    this.attr = new Uint8Array(size);
    this.#view = new DataView(this.attr.buffer);
  }

  /** Sets a u32 field, as far as the attribute is long enough. */
  u32(field: number, word: number): void {
    if (field + 4 <= this.attr.length) this.#view.setUint32(field, word, true);
  }

  poke(offset: number): void {
    if (offset >= 0 && offset < this.attr.length) this.attr[offset] = 1;
  }

  /** Adds a pointer and its buffer, whose surroundings are filled with the pattern on both sides. */
  pointer(field: number, pointer: Pointer, place: number, length: number, other?: Region): Region {
    if (field >= this.attr.length) return { start: undefined, mapped: 0, length };
    const buffer = locate(pointer, place, length, other?.start);
    if (pointer.at === "outside") this.pointers.push({ field, target: -1 - pointer.index });
    else this.pointers.push({ field, target: buffer.start });
    if (buffer.start !== undefined) this.buffers.push(buffer);
    return buffer;
  }

  /** Writes input bytes into a buffer on both sides, as far as it is mapped. */
  write(buffer: Region, bytes: Uint8Array, at = 0): void {
    for (const { memory } of this.#sides) writeOne(memory, buffer, bytes, at);
  }

  /** Puts the pattern back around all buffers, on both sides. */
  restore(): void {
    for (const { start, mapped } of this.buffers) {
      const [from, to] = surroundings(start!, mapped);
      const pattern = PATTERN.subarray(from, to);
      for (const { memory } of this.#sides) memory.set(pattern, from);
    }
  }
}

export function writeOne(memory: Uint8Array, buffer: Region, bytes: Uint8Array, at = 0): void {
  if (buffer.start === undefined) return;
  const room = buffer.mapped - at;
  if (room > 0) memory.set(room < bytes.length ? bytes.subarray(0, room) : bytes, buffer.start + at);
}

export function surroundings(start: number, mapped: number): [from: number, to: number] {
  return [Math.max(start - MARGIN, 0), Math.min(start + mapped + MARGIN, MEMORY_BYTES)];
}

export function createCall(sides: Sides, operation: Create): Call {
  const call = new Call(sides, operation.size);
  for (const [field, word] of operation.fields) call.u32(field, word);
  for (let i = 0; i < 16 && 28 + i < operation.size; i++) {
    call.attr[28 + i] = Number.parseInt(operation.name.slice(2 * i, 2 * i + 2), 16);
  }
  if (operation.hashAt.at !== "null") {
    call.pointer(CREATE_HASH, operation.hashAt, PLACE.hash, HASH_BYTES);
  }
  call.poke(operation.poke);
  return call;
}

/** An attribute with u32 words and no pointers. */
export function plainCall(
  sides: Sides,
  operation: { readonly size: number; readonly poke: number },
  words: Create["fields"] = [],
): Call {
  return createCall(sides, {
    kind: "create",
    slot: 0,
    fields: words,
    name: "",
    hashAt: NULL,
    size: operation.size,
    poke: operation.poke,
  });
}

/** `map` is the map of the slot, or sizes to use when the descriptor is bad. */
export function elementCall(
  sides: Sides,
  world: World,
  operation: Element,
  map: MapState,
): { call: Call; key: Region; value: Region } {
  const call = new Call(sides, operation.size);
  const { cmd } = operation;
  const key = call.pointer(ELEMENT.key, operation.keyAt, PLACE.keys, map.keySize);
  const length = cmd === CMD.NEXT_KEY ? map.keySize : map.stride;
  let value: Region = { start: undefined, mapped: 0, length };
  // DELETE has no such field: a pointer there would be a byte behind the last field.
  if (cmd !== CMD.DELETE) value = call.pointer(ELEMENT.value, operation.valueAt, PLACE.values, length, key);
  if (cmd === CMD.UPDATE) call.write(value, valueBytes(operation.value, map.stride));
  call.write(key, world.key(map, operation.key));
  call.u32(ELEMENT.flags, operation.flags);
  call.u32(ELEMENT.flags + 4, operation.flagsHigh);
  call.poke(operation.poke);
  return { call, key, value };
}

/** Longest buffers of a batch: a count may be larger, but then it is never reached. */
export function batchRoom(operation: Batch, map: MapState): number {
  return Math.min(operation.count, 2 * map.maxEntries + 2);
}

export interface BatchCall {
  readonly call: Call;
  readonly keys: Region;
  readonly values: Region;
  readonly in: Region;
  readonly out: Region;
}

export function batchCall(sides: Sides, world: World, operation: Batch, map: MapState): BatchCall {
  const call = new Call(sides, operation.size);
  const room = batchRoom(operation, map);
  const inAt: Pointer = operation.cursor === "null" ? { at: "null" } : operation.inAt;
  const inBuffer = call.pointer(BATCH.in, inAt, PLACE.in, CURSOR_BYTES);
  const out = call.pointer(BATCH.out, operation.outAt, PLACE.out, CURSOR_BYTES, inBuffer);
  const keys = call.pointer(BATCH.keys, operation.keysAt, PLACE.keys, room * map.keySize);
  const values = call.pointer(BATCH.values, operation.valuesAt, PLACE.values, room * map.stride, keys);
  if (operation.cmd === CMD.UPDATE_BATCH || operation.cmd === CMD.DELETE_BATCH) {
    for (let i = 0; i < room; i++) {
      call.write(keys, world.key(map, operation.keys[i] ?? 0), i * map.keySize);
      if (operation.cmd === CMD.UPDATE_BATCH) {
        call.write(values, valueBytes(operation.value + i, map.stride), i * map.stride);
      }
    }
  }
  call.u32(BATCH.count, operation.count);
  call.u32(BATCH.elemFlags, operation.elemFlags);
  call.u32(BATCH.flags, operation.flags);
  call.poke(operation.poke);
  return { call, keys, values, in: inBuffer, out };
}

/** Offset of excl_prog_hash in MAP_CREATE, and of `hash` in struct bpf_map_info, which is an input; bytes of a SHA-256. */
const CREATE_HASH = 80;
const INFO_HASH = 88;
const HASH_BYTES = 32;

/** info.hash in memory: where it is, and where it leads. */
export interface HashPointer {
  readonly at: number;
  readonly target: number | undefined;
}

/** `hash` is where info.hash is, which differs from side to side; undefined when the buffer is too short. */
export function infoCall(
  sides: Sides,
  operation: Info,
): { call: Call; info: Region; hash: HashPointer | undefined } {
  const call = new Call(sides, operation.size);
  const info = call.pointer(INFO.info, operation.infoAt, PLACE.info, operation.length);
  if (operation.fill !== "pattern") call.write(info, new Uint8Array(operation.length));
  else if (operation.length > INFO_HASH)
    call.write(info, new Uint8Array(operation.length - INFO_HASH), INFO_HASH);
  let hash: HashPointer | undefined;
  if (operation.length >= INFO_HASH + 16 && info.mapped >= INFO_HASH + 16 && info.start !== undefined) {
    call.write(info, new Uint8Array(Uint32Array.of(operation.hashSize).buffer), INFO_HASH + 8);
    const digest = locate(operation.hashAt, PLACE.hash, HASH_BYTES, undefined);
    if (digest.start !== undefined) call.buffers.push(digest);
    const target = operation.hashAt.at === "outside" ? -1 - operation.hashAt.index : digest.start;
    hash = { at: info.start + INFO_HASH, target };
    for (const side of sides) writeAddress(side.memory, hash.at, side.address(target));
  }
  if (operation.fill === "tail" && operation.length > 0)
    call.write(info, Uint8Array.of(1), operation.length - 1);
  call.u32(INFO.length, operation.length);
  call.poke(operation.poke);
  return { call, info, hash };
}
