// A word of credits: how many entries its CPU may insert without asking anybody (table/limit/credits.ts).
//
//   bits 8..31 credits | bits 1..7 sequence: one more with every change by the owner | bit 0 frozen
//
// The sequence tells whoever undoes an operation whether a change that the journal announces has happened.
export const FROZEN: u32 = 1;
const SEQUENCE: u32 = 0xfe;
const SEQUENCE_ONE: u32 = 2;
const CREDITS: u32 = 8;

@inline export function creditsOf(word: u32): u32 {
  return word >> CREDITS;
}

/** The word after `taken` credits (negative: given) have left it. */
@inline export function changed(word: u32, taken: i32): u32 {
  return ((word - (<u32>taken << CREDITS)) & ~SEQUENCE) | ((word + SEQUENCE_ONE) & SEQUENCE);
}

/** Undoes `changed(before, taken)` if it was done. Others may have frozen the word meanwhile, and nothing else. */
export function takeBack(at: usize, before: u32, taken: i32): void {
  const done = (before + SEQUENCE_ONE) & SEQUENCE;
  while (true) {
    const word = atomic.load<u32>(at);
    if ((word & SEQUENCE) != done) return;
    const back = ((word + (<u32>taken << CREDITS)) & ~SEQUENCE) | (before & SEQUENCE);
    if (atomic.cmpxchg<u32>(at, word, back) == word) return;
  }
}
