/** Reads all of a map on both sides, in several ways, and compares it. */
import { byteString, equalBytes, showBytes } from "../../src/testing/bytes.ts";
import { Mismatch } from "../../src/testing/divergence.ts";
import { BATCH, CMD, E, ELEMENT, INFO, showResult } from "./commands.ts";
import { PATTERN, PLACE } from "./memory.ts";
import type { PointerField, Syscalls } from "./syscalls.ts";
import { bytesOf, CURSOR_BYTES, differenceOf, hex, type MapState, type Slot } from "./world.ts";

export class Contents {
  readonly #sides: readonly [Syscalls, Syscalls];

  constructor(sides: readonly [Syscalls, Syscalls]) {
    this.#sides = sides;
  }

  /** Walks both sides to the end; both must hold the same, and what is expected where that is known. */
  compare(slot: Slot, by: "batch" | "next", count: number): void {
    const read = (i: 0 | 1): Map<string, Uint8Array> =>
      by === "batch" ? this.#batches(i, slot, count) : this.#keys(i, slot);
    const [reference, subject] = [read(0), read(1)];
    const different = differenceOf(reference, subject);
    if (different !== undefined) throw new Mismatch(`what the ${this.#sides[0].name} holds`, different);
    if (!slot.map.hash) return;
    const unexpected = differenceOf(slot.map.entries, reference);
    if (unexpected !== undefined) throw new Mismatch("what the calls so far have left", unexpected);
  }

  /** Everything that one side holds, in one batch. */
  read(i: 0 | 1, slot: Slot): Map<string, Uint8Array> {
    return this.#batches(i, slot, slot.map.maxEntries + 1);
  }

  /** Whether the key is there; both sides must say the same. */
  present(slot: Slot, key: Uint8Array): boolean {
    const results = ([0, 1] as const).map((i) => {
      const result = this.#element(i, CMD.LOOKUP, slot, key);
      this.#restore(i, slot.map, 1);
      return result;
    });
    if (results[0] !== results[1])
      throw new Mismatch(`the entry: ${showResult(results[0]!)}`, showResult(results[1]!));
    return results[0] === 0;
  }

  /** Removes an entry that only the other side has removed so far. */
  remove(i: 0 | 1, slot: Slot, key: string): void {
    const result = this.#element(i, CMD.DELETE, slot, bytesOf(key));
    this.#restore(i, slot.map, 1);
    if (result !== 0)
      throw new Mismatch(`${hex(key)} still there`, `${this.#sides[i].name}: ${showResult(result)}`);
  }

  /** The first key of a map that is not empty. */
  firstKey(i: 0 | 1, slot: Slot): Uint8Array {
    const first = this.#next(i, slot, undefined);
    if (first === undefined) throw new Mismatch("a first key", `${this.#sides[i].name}: ENOENT`);
    this.#restore(i, slot.map, 1);
    return first;
  }

  ids(fds: readonly [number, number]): [number, number] {
    const id = (i: 0 | 1): number => {
      const { memory } = this.#sides[i];
      const attr = new Uint8Array(INFO.end);
      const view = new DataView(attr.buffer);
      view.setInt32(INFO.fd, fds[i], true);
      view.setUint32(INFO.length, 8, true);
      memory.fill(0, PLACE.info, PLACE.info + 8);
      const result = this.#sides[i].bpf(CMD.INFO, attr, [{ field: INFO.info, target: PLACE.info }]);
      if (result !== 0)
        throw new Mismatch("the id of a new map", `${this.#sides[i].name}: ${showResult(result)}`);
      const got = new DataView(memory.buffer, memory.byteOffset + PLACE.info + 4, 4).getUint32(0, true);
      memory.set(PATTERN.subarray(PLACE.info, PLACE.info + 8), PLACE.info);
      return got;
    };
    return [id(0), id(1)];
  }

  #element(i: 0 | 1, cmd: number, slot: Slot, key: Uint8Array): number {
    const side = this.#sides[i];
    const attr = new Uint8Array(ELEMENT.end);
    new DataView(attr.buffer).setInt32(ELEMENT.fd, slot.fds[i], true);
    side.memory.set(key, PLACE.keys);
    const pointers: PointerField[] = [{ field: ELEMENT.key, target: PLACE.keys }];
    if (cmd !== CMD.DELETE) pointers.push({ field: ELEMENT.value, target: PLACE.values });
    return side.bpf(cmd, attr, pointers);
  }

  #next(i: 0 | 1, slot: Slot, key: Uint8Array | undefined): Uint8Array | undefined {
    const side = this.#sides[i];
    const attr = new Uint8Array(ELEMENT.flags);
    new DataView(attr.buffer).setInt32(ELEMENT.fd, slot.fds[i], true);
    if (key !== undefined) side.memory.set(key, PLACE.keys);
    const result = side.bpf(CMD.NEXT_KEY, attr, [
      { field: ELEMENT.key, target: key === undefined ? undefined : PLACE.keys },
      { field: ELEMENT.value, target: PLACE.values },
    ]);
    if (result === -E.NOENT) return undefined;
    if (result !== 0) throw new Mismatch("a next key", `${side.name}: ${showResult(result)}`);
    return side.memory.slice(PLACE.values, PLACE.values + slot.map.keySize);
  }

  #keys(i: 0 | 1, slot: Slot): Map<string, Uint8Array> {
    const { map } = slot;
    const { name, memory } = this.#sides[i];
    const found = new Map<string, Uint8Array>();
    for (let key = this.#next(i, slot, undefined); key !== undefined; key = this.#next(i, slot, key)) {
      const result = this.#element(i, CMD.LOOKUP, slot, key);
      if (result !== 0) throw new Mismatch(`a value of ${showBytes(key)}`, `${name}: ${showResult(result)}`);
      this.#add(i, found, byteString(key), memory.slice(PLACE.values, PLACE.values + map.stride));
    }
    this.#restore(i, map, 1);
    return found;
  }

  #batches(i: 0 | 1, slot: Slot, atFirst: number): Map<string, Uint8Array> {
    const { map } = slot;
    const { memory, name, wholeBuckets } = this.#sides[i];
    const { keySize, stride } = map;
    const found = new Map<string, Uint8Array>();
    let count = atFirst;
    for (let first = true; ; first = false) {
      const attr = new Uint8Array(BATCH.end);
      const view = new DataView(attr.buffer);
      view.setUint32(BATCH.count, count, true);
      view.setInt32(BATCH.fd, slot.fds[i], true);
      const result = this.#sides[i].bpf(CMD.LOOKUP_BATCH, attr, [
        { field: BATCH.in, target: first ? undefined : PLACE.in },
        { field: BATCH.out, target: PLACE.in },
        { field: BATCH.keys, target: PLACE.keys },
        { field: BATCH.values, target: PLACE.values },
      ]);
      const got = view.getUint32(BATCH.count, true);
      for (let n = 0; n < got; n++) {
        const [key, value] = [PLACE.keys + n * keySize, PLACE.values + n * stride];
        this.#add(
          i,
          found,
          byteString(memory.subarray(key, key + keySize)),
          memory.slice(value, value + stride),
        );
      }
      this.#restore(i, map, count);
      if (result === -E.NOENT) break;
      // The bucket that does not fit is at the cursor that came back.
      if (result === -E.NOSPC && wholeBuckets && map.hash) count *= 2;
      else if (result !== 0 || got === 0) {
        throw new Mismatch(
          "a batch that gets on",
          `${name}: ${showResult(result)}, count ${got} of ${count}`,
        );
      }
    }
    memory.set(PATTERN.subarray(PLACE.in, PLACE.in + CURSOR_BYTES), PLACE.in);
    return found;
  }

  #add(i: 0 | 1, found: Map<string, Uint8Array>, key: string, value: Uint8Array): void {
    const before = found.get(key);
    if (before !== undefined) {
      const same = equalBytes(before, value) ? "again" : "again, with another value";
      throw new Mismatch("each key once in a walk", `${this.#sides[i].name}: ${hex(key)} ${same}`);
    }
    found.set(key, value);
  }

  /** Puts the pattern back over the buffers of one side: the other may hold an answer that is still to be looked at. */
  #restore(i: 0 | 1, map: MapState, elements: number): void {
    const { memory } = this.#sides[i];
    const sizes = [
      [PLACE.keys, map.keySize],
      [PLACE.values, Math.max(map.keySize, map.stride)],
    ] as const;
    for (const [place, size] of sizes) memory.set(PATTERN.subarray(place, place + elements * size), place);
  }
}
