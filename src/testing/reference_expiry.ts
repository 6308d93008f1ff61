/** When entries of the model expire, on a clock that only operations move. */

/** ms that a unit of expiry has in a map that does not say. */
const DEFAULT_RESOLUTION = 10;
/** A read renews an expiry when that makes it later by this part of the ttl. */
const RENEW_SHIFT = 4;

/** What a map says of expiry; see the map spec. */
export interface ReferenceExpiryOptions {
  /** ms until an entry expires, 0 for never; without it, entries have no expiry at all */
  readonly ttl?: number | undefined;
  /** ms in a unit of expiry, by default 10 */
  readonly ttlResolution?: number | undefined;
  /** whether a read lets the ttl of an entry begin anew; default false */
  readonly updateAgeOnGet?: boolean | undefined;
}

/** The rules by which entries expire: an expiry is a number of units, rounded up, and 0 for never. */
export class ReferenceExpiry {
  readonly #unit: number;
  readonly #ttl: number;
  readonly #renews: boolean;
  /** ms since the map was made */
  #now = 0;

  constructor({
    ttl = 0,
    ttlResolution = DEFAULT_RESOLUTION,
    updateAgeOnGet = false,
  }: ReferenceExpiryOptions) {
    this.#unit = ttlResolution;
    this.#ttl = ttl;
    this.#renews = updateAgeOnGet;
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  /** Of an entry that is written now. */
  of(ttl = this.#ttl): number {
    return ttl === 0 ? 0 : Math.ceil((this.#now + ttl) / this.#unit);
  }

  /** Of one that is read now. */
  renewed(expiry: number): number {
    if (!this.#renews || expiry === 0) return expiry;
    const later = this.of();
    return later - expiry > Math.floor(this.#ttl / this.#unit) >> RENEW_SHIFT ? later : expiry;
  }

  hasPassed(expiry: number): boolean {
    return expiry !== 0 && expiry <= Math.floor(this.#now / this.#unit);
  }

  /** ms until then. */
  remaining(expiry: number): number {
    return expiry === 0 ? Number.POSITIVE_INFINITY : expiry * this.#unit - this.#now;
  }
}
