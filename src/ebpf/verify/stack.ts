/**
 * What is known of a frame: 512 bytes in 64 slots of 8.
 *
 *   byte offset from r10   -512      -504              -8        0
 *   slot                     |   0   |   1   |  ...  |   63   |
 *
 * A slot remembers which of its bytes are written, and what was stored when it was stored in one piece: a register, or a number in either
 * half. Slots are never changed, only replaced: states share them.
 *
 * @module
 */
import { ALU } from "../isa/opcodes.ts";
import type { Register } from "./pointer.ts";
import { isScalar } from "./pointer.ts";
import { calculate } from "./scalar/arithmetic.ts";
import { constant, loaded, type Scalar, signExtended, truncated } from "./scalar/scalar.ts";

export const FRAME_BYTES = 512;
export const SLOTS = 64;
const SLOT_BYTES = 8;

export interface Slot {
  /** A bit for each byte that has been written. */
  readonly written: number;
  /** What all eight bytes are. */
  readonly whole?: Register | undefined;
  /** What the lower or upper four are. */
  readonly low?: Scalar | undefined;
  readonly high?: Scalar | undefined;
}

/** By slot; undefined: never written, or forgotten. */
export type Slots = (Slot | undefined)[];

/** A slot that has been written, of which nothing else is known. */
export const WRITTEN: Slot = { written: 0xff };

/** The slot that a byte is in. */
export const slotOf = (offset: number): number => (offset + FRAME_BYTES) >> 3;

/** Whether so many bytes from an offset on lie in the frame. */
export const inFrame = (offset: number, bytes: number): boolean =>
  offset >= -FRAME_BYTES && offset + bytes <= 0;

/** Stores a register; the bytes are in the frame. */
export function store(slots: Slots, offset: number, bytes: number, value: Register): void {
  const within = offset & (SLOT_BYTES - 1);
  const at = slotOf(offset);
  if (bytes === 8 && within === 0) {
    slots[at] = { written: 0xff, whole: value };
    return;
  }
  if (bytes === 4 && (within === 0 || within === 4) && isScalar(value)) {
    const before = slots[at];
    const half = truncated(value);
    const written = (before?.written ?? 0) | (0x0f << within);
    slots[at] =
      within === 0
        ? { written, low: half, high: halfOf(before, 4) }
        : { written, low: halfOf(before, 0), high: half };
    return;
  }
  overwrite(slots, offset, bytes);
}

/** The lower half of a slot, within 0, or the upper, within 4, where it is a number. */
export function halfOf(slot: Slot | undefined, within: number): Scalar | undefined {
  if (slot?.whole === undefined) return within === 0 ? slot?.low : slot?.high;
  return isScalar(slot.whole) ? part(slot.whole, within, 4) : undefined;
}

/** Some bytes of a number, from a byte of it on. */
function part(of: Scalar, from: number, bytes: number): Scalar {
  const shifted = from === 0 ? of : calculate(ALU.RSH, of, constant(from * 8), 64);
  if (bytes === 8) return shifted;
  if (bytes === 4) return truncated(shifted);
  return shifted.most < 2 ** (8 * bytes)
    ? shifted
    : calculate(ALU.AND, shifted, constant(2 ** (8 * bytes) - 1), 64);
}

/** Bytes are written, with what nobody follows. */
export function overwrite(slots: Slots, offset: number, bytes: number): void {
  for (let byte = offset; byte < offset + bytes; byte++) {
    const at = slotOf(byte);
    const bit = 1 << (byte & (SLOT_BYTES - 1));
    const before = slots[at];
    if (
      before !== undefined &&
      before.whole === undefined &&
      before.low === undefined &&
      before.high === undefined
    ) {
      if ((before.written & bit) === 0) slots[at] = { written: before.written | bit };
    } else slots[at] = withoutHalf(before, byte & 4, bit);
  }
}

/** A slot of which a byte of one half is overwritten: the other half may stay known. */
function withoutHalf(slot: Slot | undefined, within: number, bit: number): Slot {
  const written = (slot?.written ?? 0) | bit;
  return within === 0 ? { written, high: halfOf(slot, 4) } : { written, low: halfOf(slot, 0) };
}

/** Bytes somewhere between two offsets may have been written, so that nothing that was stored there is trusted. */
export function spoil(slots: Slots, from: number, to: number): void {
  const last = slotOf(Math.min(to, 0) - 1);
  for (let at = slotOf(Math.max(from, -FRAME_BYTES)); at <= last; at++) {
    const slot = slots[at];
    if (slot !== undefined) slots[at] = { written: slot.written };
  }
}

/** Whether each of the bytes has been written. */
export function isWritten(slots: Slots, offset: number, bytes: number): boolean {
  for (let byte = offset; byte < offset + bytes; byte++) {
    const written = slots[slotOf(byte)]?.written ?? 0;
    if ((written & (1 << (byte & (SLOT_BYTES - 1)))) === 0) return false;
  }
  return true;
}

/** Loads what the bytes are known to be; they are in the frame. */
export function load(slots: Slots, offset: number, bytes: number, signed: boolean): Register {
  const within = offset & (SLOT_BYTES - 1);
  const slot = slots[slotOf(offset)];
  if (slot === undefined || within + bytes > SLOT_BYTES) return loaded(bytes, signed);
  if (bytes === 8) return slot.whole ?? loaded(bytes);
  const half = within + bytes <= 4 ? halfOf(slot, 0) : within >= 4 ? halfOf(slot, 4) : undefined;
  if (half === undefined) return loaded(bytes, signed);
  const value = part(half, within & 3, bytes);
  return signed ? signExtended(value, bytes * 8) : value;
}
