/**
 * Ids of two states that are compared or joined: which of the one stand for which of the other.
 *
 * @module
 */

/** In the place of the id of a pointer: it is NULL. */
export const NULL_ID = -1;

/** Whether the ids of a general state can stand for those of a special one. */
export class IdMatch {
  /** General id, special id, shift; one behind the other. There are few. */
  #partners: number[] | undefined;

  /** Numbers that are equal in the general state must be known to be equal in the special one. */
  ofNumbers(general: number, special: number): boolean {
    return general === 0 || (special !== 0 && this.#stands(general, special, 0));
  }

  /**
   * Pointers that belong together in the general state must do so in the special one.
   *
   * @param shift how much nearer to the base the general one is, of packets
   */
  ofPointers(general: number, special: number, shift = 0): boolean {
    return general === 0 || this.#stands(general, special, shift);
  }

  #stands(general: number, special: number, shift: number): boolean {
    this.#partners ??= [];
    const partners = this.#partners;
    for (let k = 0; k < partners.length; k += 3) {
      if (partners[k] === general) return partners[k + 1] === special && partners[k + 2] === shift;
    }
    partners.push(general, special, shift);
    return true;
  }
}

/** Ids of a joined state: things that have the same id in both states have the same id there, and no others. */
export class IdJoin {
  readonly #newId: () => number;
  readonly #joined = new Map<string, number>();
  readonly #taken = new Set<number>();

  constructor(newId: () => number) {
    this.#newId = newId;
  }

  /**
   * The id for what is `a` in one state and `b` in the other.
   *
   * @param shift what else must be the same for the same id
   */
  of(a: number, b: number, shift = 0): number {
    const key = `${a} ${b} ${shift}`;
    let id = this.#joined.get(key);
    if (id === undefined) {
      // The first pair with this id keeps it, so that a join which changes nothing gives the same state.
      id = a > 0 && !this.#taken.has(a) ? a : this.#newId();
      this.#taken.add(a);
      this.#joined.set(key, id);
    }
    return id;
  }
}
