/** A map in plain JavaScript that evicts what was used longest ago, to test the kit itself; `bug` breaks one promise on purpose. */
import { byteString } from "../../src/testing/bytes.ts";
import type { ReferenceMapOptions } from "../../src/testing/index.ts";
import { PlainSubject } from "./plain_subject.ts";

export type EvictionBug =
  | "newest" // what was just inserted goes
  | "two" // a second one goes
  | "early" // one goes before the map is full
  | "none" // nothing goes: one entry too many
  | "value"; // the value of another entry changes

/** Only an LRU to the letter shows these. */
export type OrderBug =
  | "reads" // a lookup is no use
  | "writes" // an update is no use
  | "has" // `has` is a use
  | "youngest"; // the entry goes that was used last

export class EvictingSubject extends PlainSubject {
  readonly type = "lru_hash";
  readonly eviction: ReferenceMapOptions["eviction"];
  readonly #bug: EvictionBug | OrderBug | undefined;
  /** Keys, by the time of their last use. */
  readonly #order = new Map<string, Uint8Array>();

  constructor(sizes: ReferenceMapOptions, bug?: EvictionBug | OrderBug) {
    super(sizes, true, bug === "none" ? "capacity" : undefined);
    this.eviction = sizes.eviction;
    this.#bug = bug;
  }

  override update(key: Uint8Array, value: Uint8Array, flags: number): number {
    const present = super.has(key);
    const inserts = !present && flags <= 1;
    const room = this.maxEntries + (this.#bug === "none" ? 1 : this.#bug === "early" ? -1 : 0);
    if (inserts && this.size >= room) {
      this.#evict();
      if (this.#bug === "two") this.#evict();
    }
    const errno = super.update(key, value, flags);
    if (errno !== 0) return errno;
    if (!present || this.#bug !== "writes") this.#use(key);
    if (inserts && this.#bug === "newest" && this.size === this.maxEntries) super.delete(key);
    return 0;
  }

  override lookup(key: Uint8Array): Uint8Array | undefined {
    const value = super.lookup(key);
    if (value !== undefined && this.#bug !== "reads") this.#use(key);
    return value;
  }

  override has(key: Uint8Array): boolean {
    if (super.has(key) && this.#bug === "has") this.#use(key);
    return super.has(key);
  }

  #use(key: Uint8Array): void {
    const name = byteString(key);
    this.#order.delete(name);
    this.#order.set(name, key.slice());
  }

  #evict(): void {
    const keys = [...this.#order.values()].filter((key) => super.has(key));
    if (this.#bug === "youngest") keys.reverse();
    const [victim, other] = keys;
    if (victim === undefined) return;
    this.#order.delete(byteString(victim));
    super.delete(victim);
    if (this.#bug === "value" && other !== undefined) super.update(other, new Uint8Array(this.valueSize), 2);
  }
}
