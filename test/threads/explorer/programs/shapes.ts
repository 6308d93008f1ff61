/** The maps that the tests of the protocol use: small, so that few operations cross splits, merges, chains and limits. */

export interface Shape {
  readonly name: string;
  readonly keySize: number;
  readonly valueSize: number;
  /** rhash; otherwise hash. */
  readonly growable: boolean;
  readonly prealloc: boolean;
  readonly maxEntries: number;
  /** Of the spin lock in a value. */
  readonly lockOffset?: number;
  readonly perCpu?: boolean;
  readonly array?: boolean;
  /** A full one evicts. */
  readonly evicts?: boolean;
  /** Keys are texts of any length; `keySize` is their room. */
  readonly texts?: boolean;
  /** Entries expire {@link TTL} ms after they were written. */
  readonly expires?: boolean;
}

/** ms; a unit of expiry is 1. */
export const TTL = 100;
/** When the clock of a host begins. */
export const ORIGIN = 1000;

/** CPU slots of a world (world.ts). */
export const CPUS = 3;
const SPIN_LOCK_BYTES = 4;

const FEW = 60;
const SMALL = 24;
const TINY = 9;
const MANY = 4000;

const LAYOUTS = [
  { layout: "keys", keySize: 4, valueSize: 8 },
  { layout: "tags", keySize: 8, valueSize: 16 },
  { layout: "refs", keySize: 4, valueSize: 40 },
  { layout: "texts", keySize: 64, valueSize: 8, texts: true },
] as const;

const rhash = { growable: true, prealloc: false };
const hash = { growable: false, prealloc: true };
const lazyHash = { growable: false, prealloc: false };

const sizes = ({
  keySize,
  valueSize,
  texts = false,
}: {
  keySize: number;
  valueSize: number;
  texts?: boolean;
}) => ({
  keySize,
  valueSize,
  texts,
});

/** Every layout as every type, far from its limit and near to it. */
export const HASHES: readonly Shape[] = LAYOUTS.flatMap((layout) => [
  { name: `rhash ${layout.layout}`, ...rhash, ...sizes(layout), maxEntries: MANY },
  { name: `rhash ${layout.layout}, small`, ...rhash, ...sizes(layout), maxEntries: FEW },
  { name: `hash ${layout.layout}`, ...hash, ...sizes(layout), maxEntries: FEW },
  { name: `hash ${layout.layout}, not preallocated`, ...lazyHash, ...sizes(layout), maxEntries: FEW },
]);

/** Odd sizes, and a value that needs a larger journal. */
export const ODD: readonly Shape[] = [
  { name: "rhash 7 + 5", ...rhash, keySize: 7, valueSize: 5, maxEntries: MANY },
  { name: "rhash 4 + 5000", ...rhash, keySize: 4, valueSize: 5000, maxEntries: MANY },
];

/** Their slots lie in lanes, eight elements a group. */
export const PER_CPU: readonly Shape[] = [
  { name: "percpu_hash", ...hash, keySize: 4, valueSize: 8 * CPUS, maxEntries: FEW, perCpu: true },
  {
    name: "percpu_hash, not preallocated",
    ...lazyHash,
    keySize: 16,
    valueSize: 8 * CPUS,
    maxEntries: FEW,
    perCpu: true,
  },
];

export const SPIN_LOCKED: readonly Shape[] = [
  { name: "rhash tags, spin lock", ...rhash, keySize: 8, valueSize: 20, maxEntries: MANY, lockOffset: 0 },
  { name: "hash refs, spin lock", ...hash, keySize: 4, valueSize: 44, maxEntries: FEW, lockOffset: 8 },
];

export const ARRAYS: readonly Shape[] = [
  { name: "array of 8 bytes", ...hash, keySize: 4, valueSize: 8, maxEntries: 10, array: true },
  { name: "array of 24 bytes", ...hash, keySize: 4, valueSize: 24, maxEntries: 10, array: true },
];

/** Full ones evict, from their own buckets and others; those of up to 31 entries look at all their buckets. */
export const EVICTING: readonly Shape[] = [
  ...LAYOUTS.flatMap((layout) =>
    [FEW, SMALL, TINY].map((maxEntries) => ({
      name: `lru_hash ${layout.layout}, ${maxEntries}`,
      ...hash,
      ...sizes(layout),
      maxEntries,
      evicts: true,
    })),
  ),
  ...[FEW, SMALL].map((maxEntries) => ({
    name: `lru_percpu_hash, ${maxEntries}`,
    ...hash,
    keySize: 4,
    valueSize: 8 * CPUS,
    maxEntries,
    perCpu: true,
    evicts: true,
  })),
];

/** Values have their expiry behind them: in one word of 8 bytes, in two, out of line, behind texts, and in a lane of its own. */
export const EXPIRING: readonly Shape[] = [
  { name: "hash keys, expiring", ...hash, keySize: 4, valueSize: 4, maxEntries: FEW },
  { name: "rhash tags, expiring", ...rhash, keySize: 8, valueSize: 8, maxEntries: MANY },
  { name: "hash tags, not preallocated, expiring", ...lazyHash, keySize: 8, valueSize: 16, maxEntries: FEW },
  { name: "rhash refs, expiring", ...rhash, keySize: 4, valueSize: 40, maxEntries: MANY },
  { name: "rhash texts, expiring", ...rhash, keySize: 64, valueSize: 8, maxEntries: MANY, texts: true },
  { name: "lru_hash tags, expiring", ...hash, keySize: 8, valueSize: 16, maxEntries: FEW, evicts: true },
  { name: "percpu_hash, expiring", ...hash, keySize: 4, valueSize: 8 * CPUS, maxEntries: FEW, perCpu: true },
].map((shape) => ({ ...shape, expires: true }));

export const EXPIRING_LOCKED: Shape = {
  name: "hash refs, spin lock, expiring",
  ...hash,
  keySize: 4,
  valueSize: 44,
  maxEntries: FEW,
  lockOffset: 8,
  expires: true,
};

/** Bytes of a value with its expiry. */
export function storedBytes({ valueSize, expires = false, perCpu = false }: Shape): number {
  return expires ? 8 * Math.ceil((4 * Math.ceil(valueSize / 4) + (perCpu ? 8 : 4)) / 8) : valueSize;
}

/** Bytes of a value that hold data: all but its spin lock. */
export function dataBytes(shape: Shape): number {
  return shape.valueSize - (shape.lockOffset === undefined ? 0 : SPIN_LOCK_BYTES);
}

/**
 * A value is a list of words of 8 bytes (the last may be cut), each with a small number. A plain value has the same number in each, so
 * that two values that got mixed up show.
 */
export type Value = readonly number[];

export function plain(shape: Shape, number: number): Value {
  return new Array<number>(Math.ceil(dataBytes(shape) / 8)).fill(number);
}

export function encodeValue(shape: Shape, value: Value): Uint8Array {
  const data = new Uint8Array(value.length * 8);
  value.forEach((number, i) => {
    data[i * 8] = number;
    data[i * 8 + 1] = number >>> 8;
  });
  const bytes = new Uint8Array(shape.valueSize);
  const { lockOffset } = shape;
  if (lockOffset === undefined) bytes.set(data.subarray(0, shape.valueSize));
  else {
    bytes.set(data.subarray(0, lockOffset));
    bytes.set(data.subarray(lockOffset, dataBytes(shape)), lockOffset + SPIN_LOCK_BYTES);
  }
  return bytes;
}

/** The words of a value. Throws for a spin lock that does not read as zero. */
export function decodeValue(shape: Shape, bytes: Uint8Array): Value {
  const { lockOffset } = shape;
  const data = [...bytes];
  if (lockOffset !== undefined && data.splice(lockOffset, SPIN_LOCK_BYTES).some((byte) => byte !== 0)) {
    throw new Error("the spin lock of a value was copied out");
  }
  const words: number[] = [];
  for (let at = 0; at < data.length; at += 8) {
    words.push(data.slice(at, at + 8).reduceRight((sum, byte) => sum * 256 + byte, 0));
  }
  return words;
}

export function encodeKey(shape: Shape, key: number): Uint8Array {
  const bytes = new Uint8Array(shape.keySize);
  const view = new DataView(bytes.buffer);
  view.setUint32(numberAt(shape), key, true);
  // Of four lengths, so that elements of a size are used again for other keys.
  if (shape.texts) view.setUint32(0, 4 + 16 * (key % 4), true);
  return bytes;
}

/** Where a key has its number. */
export function numberAt(shape: Shape): number {
  return shape.texts ? 4 : 0;
}

/** The number of the key at an address. */
export function decodeKey(shape: Shape, bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + numberAt(shape), true);
}
