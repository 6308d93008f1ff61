/** The memory that both sides of a comparison see: where the buffers of a call lie, and what they hold before it. */
import { Random } from "../../src/testing/index.ts";

/** Bytes that are mapped. What follows is not: any access there is EFAULT. */
export const MEMORY_BYTES = 3 << 20;

/** Usual places of the buffers. They are far enough apart for the longest of each, and the last MiB is left for edges. */
export const PLACE = {
  in: 0x100,
  out: 0x200,
  info: 0x400,
  hash: 0x600,
  keys: 0x1000,
  values: 0x2_8000,
} as const;

/** Bytes that the keys and the values of one call may take, so that no place reaches into the next. */
export const ROOM = { keys: 0x2_6000, values: 0x15_0000 } as const;

/** Bytes before and after each buffer that must not change either. */
export const MARGIN = 64;

function makePattern(): Uint8Array {
  const bytes = new Uint8Array(MEMORY_BYTES);
  const words = new Uint32Array(bytes.buffer);
  const random = new Random(0x6d61_7073);
  for (let i = 0; i < words.length; i++) words[i] = random.next();
  return bytes;
}

/** What all of the memory holds between calls, so that a byte that nobody should have touched shows. */
export const PATTERN = makePattern();

/**
 * An address in an attribute, in a form that means the same on both sides:
 * the buffer's usual place moved by `shift` bytes; NULL; an address far away; a place so near to the end of the memory that
 * only the first `mapped` bytes of the buffer are mapped (all of them when it just fits); the place of the other buffer.
 */
export type Pointer =
  | { readonly at: "buffer"; readonly shift: number }
  | { readonly at: "null" }
  | { readonly at: "outside"; readonly index: number }
  | { readonly at: "edge"; readonly mapped: number }
  | { readonly at: "same" };

export const NULL: Pointer = { at: "null" };

/**
 * Addresses that are never mapped. The first two would be inside the memory if a 64-bit offset were cut to 32 bits or the
 * end of a buffer wrapped around; the kernel gets addresses of the non-canonical hole instead, or of its own half.
 */
export const OUTSIDE: readonly { readonly host: bigint; readonly kernel: bigint }[] = [
  { host: 2n ** 32n + 0x1000n, kernel: 2n ** 62n + 0x1000n },
  { host: 2n ** 64n - 16n, kernel: 2n ** 64n - 16n },
  { host: 2n ** 53n + 1n, kernel: 2n ** 62n + 1n },
  { host: 2n ** 63n, kernel: 2n ** 63n },
  { host: BigInt(MEMORY_BYTES) + 8n, kernel: 2n ** 47n - 8n },
];

/** A buffer of one call. */
export interface Region {
  /** offset in the memory, or undefined when there is none */
  readonly start: number | undefined;
  /** bytes from `start` that are mapped: fewer than `length` when the buffer runs over the edge, 0 when it is elsewhere */
  readonly mapped: number;
  readonly length: number;
}

/** Where a pointer leads for a buffer of `length` bytes. `other` is the place that `same` stands for. */
export function locate(pointer: Pointer, place: number, length: number, other: number | undefined): Region {
  switch (pointer.at) {
    case "buffer":
      return { start: place + pointer.shift, mapped: length, length };
    case "edge": {
      const mapped = Math.min(pointer.mapped, length);
      return { start: MEMORY_BYTES - mapped, mapped, length };
    }
    case "same":
      return other === undefined
        ? { start: undefined, mapped: 0, length }
        : { start: other, mapped: Math.min(length, MEMORY_BYTES - other), length };
    default:
      return { start: undefined, mapped: 0, length };
  }
}
