/** What is known of the maps and descriptors while a sequence runs: for the rules where order is free, and to pick good calls. */
import { byteString, equalBytes, keyBytes, showBytes } from "../../src/testing/bytes.ts";
import { FLAG } from "./commands.ts";

export const SLOTS = 8;
export const SCANS = 4;
/** Bytes of a batch cursor: a u32 of hash maps, the key of arrays. */
export const CURSOR_BYTES = 4;

export interface MapState {
  readonly hash: boolean;
  /** a hash map that evicts */
  readonly lru: boolean;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  /** bytes of a value as the calls see it */
  readonly stride: number;
  readonly maxEntries: number;
  /** of a hash map: what must be in it. Arrays are compared byte by byte and need none of this */
  readonly entries: Map<string, Uint8Array>;
  readonly ids: readonly [number, number];
  handles: number;
  frozen: boolean;
  /** percent of the writing calls that insert; the generator changes it now and then */
  insert: number;
}

/** Stands in for the sizes of a map when there is none. */
export const NO_MAP: MapState = {
  hash: true,
  lru: false,
  type: 0,
  keySize: 8,
  valueSize: 8,
  stride: 8,
  maxEntries: 4,
  entries: new Map(),
  ids: [0, 0],
  handles: 0,
  frozen: false,
  insert: 50,
};

/** What slots below 0 stand for: descriptors that are not open, and the standard streams, which are no maps. */
export const BAD_FDS = [0x7fff_0000, -1, 0, 1, 2];

export interface Slot {
  readonly fds: readonly [number, number];
  readonly map: MapState;
  /** 0, RDONLY or WRONLY */
  readonly mode: number;
  open: boolean;
}

/** A batch scan of a hash map, running on both sides. */
export interface Scan {
  readonly map: MapState;
  readonly cursors: readonly [Uint8Array, Uint8Array];
  readonly ended: [boolean, boolean];
  readonly seen: readonly [Set<string>, Set<string>];
  /** keys that were there from the start until now */
  readonly stable: Set<string>;
}

export class World {
  readonly slots: (Slot | undefined)[] = new Array(SLOTS).fill(undefined);
  readonly scans: (Scan | undefined)[] = new Array(SCANS).fill(undefined);

  key(map: MapState, number: number): Uint8Array {
    // The key of an array is the index.
    if (!map.hash) return new Uint8Array(Uint32Array.of(number).buffer);
    return keyBytes(number, map.keySize);
  }

  has(map: MapState, key: Uint8Array): boolean {
    return map.entries.has(byteString(key));
  }

  set(map: MapState, key: Uint8Array, value: Uint8Array): void {
    if (map.hash) map.entries.set(byteString(key), value.slice());
  }

  remove(map: MapState, key: string): void {
    map.entries.delete(key);
    for (const scan of this.scans) if (scan?.map === map) scan.stable.delete(key);
  }

  startScan(index: number, map: MapState): Scan {
    const scan: Scan = {
      map,
      cursors: [new Uint8Array(CURSOR_BYTES), new Uint8Array(CURSOR_BYTES)],
      ended: [false, false],
      seen: [new Set(), new Set()],
      stable: new Set(map.entries.keys()),
    };
    this.scans[index] = scan;
    return scan;
  }

  /** Notes new descriptors. A closed one with the same number on either side is open again then, so it is forgotten. */
  opened(index: number, slot: Slot): void {
    for (let i = 0; i < SLOTS; i++) {
      const other = this.slots[i];
      if (other !== undefined && (other.fds[0] === slot.fds[0] || other.fds[1] === slot.fds[1]))
        this.slots[i] = undefined;
    }
    this.slots[index] = slot;
    slot.map.handles++;
  }

  closed(slot: Slot): void {
    slot.open = false;
    if (--slot.map.handles > 0) return;
    for (let i = 0; i < SCANS; i++) if (this.scans[i]?.map === slot.map) this.scans[i] = undefined;
  }

  readable(slot: Slot): boolean {
    return slot.open && slot.mode !== FLAG.WRONLY;
  }
}

/** Says how the entries differ, or nothing. */
export function differenceOf(
  expected: ReadonlyMap<string, Uint8Array>,
  got: ReadonlyMap<string, Uint8Array>,
): string | undefined {
  for (const [key, value] of expected) {
    const other = got.get(key);
    if (other === undefined) return `key ${hex(key)} is missing`;
    if (!equalBytes(value, other)) return `key ${hex(key)} has another value`;
  }
  for (const key of got.keys()) if (!expected.has(key)) return `key ${hex(key)} is too much`;
  return undefined;
}

export const bytesOf = (key: string): Uint8Array => Buffer.from(key, "latin1");

/** A key as a message shows it. */
export const hex = (key: string): string => showBytes(bytesOf(key));
