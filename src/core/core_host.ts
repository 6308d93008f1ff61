/**
 * A host as its maps know it: its memory, its tables, sections. What makes maps stands above (host/host.ts).
 *
 * @module
 */
import { checkNoPromise, checkPlainFunction } from "../arguments/functions.ts";
import { describe } from "../arguments/mismatch.ts";
import { bpfError, ERRNO, type Operation } from "../errors.ts";
import { hide } from "../print/hidden.ts";
import { Alarm, STANDING } from "./alarm.ts";
import type { Clock } from "./clock.ts";
import { CoreMemory } from "./memory/core_memory.ts";
import { ExpiryClock, SharedExpiryClock } from "./memory/expiry_clock.ts";
import { Scratch } from "./memory/scratch.ts";
import { lockTimeout, sharedCore } from "./memory/shared_core.ts";
import type { Seat } from "./seat.ts";
import type { AnyMapType } from "./tables/map_types.ts";
import type { Registry } from "./tables/registry.ts";
import { tableBytes, tableEntries } from "./tables/stats.ts";

/** One map, or KV store, in {@link HostMemory}. */
export interface MapMemory {
  readonly id: number;
  readonly name: string;
  /** `"kv"`: a KV store. */
  readonly type: AnyMapType | "kv";
  /** Bytes of the table with all its structures. */
  readonly bytes: number;
  /** Of a KV store, keys with a value. */
  readonly entries: number;
}

/** Result of {@link Host.memoryUsage}. */
export interface HostMemory {
  /** Bytes of everything allocated in host memory: tables, batches, and the scratch that calls share. */
  readonly bytes: number;
  /** Bytes the linear memory may grow to. */
  readonly limit: number;
  readonly maps: readonly MapMemory[];
}

/** Buckets of each map whose entries expire that a tick looks at. */
const SWEPT_AT_TICK = 64;

/** What {@link BpfMap.host} is. The views show the whole memory: see {@link Host}. */
export class CoreHost extends CoreMemory {
  /** @internal */
  declare readonly clock: Clock;
  /** @internal What is to be done by the clock. */
  declare readonly alarm: Alarm;
  /** @internal What is to be done after the current task. */
  declare readonly work: Alarm;
  /** @internal */
  declare readonly expiry: ExpiryClock;
  /** @internal */
  declare readonly scratch: Scratch;
  /** @internal */
  declare readonly registry: Registry;

  /** @internal */
  constructor(seat: Seat) {
    super(seat);
    hide<CoreHost>(this, { clock: seat.clock, scratch: new Scratch(this) });
    const Expiry = seat.shared ? SharedExpiryClock : ExpiryClock;
    hide<CoreHost>(this, { expiry: new Expiry(this, seat.clock) });
    hide<CoreHost>(this, { registry: new seat.Tables(this, seat.seed) });
    hide<CoreHost>(this, { alarm: new Alarm(seat.clock), work: new Alarm(STANDING) });
  }

  /**
   * Runs `fn`; nothing that an address of {@link HashMap.lookup} points at moves or is reused until it returns (an RCU read
   * side). Sections nest. An rhash postpones its resize meanwhile.
   *
   * @returns what `fn` returns
   * @throws TypeError when `fn` is async, a generator, or returns a promise: it would go on after the section's end.
   * @example
   * ```ts
   * import { createHost, u32 } from "bpfmap";
   *
   * const host = createHost();
   * const map = host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 1000 });
   * map.set(1, 5);
   * host.section(() => {
   *   const address = map.lookup(1);
   *   for (let key = 2; key < 100; key++) map.set(key, 0);
   *   host.u32[address >>> 2]++;
   * });
   * console.log(map.get(1)); // 6
   * ```
   */
  section<T>(fn: () => T): T {
    this.check("section");
    checkPlainFunction("section", fn);
    this.core.enterSection();
    this.registry.sections++;
    let result: T;
    try {
      result = fn();
    } finally {
      this.core.leaveSection();
      this.registry.leaveSection();
    }
    checkNoPromise("section", result);
    return result;
  }

  /**
   * Waits until every section that is open now, in any thread, has ended (`synchronize_rcu`): what was deleted before is out of
   * everybody's sight then.
   *
   * @throws BpfError EDEADLK inside a section of this host; {@link LockTimeoutError} when one does not end in time.
   * @example
   * ```ts
   * import { BpfError, createHost } from "bpfmap";
   *
   * const host = createHost();
   * host.synchronize();
   * try {
   *   host.section(() => host.synchronize());
   * } catch (error) {
   *   if (!(error instanceof BpfError)) throw error;
   *   console.log(error.code); // EDEADLK
   * }
   * ```
   */
  synchronize(): void {
    this.check("synchronize");
    const inside = this.registry.sections > 0;
    const errno = inside ? ERRNO.EDEADLK : this.shared ? sharedCore(this).synchronize() : 0;
    if (errno === ERRNO.EDEADLK) {
      const cause = "is in a section of this thread, which would wait for its own end";
      throw bpfError(errno, "synchronize", "the host", cause, "call it outside");
    }
    if (errno !== 0) throw lockTimeout(this, "synchronize", "a section");
  }

  /**
   * Moves the host's clock on, and does what is due by then. With a `clock` of your own ({@link createHost}) nothing else does; without
   * one, it need not be called. The clock never goes back: a time that is past changes nothing.
   *
   * @param now ms, by default what the clock shows
   * @throws TypeError for what is no number; what the clock throws
   * @example
   * ```ts
   * import { createHost } from "bpfmap";
   *
   * let now = 0;
   * const host = createHost({ clock: () => now });
   * now = 1000;
   * host.tick(); // what was due within the first second is done
   * ```
   */
  tick(now?: number): void {
    this.check("tick");
    if (now !== undefined && !(typeof now === "number" && Number.isFinite(now))) {
      throw new TypeError(`tick: now: expected ms as a number, got ${describe(now)}`);
    }
    const time = now === undefined ? this.clock.now() : this.clock.advance(now);
    this.expiry.tick(time);
    for (const { handle, expiry } of this.registry.all()) {
      if (expiry !== undefined) this.core.sweepExpired(handle, SWEPT_AT_TICK);
    }
    this.alarm.run(time);
  }

  /**
   * Exact bytes in use, every structure counted; 0 when all maps are closed.
   *
   * @example
   * ```ts
   * import { createHost, u32 } from "bpfmap";
   *
   * const host = createHost();
   * const map = host.createMap({ type: "rhash", name: "m", key: u32, value: u32, maxEntries: 100 });
   * map.set(1, 1);
   * console.log(host.memoryUsage().maps[0].entries); // 1
   * map.close();
   * console.log(host.memoryUsage().bytes); // 0
   * ```
   */
  memoryUsage(): HostMemory {
    this.check("memoryUsage");
    const bytes = this.core.bytesInUse() >>> 0;
    const maps: MapMemory[] = [];
    for (const { id, name, type, handle } of this.registry.all()) {
      maps.push({ id, name, type, bytes: tableBytes(this, handle), entries: tableEntries(this, handle) });
    }
    return { bytes, limit: this.limit, maps };
  }

  /** @internal Throws EBADF when the host is closed. */
  check(operation: Operation): void {
    if (this.closed) throw bpfError(ERRNO.EBADF, operation, "the host", "is closed");
  }
}
