/**
 * Options that nobody knows: a slip of the pen, which would do nothing without a word.
 *
 * @module
 */

/** Letters to add, take away, change or swap with the next one, to make one word of the other. */
function distance(one: string, other: string): number {
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, j) => j);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (swapped) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[other.length];
}

/** The name that was meant, if one is near: a third of its letters may differ, and any of them in case. */
function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const letters = distance(name.toLowerCase(), candidate.toLowerCase());
    if (letters < least && letters <= Math.max(1, candidate.length / 3)) {
      best = candidate;
      least = letters;
    }
  }
  return best;
}

/**
 * Throws a TypeError for a property that is none of the options.
 *
 * @param what the start of the message: `createMap: map "m"`
 */
export function checkKnown(what: string, options: object, known: readonly string[]): void {
  check(what, options, known, false);
}

/** The same for options with a method, which may have properties of its own to find by `this`: throws for what is near an option. */
export function checkSlips(what: string, options: object, known: readonly string[]): void {
  check(what, options, known, true);
}

function check(what: string, options: object, known: readonly string[], slips: boolean): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const meant = nearest(name, known);
    if (slips && meant === undefined) continue;
    const hint = meant === undefined ? `known are ${known.join(", ")}` : `did you mean ${meant}?`;
    throw new TypeError(`${what}: unknown option ${JSON.stringify(name.slice(0, 40))}; ${hint}`);
  }
}
