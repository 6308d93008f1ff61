/** Bytes of a value. */
export const SIZE = 64;
/** Bytes of the shorter one that it is put with in between. */
export const HALF = 32;
