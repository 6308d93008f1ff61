/**
 * What is known of a frame: 512 bytes in 64 slots of 8.
 *
 *   byte offset from r10   -512      -504              -8        0
 *   slot                     |   0   |   1   |  ...  |   63   |
 *
 * A slot remembers which of its bytes are written, and what was stored when it was stored in one piece: a register, or a number in either
 * half. Slots are never changed, only replaced: states share them, and arrays of them.
 *
 * @module
 */
import { ALU } from "../isa/opcodes.ts";
import type { Register } from "./pointer.ts";
import { isScalar } from "./pointer.ts";
import { calculate } from "./scalar/arithmetic.ts";
import { signExtended, truncated } from "./scalar/relations.ts";
import { constant, loaded, type Scalar } from "./scalar/scalar.ts";

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

/** A slot that has been written, of which nothing else is known. */
export const WRITTEN: Slot = { written: 0xff };

/** The slot that a byte is in. */
export const slotOf = (offset: number): number => (offset + FRAME_BYTES) >> 3;

/** Whether so many bytes from an offset on lie in the frame. */
export const inFrame = (offset: number, bytes: number): boolean =>
  offset >= -FRAME_BYTES && offset + bytes <= 0;

/** A frame. Copies share its slots until one of them changes. */
export class Stack {
  #slots: (Slot | undefined)[];
  #isShared: boolean;
  /** No slot below this one is known. */
  #lowest: number;

  constructor(slots: (Slot | undefined)[] = NOTHING, lowest: number = SLOTS) {
    this.#slots = slots;
    this.#isShared = true;
    this.#lowest = lowest;
  }

  copy(): Stack {
    this.#isShared = true;
    return new Stack(this.#slots, this.#lowest);
  }

  /** The first slot that may be known. */
  get lowest(): number {
    return this.#lowest;
  }

  /** Undefined: never written, or forgotten. */
  at(slot: number): Slot | undefined {
    return this.#slots[slot];
  }

  set(slot: number, to: Slot | undefined): void {
    if (this.#isShared) {
      this.#slots = this.#slots.slice();
      this.#isShared = false;
    }
    this.#slots[slot] = to;
    if (slot < this.#lowest) this.#lowest = slot;
  }

  /** Stores a register; the bytes are in the frame. */
  store(offset: number, bytes: number, value: Register): void {
    const within = offset & (SLOT_BYTES - 1);
    const at = slotOf(offset);
    if (bytes === 8 && within === 0) {
      this.set(at, { written: 0xff, whole: value });
      return;
    }
    if (bytes !== 4 || (within !== 0 && within !== 4) || !isScalar(value)) {
      this.overwrite(offset, bytes);
      return;
    }
    const before = this.#slots[at];
    const half = truncated(value);
    const written = (before?.written ?? 0) | (0x0f << within);
    const low = within === 0 ? half : halfOf(before, 0);
    const high = within === 0 ? halfOf(before, 4) : half;
    this.set(at, { written, low, high });
  }

  /** Bytes are written, with what nobody follows. */
  overwrite(offset: number, bytes: number): void {
    for (let byte = offset; byte < offset + bytes; byte++) {
      const at = slotOf(byte);
      const bit = 1 << (byte & (SLOT_BYTES - 1));
      const before = this.#slots[at];
      const isPlain = before !== undefined && isWithoutContent(before);
      if (!isPlain) this.set(at, withoutHalf(before, byte & 4, bit));
      else if ((before.written & bit) === 0) this.set(at, { written: before.written | bit });
    }
  }

  /** Bytes somewhere between two offsets may have been written, so that nothing that was stored there is trusted. */
  spoil(from: number, to: number): void {
    const last = slotOf(Math.min(to, 0) - 1);
    for (let at = Math.max(slotOf(Math.max(from, -FRAME_BYTES)), this.#lowest); at <= last; at++) {
      const slot = this.#slots[at];
      if (slot !== undefined && !isWithoutContent(slot)) this.set(at, { written: slot.written });
    }
  }

  /** Whether each of the bytes has been written. */
  isWritten(offset: number, bytes: number): boolean {
    for (let byte = offset; byte < offset + bytes; byte++) {
      const written = this.#slots[slotOf(byte)]?.written ?? 0;
      if ((written & (1 << (byte & (SLOT_BYTES - 1)))) === 0) return false;
    }
    return true;
  }

  /** Loads what the bytes are known to be; they are in the frame. */
  load(offset: number, bytes: number, signed: boolean): Register {
    const within = offset & (SLOT_BYTES - 1);
    const slot = this.#slots[slotOf(offset)];
    if (slot === undefined || within + bytes > SLOT_BYTES) return loaded(bytes, signed);
    if (bytes === 8) return slot.whole ?? loaded(bytes);
    const half = within + bytes <= 4 ? halfOf(slot, 0) : within >= 4 ? halfOf(slot, 4) : undefined;
    if (half === undefined) return loaded(bytes, signed);
    const value = part(half, within & 3, bytes);
    return signed ? signExtended(value, bytes * 8) : value;
  }
}

const NOTHING: (Slot | undefined)[] = new Array(SLOTS).fill(undefined);

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

function isWithoutContent({ whole, low, high }: Slot): boolean {
  return whole === undefined && low === undefined && high === undefined;
}

/** A slot of which a byte of one half is overwritten: the other half may stay known. */
function withoutHalf(slot: Slot | undefined, within: number, bit: number): Slot {
  const written = (slot?.written ?? 0) | bit;
  return within === 0 ? { written, high: halfOf(slot, 4) } : { written, low: halfOf(slot, 0) };
}
