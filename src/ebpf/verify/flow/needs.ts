/**
 * What is needed at a point of a program, packed: a bit for each register or slot, and use.
 *
 *   word 0: registers   LIVE 0..9 | BOUNDS 10..19 | DECIDES 20..29
 *   words 1, 2: slots LIVE | 3, 4: BOUNDS | 5, 6: DECIDES
 *
 * @module
 */

/** It is read. */
export const LIVE = 1;
/** It becomes part of an address or a size, so its bounds prove accesses. */
export const BOUNDS = 2;
/** It is compared. */
export const DECIDES = 4;
export const EVERY_USE = LIVE | BOUNDS | DECIDES;

/** Words of a point. */
export const NEED_WORDS = 7;

const REGISTERS = 10;
/** The bits of r0 in all uses. */
const R0 = 1 | (1 << REGISTERS) | (1 << (2 * REGISTERS));

export function registerUse(words: Int32Array, at: number, register: number): number {
  const bits = words[at] >> register;
  return (bits & 1) | ((bits >> (REGISTERS - 1)) & 2) | ((bits >> (2 * REGISTERS - 2)) & 4);
}

export function needRegister(words: Int32Array, at: number, register: number, use: number): void {
  const bits = (use & 1) | ((use & 2) << (REGISTERS - 1)) | ((use & 4) << (2 * REGISTERS - 2));
  words[at] |= bits << register;
}

export function dropRegister(words: Int32Array, at: number, register: number): void {
  words[at] &= ~(R0 << register);
}

export function slotUse(words: Int32Array, at: number, slot: number): number {
  const half = at + 1 + (slot >> 5);
  const bit = slot & 31;
  return (
    ((words[half] >>> bit) & 1) |
    (((words[half + 2] >>> bit) & 1) << 1) |
    (((words[half + 4] >>> bit) & 1) << 2)
  );
}

export function needSlot(words: Int32Array, at: number, slot: number, use: number): void {
  const half = at + 1 + (slot >> 5);
  const bit = 1 << (slot & 31);
  if ((use & LIVE) !== 0) words[half] |= bit;
  if ((use & BOUNDS) !== 0) words[half + 2] |= bit;
  if ((use & DECIDES) !== 0) words[half + 4] |= bit;
}

export function dropSlot(words: Int32Array, at: number, slot: number): void {
  const half = at + 1 + (slot >> 5);
  const bit = 1 << (slot & 31);
  for (let k = 0; k < 6; k += 2) words[half + k] &= ~bit;
}
