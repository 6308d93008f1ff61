/** The contract of scans as an object: feed it what a scan returns and it objects when a promise is broken. */
import { byteString, equalBytes, showBytes } from "./bytes.ts";
import type { ReferenceMap } from "./model.ts";

/** A scan has broken its contract; the message says which key and how. */
export class ScanViolation extends Error {
  override readonly name = "ScanViolation";
}

/**
 * Checks one scan, drain or iteration from its start to its end, whatever happens to the map in between:
 * an entry present from the start to the end is returned exactly once, no key is returned twice, and whatever is returned
 * is in the map at that moment, with that value. An entry inserted after the start may be returned or not.
 *
 * Make it when the scan starts, call {@link returned} for every entry and {@link ended} at the end. A drain calls
 * `returned` before it removes the entry from the model.
 *
 * @example
 * ```ts
 * import { ReferenceMap, ScanChecker } from "bpfmap/testing";
 * const model = new ReferenceMap({ keySize: 1, valueSize: 1, maxEntries: 8 });
 * model.update(Uint8Array.of(1), Uint8Array.of(9), 0);
 * const checker = new ScanChecker(model);
 * try {
 *   checker.ended(); // a scan that ends without key 1
 * } catch (violation) {
 *   console.log(String(violation));
 *   // ScanViolation: the scan missed key 01, which was present from its start to its end
 * }
 * ```
 */
export class ScanChecker {
  readonly #model: ReferenceMap;
  readonly #start: number;
  readonly #seen = new Set<string>();

  constructor(model: ReferenceMap) {
    this.#model = model;
    this.#start = model.time;
  }

  /** How many entries the scan has returned. */
  get count(): number {
    return this.#seen.size;
  }

  /** The scan returned an entry. Throws {@link ScanViolation}. `value` is left out by scans of keys alone. */
  returned(key: Uint8Array, value?: Uint8Array): void {
    const expected = this.#model.lookup(key);
    if (expected === undefined)
      throw new ScanViolation(`the scan returned key ${showBytes(key)}, which is not in the map`);
    if (value !== undefined && !equalBytes(value, expected)) {
      throw new ScanViolation(
        `the scan returned key ${showBytes(key)} with value ${showBytes(value)}, expected ${showBytes(expected)}`,
      );
    }
    const name = byteString(key);
    if (this.#seen.has(name)) throw new ScanViolation(`the scan returned key ${showBytes(key)} twice`);
    this.#seen.add(name);
  }

  /** The scan says that it has ended. Throws {@link ScanViolation} when it missed an entry that it owed. */
  ended(): void {
    for (const entry of this.#model.entries()) {
      if (entry.born > this.#start || this.#seen.has(byteString(entry.key))) continue;
      throw new ScanViolation(
        `the scan missed key ${showBytes(entry.key)}, which was present from its start to its end`,
      );
    }
  }
}
