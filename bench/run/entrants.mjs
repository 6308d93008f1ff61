// The contenders that take part in a run, and the subjects they are measured with.
import { CONTENDERS } from "../contenders/index.mjs";

/** One contender at one size: at any time it has one subject, which is new, full or empty. */
export class Entrant {
  #open;
  #options;

  constructor(name, open, options) {
    this.name = name;
    this.#open = open;
    this.#options = options;
    this.subject = undefined;
    /** "new", "full" or "empty". */
    this.state = undefined;
    /** The keys of the full map. */
    this.keys = undefined;
    this.renew();
  }

  /** Closes the subject and opens another, without entries. */
  renew() {
    this.close();
    this.subject = this.#open(this.#options);
    this.state = "new";
  }

  /**
   * Brings the map into a state, outside of the timed passes.
   *
   * @param {"new" | "full" | "empty"} state
   * @param {Uint32Array} keys those of the full map
   */
  bring(state, keys) {
    if (this.state === state && (state !== "full" || this.keys === keys)) return;
    if (state === "new" && !this.subject.emptyIsNew) this.renew();
    else {
      const { subject } = this;
      if (this.state === "full") {
        subject.prepare?.(this.keys);
        subject.remove(this.keys);
      }
      if (state === "full") {
        subject.prepare?.(keys);
        subject.insert(keys);
      }
      this.leave(state, keys);
    }
  }

  /** Notes the state that a pass has left, and the keys that it has put in. */
  leave(state, keys) {
    this.state = state;
    this.keys = keys;
  }

  close() {
    this.subject?.close();
    this.subject = undefined;
  }
}

/** What was loaded, by name: a contender that starts a compiler or a child process does so once. */
const loaded = new Map();

/**
 * Loads contenders by name.
 *
 * @param {string[]} names
 * @param {{ seed: number, skip: (contender: string, reason: string) => void, note: (text: string) => void }} context
 * @returns {Promise<{ name: string, mostEntries: number, open: Function }[]>} without those that cannot run here
 */
export async function loadContenders(names, context) {
  const contenders = [];
  for (const name of names) {
    if (!(name in CONTENDERS)) {
      context.skip(name, "takes part where there are several threads");
      continue;
    }
    if (!loaded.has(name)) loaded.set(name, await loadOne(name, context.seed));
    const { contender, reason, notes } = loaded.get(name);
    for (const text of notes) context.note(text);
    if (reason !== undefined) context.skip(name, reason);
    else contenders.push(contender);
  }
  return contenders;
}

async function loadOne(name, seed) {
  const notes = [];
  try {
    const { load, mostEntries = Infinity, anyKeySize = false } = await CONTENDERS[name]();
    const open = await load({ seed, note: (text) => notes.push(text) });
    return { notes, contender: { name, mostEntries, anyKeySize, open } };
  } catch (error) {
    // Without our own there is nothing to compare with.
    if (name === "bpfmap") throw error;
    return { notes, reason: error.message };
  }
}

/**
 * An entrant for each contender that takes the size and the options.
 *
 * @param {{ size: number, seed: number, maxEntries: number, keySize: number, type?: "hash", flags?: number }} options keys are u32
 *   in the first 4 bytes of `keySize`; `type` and `flags` are for bpfmap, which is an rhash by default
 */
export function openEntrants(contenders, options, skip) {
  const entrants = [];
  for (const { name, mostEntries, anyKeySize, open } of contenders) {
    if (options.keySize !== 4 && !anyKeySize) skip(name, "has 4-byte keys");
    else if (options.size > mostEntries) {
      skip(name, `takes at most ${mostEntries} entries here, not ${options.size}`);
    } else {
      try {
        entrants.push(new Entrant(name, open, options));
      } catch (error) {
        if (name === "bpfmap") throw error;
        skip(name, `${options.size} entries: ${error.message}`);
      }
    }
  }
  return entrants;
}
