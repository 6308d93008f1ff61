/** Picks the next operation: mostly calls that make sense for the maps that are open, and often one thing wrong with them. */
import { type Random, toHex } from "../../src/testing/index.ts";
import {
  ATTR_SIZE,
  BATCH,
  CMD,
  CREATE_END,
  ELEMENT,
  FLAG,
  HASH_TYPES,
  INFO,
  LRU_TYPES,
  PERCPU_TYPES,
  TYPE,
} from "./commands.ts";
import { NULL, OUTSIDE, type Pointer, ROOM } from "./memory.ts";
import type { Batch, Create, Element, Operation } from "./operations.ts";
import { BAD_FDS, type MapState, NO_MAP, SCANS, SLOTS, type World } from "./world.ts";

/** Maps that should be open. */
const FEW_MAPS = 4;
const TYPES = [
  TYPE.HASH,
  TYPE.HASH,
  TYPE.HASH,
  TYPE.PERCPU_HASH,
  TYPE.PERCPU_HASH,
  TYPE.LRU_HASH,
  TYPE.LRU_HASH,
  TYPE.LRU_PERCPU_HASH,
  TYPE.ARRAY,
  TYPE.PERCPU_ARRAY,
];
const MAX_ENTRIES = [1, 2, 3, 4, 7, 8, 10, 16, 30, 64, 100];
/** Words that go into fields of MAP_CREATE: no size among them is large enough to take much memory. */
const ODD_WORDS = [0, 1, 2, 3, 5, 8, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
/** Map types that neither side has: those of other kernels and of other kinds of map are left out. */
const NO_TYPES = [0, 100, 0xffff_ffff];
const NAME_CHARACTERS = "abcXYZ019_.";

/** Sizes and flags of elements that a call may get, one of them wrong now and then. */
const WRONG_FLAGS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 0x100, 0x8000_0000, 0xffff_ffff];

export class Generator {
  readonly #random: Random;
  readonly #world: World;
  readonly #cpus: number;
  #current = 0;

  /** @param cpus slots of a per-CPU value */
  constructor(random: Random, world: World, cpus: number) {
    this.#random = random;
    this.#world = world;
    this.#cpus = cpus;
  }

  next(): Operation {
    const random = this.#random;
    const { slots } = this.#world;
    const open = slots.flatMap((slot, i) => (slot?.open ? [i] : []));
    const roll = random.below(1000);
    if (open.length < FEW_MAPS ? roll < 300 : roll < 12) {
      const slot = random.below(SLOTS);
      return slots[slot]?.open ? { kind: "close", slot } : this.#create(slot);
    }
    if (open.length > 0 && roll < 16) {
      const slot = random.below(SLOTS);
      if (!slots[slot]?.open) {
        const flags = this.#pick([0, FLAG.RDONLY, FLAG.WRONLY, FLAG.RDONLY, FLAG.WRONLY, 0x18, 1, 0x80]);
        const size = this.#size(12);
        return { kind: "open", slot, from: this.#pick(open), flags, size, poke: this.#poke(12, size) };
      }
    }
    if (roll < 18) return { kind: "close", slot: random.below(SLOTS) };
    if (open.length === 0) return this.#create(random.below(SLOTS));
    if (random.chance(10) || !slots[this.#current]?.open) this.#current = this.#pick(open);
    let slot = this.#current;
    if (roll < 30) slot = random.chance(50) ? this.#badFd() : random.below(SLOTS);
    const map = slots[slot]?.map;
    if (map === undefined)
      return random.chance(50)
        ? this.#element(slot < 0 ? slot : -1, undefined)
        : this.#batch(slot < 0 ? slot : -1, NO_MAP);
    // Little can be done with a frozen map.
    if (map.frozen && slot >= 0 && random.chance(2)) return { kind: "close", slot };
    if (random.chance(1)) map.insert = this.#pick([5, 20, 50, 80, 97]);
    const call = { slot, size: this.#size(INFO.end), poke: -1 };
    if (roll < 32) {
      const size = this.#size(4);
      return {
        kind: "freeze",
        cmd: CMD.FREEZE,
        slot: random.chance(80) ? slot : this.#badFd(),
        size,
        poke: this.#poke(4, size),
      };
    }
    if (roll < 60) {
      const length = this.#pick([0, 3, 4, 8, 12, 40, 64, 80, 88, 96, 100, 104, 105, 120, 200, 4096, 4097]);
      const fill = this.#pick(["zero", "pattern", "tail"] as const);
      const infoAt = this.#pointer(length);
      const hashed = random.chance(30);
      return {
        kind: "info",
        cmd: CMD.INFO,
        ...call,
        poke: this.#poke(INFO.end, call.size),
        length,
        infoAt,
        fill,
        hashAt: hashed ? this.#pointer(32) : NULL,
        hashSize: random.chance(hashed ? 80 : 3) ? 32 : hashed ? this.#pick([0, 31, 64]) : 0,
      };
    }
    if (roll < 62) return { kind: "unknown", cmd: this.#pick([99, 1000, 0x7fff_ffff, -1]), ...call };
    if (roll < 75) {
      const count = random.chance(30) ? 1 + random.below(4) : 1 + random.below(map.maxEntries + 5);
      return { kind: "walk", slot, by: random.chance(50) ? "batch" : "next", count };
    }
    return random.chance(62) ? this.#element(slot, map) : this.#batch(slot, map);
  }

  #badFd(): number {
    return -1 - this.#random.below(BAD_FDS.length);
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#random.below(from.length)]!;
  }

  /** Length of an attribute whose command ends at `end`. */
  #size(end: number): number {
    const roll = this.#random.below(200);
    if (roll < 150) return end;
    if (roll < 180) return ATTR_SIZE;
    if (roll < 190) return this.#pick([ATTR_SIZE + 32, 4096]);
    if (roll < 193) return 4097;
    // Whole fields only: half an address would be an address of something else.
    return 8 * this.#random.below((end >> 3) + 1);
  }

  /** Rarely a byte behind the last field; those beyond the attribute that the kernel knows are E2BIG. */
  #poke(end: number, size: number): number {
    if (size <= end || !this.#random.chance(5)) return -1;
    return this.#random.between(end, size - 1);
  }

  /** Where a buffer of `length` bytes goes: two percent of them somewhere wrong. */
  #pointer(length: number): Pointer {
    const random = this.#random;
    const roll = random.below(200);
    if (roll === 0) return { at: "null" };
    if (roll === 1) return { at: "outside", index: random.below(OUTSIDE.length) };
    if (roll === 2) return { at: "edge", mapped: random.below(Math.max(length, 1)) };
    if (roll < 14) return { at: "edge", mapped: length };
    return { at: "buffer", shift: random.chance(70) ? 0 : random.below(16) };
  }

  #name(): string {
    const bytes = new Uint8Array(16);
    const length = this.#pick([0, 1, 5, 14, 15]);
    for (let i = 0; i < length; i++)
      bytes[i] = NAME_CHARACTERS.charCodeAt(this.#random.below(NAME_CHARACTERS.length));
    if (this.#random.chance(10) && length < 14) bytes[length + 1] = 0x2f; // behind the NUL: nobody looks at it
    if (this.#random.chance(6))
      bytes[this.#random.below(16)] = this.#pick([
        0x20, 0x2f, 0x40, 0x5b, 0x60, 0x7b, 0x80, 0xbf, 0xc0, 0xd7, 0xdf, 0xf7, 0xff,
      ]);
    if (this.#random.chance(2)) bytes.fill(0x61);
    return toHex(bytes);
  }

  #create(slot: number): Create {
    const random = this.#random;
    const type = this.#pick(TYPES);
    const hash = HASH_TYPES.includes(type);
    const lru = LRU_TYPES.includes(type);
    const keySize = !hash ? 4 : random.chance(60) ? this.#pick([4, 8, 16]) : random.between(1, 64);
    const perCpu = PERCPU_TYPES.includes(type);
    // On a machine of many CPUs the values of a per-CPU map are long.
    const copies = perCpu ? this.#cpus : 1;
    let valueSize = random.chance(75) ? random.between(1, 32) : random.between(1, 300);
    if (copies * (valueSize + 8) * 4 > ROOM.values) valueSize = 8;
    const most = Math.max(
      1,
      Math.floor(ROOM.values / (copies * (valueSize + 8))) / 2 - 2 - (lru ? this.#cpus : 0),
    );
    const maxEntries = Math.min(
      random.chance(85) ? this.#pick(MAX_ENTRIES) : random.between(1, 1000),
      most | 0,
    );
    let flags = hash && random.chance(lru ? 3 : 50) ? FLAG.NO_PREALLOC : 0;
    if (lru && random.chance(30)) flags |= FLAG.NO_COMMON_LRU;
    if (hash && random.chance(10)) flags |= FLAG.ZERO_SEED;
    if (random.chance(4)) flags |= this.#pick([FLAG.RDONLY, FLAG.WRONLY, FLAG.RDONLY | FLAG.WRONLY]);
    if (random.chance(6)) flags |= this.#pick([0x80, 0x100, 0x180]);
    if (type === TYPE.ARRAY && random.chance(10)) flags |= FLAG.MMAPABLE;
    const fields: [number, number][] = [
      [0, type],
      [4, keySize],
      [8, valueSize],
      [12, maxEntries],
      [16, flags],
    ];
    const size = this.#size(CREATE_END);
    if (random.chance(35)) this.#spoil(fields, type);
    let hashAt: Pointer = NULL;
    if (random.chance(4)) {
      fields.push([88, random.chance(70) ? 32 : this.#pick(ODD_WORDS)]); // excl_prog_hash_size
      if (random.chance(80)) hashAt = this.#pointer(32);
    }
    // Bytes 28 to 43 are the name.
    return {
      kind: "create",
      slot,
      fields,
      name: this.#name(),
      hashAt,
      size,
      poke: this.#poke(CREATE_END, size),
    };
  }

  /** Makes one field of MAP_CREATE wrong, or odd. */
  #spoil(fields: [number, number][], type: number): void {
    const random = this.#random;
    const set = (offset: number, word: number): void => {
      const field = fields.find(([at]) => at === offset);
      if (field === undefined) fields.push([offset, word]);
      else field[1] = word;
    };
    const flags = fields[4]![1];
    switch (random.below(13)) {
      case 0:
        set(0, this.#pick(NO_TYPES));
        break;
      case 1: {
        const keySize = this.#pick([0, 1, 2, 3, 5, 8, 65, 513, 0x8000_0000, 0xffff_ffff]);
        set(4, keySize);
        if (keySize > 64) set(12, random.between(1, 100));
        break;
      }
      case 2: {
        const tooLong = [0, 32_769, 0x8000_0000, 0xffff_ffff];
        const longest = this.#cpus <= 8 ? [...tooLong, 32_768] : tooLong;
        set(8, this.#pick(type === TYPE.HASH ? [...longest, 0x7fff_ffff] : longest));
        set(12, 1);
        break;
      }
      case 3:
        // Arrays would take what they are told to.
        set(
          12,
          type === TYPE.ARRAY || type === TYPE.PERCPU_ARRAY
            ? 0
            : this.#pick([0, 0x0800_0001, 0x8000_0000, 0xffff_ffff]),
        );
        break;
      case 4:
        set(16, (flags | (1 << random.below(32))) >>> 0);
        break;
      case 5:
        set(16, random.next());
        break;
      case 6:
        set(20, this.#pick(ODD_WORDS)); // inner_map_fd
        break;
      case 7:
        if (random.chance(60)) set(16, flags | FLAG.NUMA_NODE);
        set(24, this.#pick([0, 999, 0x7fff_ffff, 0xffff_ffff]));
        break;
      case 8:
        set(44, this.#pick([1, 0x7fff_ffff])); // map_ifindex
        break;
      case 9:
        set(48, this.#pick([0, 0x7fff_0000])); // btf_fd: no BTF, or no descriptor
        if (random.chance(70)) set(52, this.#pick(ODD_WORDS));
        if (random.chance(70)) set(56, this.#pick(ODD_WORDS));
        break;
      case 10:
        set(60, this.#pick(ODD_WORDS)); // btf_vmlinux_value_type_id
        break;
      case 11:
        set(random.chance(50) ? 64 : 68, this.#pick(ODD_WORDS)); // map_extra
        break;
      case 12:
        set(random.chance(50) ? 72 : 76, this.#pick([0, 0x7fff_0000, 0xffff_ffff])); // descriptors of BTF, of a token
        break;
    }
  }

  #keyNumber(map: MapState): number {
    const random = this.#random;
    if (map.hash) return random.below(Math.ceil(map.maxEntries * 1.3) + 2);
    if (random.chance(4))
      return this.#pick([map.maxEntries, map.maxEntries + 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]);
    return random.below(map.maxEntries);
  }

  #element(slot: number, map: MapState | undefined): Element {
    const random = this.#random;
    const insert = map?.insert ?? 50;
    const roll = random.below(100);
    let cmd: number;
    if (roll < 25) cmd = CMD.LOOKUP;
    else if (roll < 35) cmd = CMD.NEXT_KEY;
    else if (random.chance(insert)) cmd = CMD.UPDATE;
    else cmd = random.chance(60) ? CMD.DELETE : CMD.LOOKUP_AND_DELETE;
    const end = cmd === CMD.DELETE ? ELEMENT.value : cmd === CMD.NEXT_KEY ? ELEMENT.flags : ELEMENT.end;
    const size = this.#size(end);
    const keySize = map?.keySize ?? 8;
    const keyAt =
      cmd === CMD.NEXT_KEY && random.chance(15) ? ({ at: "null" } as const) : this.#pointer(keySize);
    let valueAt = this.#pointer(cmd === CMD.NEXT_KEY ? keySize : (map?.stride ?? 8));
    // One edge at a time; and only commands that write after they have read may share the buffer.
    if (keyAt.at === "edge" && valueAt.at === "edge") valueAt = { at: "buffer", shift: 0 };
    if (keyAt.at === "buffer" && random.chance(cmd === CMD.NEXT_KEY ? 20 : 1) && cmd !== CMD.UPDATE)
      valueAt = { at: "same" };
    let flags = 0;
    if (end === ELEMENT.end && random.chance(cmd === CMD.UPDATE ? 25 : 4)) {
      flags = cmd === CMD.UPDATE && random.chance(85) ? random.between(1, 2) : this.#pick(WRONG_FLAGS);
    }
    const flagsHigh = end === ELEMENT.end && random.below(200) === 0 ? this.#pick([1, 0x8000_0000]) : 0;
    const key = map === undefined ? 0 : this.#keyNumber(map);
    const poke = random.below(100) === 0 ? 4 : this.#poke(end, size);
    return {
      kind: "element",
      cmd,
      slot,
      key,
      value: random.below(1 << 16),
      keyAt,
      valueAt,
      flags,
      flagsHigh,
      size,
      poke,
    };
  }

  #batch(slot: number, map: MapState): Batch {
    const random = this.#random;
    const roll = random.below(100);
    let cmd: number;
    if (roll < 50) cmd = CMD.LOOKUP_BATCH;
    else if (random.chance(map.insert)) cmd = CMD.UPDATE_BATCH;
    else cmd = random.chance(60) ? CMD.LOOKUP_AND_DELETE_BATCH : CMD.DELETE_BATCH;
    const scans = cmd === CMD.LOOKUP_BATCH || cmd === CMD.LOOKUP_AND_DELETE_BATCH;
    const { maxEntries } = map;
    const countRoll = random.below(100);
    let count: number;
    if (countRoll < 3) count = 0;
    else if (countRoll < 40) count = random.between(1, Math.min(8, 2 * maxEntries));
    else if (countRoll < 85) count = random.between(1, Math.max(1, maxEntries >> 1));
    else count = random.between(1, 2 * maxEntries);
    if (scans && random.below(60) === 0)
      count = this.#pick([maxEntries, map.entries.size, maxEntries + 1, 0x7fff_ffff, 0xffff_ffff]);
    const room = Math.min(count, 2 * maxEntries + 2);
    const keysAt = this.#pointer(room * map.keySize);
    let valuesAt = this.#pointer(room * map.stride);
    if (keysAt.at === "edge" && valuesAt.at === "edge") valuesAt = { at: "buffer", shift: 0 };
    // Of an array, where the order is known, what is written last shows.
    if (!map.hash && keysAt.at === "buffer" && random.chance(3)) valuesAt = { at: "same" };
    const edged = keysAt.at === "edge" || valuesAt.at === "edge";
    const cursorAt = (): Pointer => {
      const at = this.#pointer(4);
      return edged && at.at === "edge" ? { at: "buffer", shift: 0 } : at;
    };
    const inAt = cursorAt();
    let outAt = cursorAt();
    if (inAt.at === "edge" && outAt.at === "edge") outAt = { at: "buffer", shift: 0 };
    if (random.chance(25)) outAt = { at: "same" };
    const cursorRoll = random.below(100);
    let cursor: Batch["cursor"] = "carried";
    if (cursorRoll < 20) cursor = "null";
    else if (cursorRoll < 22) cursor = 0;
    else if (cursorRoll < 24) cursor = 0xffff_ffff;
    else if (!map.hash && cursorRoll < 30) cursor = random.below(maxEntries + 3);
    if (outAt.at === "same" && cursor === "null") outAt = { at: "buffer", shift: 0 };
    const keys: number[] = [];
    if (!scans) {
      // Deletes of what is there, one after the other, get far; so do updates of keys that differ.
      const first = this.#keyNumber(map);
      const inRow = random.chance(50);
      for (let i = 0; i < room; i++)
        keys.push(inRow && random.chance(99) ? (first + i) >>> 0 : this.#keyNumber(map));
    }
    const size = this.#size(BATCH.end);
    return {
      kind: "batch",
      cmd,
      slot,
      size,
      poke: this.#poke(BATCH.end, size),
      count,
      keys,
      value: random.below(1 << 15),
      keysAt,
      valuesAt,
      cursor,
      inAt,
      outAt,
      scan: random.chance(60) ? slot % SCANS : random.below(SCANS),
      elemFlags: random.chance(2) ? this.#pick(WRONG_FLAGS) : 0,
      flags: random.chance(2) ? this.#pick(WRONG_FLAGS) : 0,
    };
  }
}
