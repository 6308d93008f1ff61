/**
 * The word of a host's memory that expiry goes by: ms since the host's first map with a ttl (assembly/table/notes/expiry.ts). On a shared host
 * every thread raises it, and all go by it. To ask the system
 * what time it is takes longer than a `get`. So a call that reads goes by the word, which is written anew
 *
 * - by the first call on a map with a ttl in a turn of the event loop: a timer, which keeps no process alive, says when there was another,
 * - by each 64th call within one,
 * - by each call that writes, since what it writes is not to expire early,
 * - by `host.tick`.
 *
 * A clock of the caller's is read by `host.tick` alone, so that the same calls give the same bytes.
 *
 * @module
 */
import { HOST_CLOCK, HOST_ORIGIN } from "../../generated/abi.js";
import type { CoreMemory } from "./core_memory.ts";
import { sharedCore } from "./shared_core.ts";

/** What tells the time. */
interface Time {
  /** Whether time passes by itself. */
  readonly passes: boolean;
  now(): number;
}

/** Calls that go by the word until it is written anew. */
const MOST_CALLS = 64;
/** The same where nothing but `tick` writes it. */
const MANY_CALLS = 2 ** 30;
const INDEX = HOST_CLOCK >>> 3;

export class ExpiryClock {
  /** Calls that may still go by the word. */
  left = MANY_CALLS;
  /** Whether calls that write ask the system. */
  isLive = false;
  protected readonly host: CoreMemory;
  readonly #clock: Time;
  #origin: number | undefined;
  #resolution = 0;
  #isWaiting = false;

  constructor(host: CoreMemory, clock: Time) {
    this.host = host;
    this.#clock = clock;
  }

  /** A map is there whose entries expire, in units of so many ms. */
  open(resolution: number): void {
    if (!this.hasOrigin) this.begin(this.#clock.now());
    this.#resolution = this.#resolution === 0 ? resolution : Math.min(this.#resolution, resolution);
    if (!this.#clock.passes || this.isLive) return;
    this.isLive = true;
    this.left = 0;
  }

  /** Before a call that reads. */
  touch(): void {
    if (--this.left < 0) this.#refresh();
  }

  /** Before a call that writes. */
  renew(): void {
    if (this.isLive) this.raise(this.#clock.now());
  }

  /** The clock of the host has been moved on. */
  tick(now: number): void {
    this.raise(now);
  }

  /** ms since the origin, as the word has it. */
  get word(): number {
    return this.host.f64[INDEX];
  }

  #refresh(): void {
    this.left = MANY_CALLS;
    if (!this.isLive) return;
    this.raise(this.#clock.now());
    this.left = MOST_CALLS;
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    const timer = setTimeout(() => {
      this.#isWaiting = false;
      this.left = 0;
    }, this.#resolution);
    // A process that has nothing else to do need not wait for it. Browsers have a number here.
    (timer as { unref?(): void }).unref?.();
  }

  protected get hasOrigin(): boolean {
    return this.#origin !== undefined;
  }

  /** Times count from now on. */
  protected begin(now: number): void {
    this.#origin = now;
  }

  /** Moves the word on to a time. */
  protected raise(now: number): void {
    if (this.#origin === undefined) return;
    const { f64 } = this.host;
    const time = now - this.#origin;
    if (time > f64[INDEX]) f64[INDEX] = time;
  }
}

/** That of a thread of a shared host: the origin is in the memory, too, and the core raises the word (assembly/table/notes/shared_clock.ts). */
export class SharedExpiryClock extends ExpiryClock {
  protected override get hasOrigin(): boolean {
    return (this.host.word(HOST_ORIGIN) | this.host.word(HOST_ORIGIN + 4)) !== 0;
  }

  protected override begin(now: number): void {
    sharedCore(this.host).openClock(now);
  }

  protected override raise(now: number): void {
    sharedCore(this.host).raiseClock(now);
  }
}
