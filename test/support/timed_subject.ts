/** A map in plain JavaScript whose entries expire, to test the kit itself; `bug` breaks one promise on purpose. */
import { BPF_ANY } from "../../src/constants.ts";
import type { ReferenceMapOptions, ScanStep } from "../../src/testing/index.ts";
import { PlainSubject } from "./plain_subject.ts";

export type ExpiryBug =
  | "early" // an entry goes a ms early, now and then by a unit
  | "late" // an entry stays a unit longer
  | "never" // time stands still
  | "ttl" // an entry has the ttl of the map, whatever is said
  | "stays" // an update leaves the expiry as it is
  | "remains" // remainingTtl tells another time
  | "size" // an entry that has expired counts even when all was swept
  | "filter"; // a filter does not see the last entry

export class TimedSubject extends PlainSubject {
  readonly #bug: ExpiryBug | undefined;
  readonly #unit: number;
  #expired = 0;

  constructor(sizes: ReferenceMapOptions, bug?: ExpiryBug) {
    super(sizes, true);
    this.#bug = bug;
    this.#unit = sizes.ttlResolution ?? 10;
    if (bug === "early") super.advance(1);
  }

  override get size(): number {
    return super.size + (this.#bug === "size" && this.#expired > 0 ? 1 : 0);
  }

  override update(key: Uint8Array, value: Uint8Array, flags: number, ttl?: number): number {
    const left = super.remainingTtl(key);
    if (this.#bug === "ttl") return super.update(key, value, flags);
    if (this.#bug === "stays" && left > this.#unit && Number.isFinite(left))
      return super.update(key, value, flags, left - this.#unit);
    if (this.#bug === "late") return super.update(key, value, flags, (ttl ?? this.ttl ?? 0) + this.#unit);
    return super.update(key, value, flags, ttl);
  }

  override remainingTtl(key: Uint8Array): number {
    return super.remainingTtl(key) + (this.#bug === "remains" ? 1 : 0);
  }

  override advance(ms: number): void {
    const before = super.size;
    if (this.#bug !== "never") super.advance(ms);
    this.#expired += before - super.size;
  }

  override process(remove: number): ScanStep {
    const seen = super.process(remove);
    if (this.#bug !== "filter" || seen.keys.length === 0) return seen;
    super.update(seen.keys.at(-1)!, seen.values.at(-1)!, BPF_ANY);
    return { ...seen, keys: seen.keys.slice(0, -1), values: seen.values.slice(0, -1) };
  }
}
