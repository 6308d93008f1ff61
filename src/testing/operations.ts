/**
 * One operation on a map, as data, and its encoding in bytes. Every byte string decodes to operations, so a fuzzer can feed
 * whatever it mutates; the tests, the generator and the shrunk reports of divergences all use the same encoding.
 */
import { KEY_NUMBERS, VALUE_NUMBERS } from "./bytes.ts";

/** How many scans, drains and iterations of each kind run side by side. */
export const SLOTS = 4;
/** Largest room of a scan step, drain step or iteration step, in entries. */
export const MAX_ROOM = 64;
/** Largest number of keys of one lookupMany. */
export const MAX_MANY = 256;

/**
 * `key` is a key number (0 to 2^24 - 1, see `keyBytes`), `value` a value number (0 to 2^16 - 1, see `valueBytes`), `slot` says
 * which of 4 concurrent scans, drains or iterations goes on, `room` how many entries it may take (1 to 64).
 */
export type Operation =
  /** flags: 0 BPF_ANY, 1 BPF_NOEXIST, 2 BPF_EXIST, 3 to 255 invalid */
  | { readonly kind: "update"; readonly key: number; readonly value: number; readonly flags: number }
  /** update with flags 0 of an entry that expires after `ttl` ms (0 to 65535; 0 is never). Without expiry as any update */
  | { readonly kind: "set"; readonly key: number; readonly value: number; readonly ttl: number }
  | {
      readonly kind: "lookup" | "has" | "delete" | "lookupAndDelete" | "nextKey" | "remainingTtl";
      readonly key: number;
    }
  /** adds `by` (0 to 255) to values that are numbers; to others nothing */
  | { readonly kind: "add"; readonly key: number; readonly by: number }
  /** firstKey: nextKey without a key. walk: nextKey until it ends, at most 1000 steps */
  | { readonly kind: "firstKey" | "walk" }
  /** looks up `count` keys (1 to 256): key, key + stride, key + 2 stride, ... (stride 0 to 255) */
  | { readonly kind: "lookupMany"; readonly key: number; readonly count: number; readonly stride: number }
  | { readonly kind: "scan" | "drain" | "iterate"; readonly slot: number; readonly room: number }
  /** the scan of a slot begins anew before it has ended */
  | { readonly kind: "rewind"; readonly slot: number }
  /** drains everything at once, `room` entries (1 to 64) at a time */
  | { readonly kind: "drainAll"; readonly room: number }
  /** a filter sees everything, and deletes the entries whose value begins with a byte below `remove` (0 to 255) */
  | { readonly kind: "process"; readonly remove: number }
  /** the clock moves on, by `by` ms (0 to 65535) */
  | { readonly kind: "advance"; readonly by: number }
  /** sweeps so many buckets: 0 is what `tick` does, 255 the whole map */
  | { readonly kind: "sweep"; readonly buckets: number }
  /** sections nest; an end without a begin does nothing, as does a begin more than 8 levels deep */
  | { readonly kind: "sectionBegin" }
  | { readonly kind: "sectionEnd" }
  | { readonly kind: "clear" | "freeze" }
  /** raises the limit by `by` entries (0 to 255) */
  | { readonly kind: "grow"; readonly by: number }
  /** compares size, memory, statistics and all addresses that are held */
  | { readonly kind: "check" };

export type OperationKind = Operation["kind"];

interface Form {
  readonly name: string;
  /** how many of the 256 first bytes stand for this form: how often random bytes hit it */
  readonly weight: number;
  read(reader: Reader): Operation;
}

/** Reads operands; past the end every byte is 0. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** 1 byte for 224 hot keys, 2 bytes for the next 7680, 4 bytes for any: random bytes meet the same keys again and again. */
  key(): number {
    const first = this.byte();
    if (first < 0xe0) return first;
    if (first < 0xfe) return 0xe0 + ((first - 0xe0) << 8) + this.byte();
    return this.byte() | (this.byte() << 8) | (this.byte() << 16);
  }

  value(): number {
    return this.byte() | (this.byte() << 8);
  }
}

const keyed = (
  kind: "lookup" | "has" | "delete" | "lookupAndDelete" | "nextKey" | "remainingTtl",
  weight: number,
): Form => ({
  name: kind,
  weight,
  read: (reader) => ({ kind, key: reader.key() }),
});

const stepped = (kind: "scan" | "drain" | "iterate", weight: number): Form => ({
  name: kind,
  weight,
  read: (reader) => {
    const byte = reader.byte();
    return { kind, slot: byte & (SLOTS - 1), room: (byte >> 2) + 1 };
  },
});

const bare = (
  kind: "firstKey" | "walk" | "sectionBegin" | "sectionEnd" | "clear" | "freeze" | "check",
  weight: number,
): Form => ({ name: kind, weight, read: () => ({ kind }) });

const update = (flags: number, weight: number): Form => ({
  name: `update ${flags}`,
  weight,
  read: (reader) => ({ kind: "update", key: reader.key(), value: reader.value(), flags }),
});

/** freeze and clear are rare: after them little is left to find. The weights add up to 256. */
const FORMS: readonly Form[] = [
  update(0, 77),
  update(1, 12),
  update(2, 8),
  {
    name: "update invalid",
    weight: 1,
    read: (reader) => ({
      kind: "update",
      key: reader.key(),
      value: reader.value(),
      flags: Math.max(reader.byte(), 3),
    }),
  },
  {
    name: "set",
    weight: 3,
    read: (reader) => ({ kind: "set", key: reader.key(), value: reader.value(), ttl: reader.value() }),
  },
  { name: "add", weight: 1, read: (reader) => ({ kind: "add", key: reader.key(), by: reader.byte() }) },
  keyed("remainingTtl", 1),
  { name: "advance", weight: 3, read: (reader) => ({ kind: "advance", by: reader.value() }) },
  { name: "sweep", weight: 1, read: (reader) => ({ kind: "sweep", buckets: reader.byte() }) },
  { name: "process", weight: 1, read: (reader) => ({ kind: "process", remove: reader.byte() }) },
  {
    name: "drainAll",
    weight: 1,
    read: (reader) => ({ kind: "drainAll", room: (reader.byte() & (MAX_ROOM - 1)) + 1 }),
  },
  keyed("lookup", 20),
  keyed("has", 4),
  keyed("delete", 40),
  keyed("lookupAndDelete", 8),
  keyed("nextKey", 6),
  bare("firstKey", 2),
  bare("walk", 2),
  {
    name: "lookupMany",
    weight: 6,
    read: (reader) => ({
      kind: "lookupMany",
      key: reader.key(),
      count: reader.byte() + 1,
      stride: reader.byte(),
    }),
  },
  stepped("scan", 24),
  stepped("drain", 8),
  stepped("iterate", 10),
  {
    name: "rewind",
    weight: 2,
    read: (reader) => ({ kind: "rewind", slot: reader.byte() & (SLOTS - 1) }),
  },
  bare("sectionBegin", 4),
  bare("sectionEnd", 6),
  bare("clear", 1),
  bare("freeze", 1),
  bare("check", 2),
  { name: "grow", weight: 1, read: (reader) => ({ kind: "grow", by: reader.byte() }) },
];

/** Form of every first byte, and the first byte that the encoder uses for every form. */
const formOfByte: Form[] = [];
const byteOfForm = new Map<string, number>();
for (const form of FORMS) {
  byteOfForm.set(form.name, formOfByte.length);
  for (let i = 0; i < form.weight; i++) formOfByte.push(form);
}

/** Collects encoded operations; {@link encodeOperations} for those that come one by one. */
export class OperationWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** Throws RangeError when an operand is outside the bounds given at {@link Operation}. */
  write(operation: Operation): void {
    switch (operation.kind) {
      case "update": {
        const { flags } = operation;
        this.#first(flags >= 3 ? "update invalid" : `update ${flags}`);
        this.#key(operation.key);
        this.#value("value", operation.value);
        if (flags >= 3) this.#byte(this.#number("flags", flags, 0, 255));
        break;
      }
      case "set":
        this.#first(operation.kind);
        this.#key(operation.key);
        this.#value("value", operation.value);
        this.#value("ttl", operation.ttl);
        break;
      case "add":
        this.#first(operation.kind);
        this.#key(operation.key);
        this.#byte(this.#number("by", operation.by, 0, 255));
        break;
      case "advance":
        this.#first(operation.kind);
        this.#value("by", operation.by);
        break;
      case "sweep":
        this.#first(operation.kind);
        this.#byte(this.#number("buckets", operation.buckets, 0, 255));
        break;
      case "process":
        this.#first(operation.kind);
        this.#byte(this.#number("remove", operation.remove, 0, 255));
        break;
      case "drainAll":
        this.#first(operation.kind);
        this.#byte(this.#number("room", operation.room, 1, MAX_ROOM) - 1);
        break;
      case "lookup":
      case "has":
      case "delete":
      case "lookupAndDelete":
      case "nextKey":
      case "remainingTtl":
        this.#first(operation.kind);
        this.#key(operation.key);
        break;
      case "lookupMany":
        this.#first(operation.kind);
        this.#key(operation.key);
        this.#byte(this.#number("count", operation.count, 1, MAX_MANY) - 1);
        this.#byte(this.#number("stride", operation.stride, 0, 255));
        break;
      case "scan":
      case "drain":
      case "iterate": {
        this.#first(operation.kind);
        const room = this.#number("room", operation.room, 1, MAX_ROOM);
        this.#byte(this.#number("slot", operation.slot, 0, SLOTS - 1) | ((room - 1) << 2));
        break;
      }
      case "rewind":
        this.#first(operation.kind);
        this.#byte(this.#number("slot", operation.slot, 0, SLOTS - 1));
        break;
      case "grow":
        this.#first(operation.kind);
        this.#byte(this.#number("by", operation.by, 0, 255));
        break;
      default:
        this.#first(operation.kind);
    }
  }

  /** A copy of what has been written. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #first(form: string): void {
    const byte = byteOfForm.get(form);
    if (byte === undefined) throw new RangeError(`no operation ${form}`);
    this.#byte(byte);
  }

  #key(key: number): void {
    this.#number("key", key, 0, KEY_NUMBERS - 1);
    if (key < 0xe0) {
      this.#byte(key);
    } else if (key < 0xe0 + 30 * 256) {
      this.#byte(0xe0 + ((key - 0xe0) >> 8));
      this.#byte(key - 0xe0);
    } else {
      this.#byte(0xff);
      this.#byte(key);
      this.#byte(key >> 8);
      this.#byte(key >> 16);
    }
  }

  #value(what: string, value: number): void {
    this.#number(what, value, 0, VALUE_NUMBERS - 1);
    this.#byte(value);
    this.#byte(value >> 8);
  }

  #number(what: string, number: number, low: number, high: number): number {
    if (Number.isInteger(number) && number >= low && number <= high) return number;
    throw new RangeError(`${what} is ${number}, expected a whole number from ${low} to ${high}`);
  }

  #byte(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = byte;
  }
}

/**
 * Operations as bytes, 1 to 9 each. Throws RangeError when an operand is outside the bounds given at {@link Operation}.
 *
 * @example
 * ```ts
 * import { decodeOperations, encodeOperations } from "bpfmap/testing";
 * const bytes = encodeOperations([{ kind: "update", key: 7, value: 1, flags: 0 }, { kind: "scan", slot: 0, room: 1 }]);
 * console.log(bytes.length, decodeOperations(bytes)[1]?.kind); // 6 scan
 * ```
 */
export function encodeOperations(operations: Iterable<Operation>): Uint8Array {
  const writer = new OperationWriter();
  for (const operation of operations) writer.write(operation);
  return writer.bytes();
}

/**
 * The operations that any bytes stand for; never throws. Operands that are cut off at the end read as 0.
 * `decodeOperations(encodeOperations(operations))` gives the same operations back.
 */
export function decodeOperations(bytes: Uint8Array): Operation[] {
  const reader = new Reader(bytes);
  const operations: Operation[] = [];
  while (!reader.ended) operations.push(formOfByte[reader.byte()]!.read(reader));
  return operations;
}
