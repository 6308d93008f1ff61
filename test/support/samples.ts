import {
  array,
  bytes,
  type Codec,
  cstring,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  struct,
  u8,
  u16,
  u32,
  u53,
  u64,
} from "../../src/index.ts";

/** A codec with values for it: a number gives a value, the same number the same value. */
export type Sample<T> = [Codec<T>, (n: number) => T];
const sample = <T>(codec: Codec<T>, make: (n: number) => T): Sample<unknown> =>
  [codec, make] as Sample<unknown>;

/** A key or value as text: equal for equal ones, and compared much faster than long arrays are. */
export const text = (value: unknown): string =>
  JSON.stringify(value, (_, part) =>
    typeof part === "bigint" ? `${part}n` : part instanceof Uint8Array ? String(part) : part,
  );

const byte = (n: number) => n & 0xff;
const filled = (size: number) => (n: number) => new Uint8Array(size).map((_, i) => byte(n * 7 + i * n));

/** Every path of a key: 4 and 8 bytes as arguments, 16 and all others by address; scalars and not. */
export const KEYS: Sample<unknown>[] = [
  sample(u8, (n) => n),
  sample(u16, (n) => n * 100),
  sample(u32, (n) => n * 40_000_000),
  sample(i8, (n) => n - 50),
  sample(i16, (n) => n - 50),
  sample(i32, (n) => (n - 50) * 40_000_000),
  sample(f32, (n) => Math.fround(n / 3)),
  sample(f64, (n) => n / 3),
  sample(u53, (n) => n * 90_000_000_000_000),
  sample(u64, (n) => 0xffff_ffff_ffff_ffffn - BigInt(n)),
  sample(i64, (n) => BigInt(n - 50) * 0x1_0000_0001n),
  sample(bytes(1), (n) => Uint8Array.of(n)),
  sample(bytes(3), (n) => Uint8Array.of(n, 0, n)),
  sample(bytes(4), (n) => Uint8Array.of(1, 2, 3, n)),
  sample(bytes(8), (n) => Uint8Array.of(n, 2, 3, 4, 5, 6, 7, 8)),
  sample(bytes(16), filled(16)),
  sample(bytes(40), (n) => new Uint8Array(40).fill(n)),
  sample(cstring(12), (n) => `key ${n}`),
  sample(struct({ a: u16, b: u16 }), (n) => ({ a: n, b: 5 })),
  sample(struct({ a: u8, b: u64 }), (n) => ({ a: 1, b: BigInt(n) })),
  sample(array(u16, 5), (n) => [n, 1, 2, 3, n]),
];

export const VALUES: Sample<unknown>[] = [
  sample(u8, byte),
  sample(u16, (n) => n * 500),
  sample(u32, (n) => 0xffff_ffff - n),
  sample(i8, (n) => -n),
  sample(i16, (n) => -n * 250),
  sample(i32, (n) => -n * 15_000_000),
  sample(f32, (n) => Math.fround(n / 7)),
  sample(f64, (n) => -n / 7),
  sample(u53, (n) => Number.MAX_SAFE_INTEGER - n),
  sample(u64, (n) => 0xffff_ffff_ffff_ffffn - BigInt(n)),
  sample(i64, (n) => -BigInt(n) * 0x1_0000_0001n),
  sample(bytes(5), filled(5)),
  sample(bytes(24), filled(24)),
  sample(bytes(300), filled(300)),
  sample(cstring(9), (n) => `v${n}`),
  sample(struct({ a: u8, b: u64, c: struct({ d: u16 }) }), (n) => ({ a: n, b: 5n, c: { d: n } })),
];
