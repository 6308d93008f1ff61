/**
 * Finds out which entries a map has evicted, where the model cannot know: by asking the map for their keys. Where entries expire, an insert
 * into a full map may sweep or evict one that has expired instead, so the model knows no more than how many may have gone.
 */
import type { AddressBook } from "./address_book.ts";
import { showBytes } from "./bytes.ts";
import { expectEqual, Mismatch } from "./divergence.ts";
import type { ReferenceMap } from "./model.ts";
import type { Subject } from "./subject.ts";

export class Evictions {
  readonly #subject: Subject;
  readonly #model: ReferenceMap;
  readonly #addresses: AddressBook;

  constructor(subject: Subject, model: ReferenceMap, addresses: AddressBook) {
    this.#subject = subject;
    this.#model = model;
    this.#addresses = addresses;
  }

  /** Before an answer about a key is compared. */
  settle(key: Uint8Array): void {
    if (this.#model.unknown === 0) return;
    const entry = this.#model.entry(key);
    if (entry === undefined || this.#subject.has(key)) return;
    this.#addresses.deleted(key, entry.value);
    this.#model.evicted(key);
  }

  /** Before anything is compared that says something of all keys: as many are gone as were evicted. */
  settleAll(): void {
    if (this.#model.unknown === 0) return;
    const evicted = this.#model.unknown;
    for (const { key } of [...this.#model.entries()]) this.settle(key);
    if (this.#model.timed) this.#model.settled();
    else expectEqual("evicted keys that are gone:", evicted, evicted - this.#model.unknown);
  }

  /** After an update that has inserted a key into a full map: that key is there, and another one is not. */
  inserted(key: Uint8Array): void {
    const { victim } = this.#model;
    if (victim !== undefined) {
      if (this.#subject.has(victim.key))
        throw new Mismatch(`${showBytes(victim.key)} evicted`, this.#missing());
      this.#addresses.deleted(victim.key, victim.value);
    } else if (this.#model.exact && this.#model.timed) {
      this.settle(this.#model.oldest!.key);
      this.#model.settled();
    }
    if (!this.#subject.has(key)) throw new Mismatch("the newest key", "none");
  }

  /** What was evicted in the place of the victim. */
  #missing(): string {
    for (const { key } of this.#model.entries()) if (!this.#subject.has(key)) return showBytes(key);
    return "nothing";
  }
}
