/**
 * Values with a spinLock: reading and writing under it, and the flag that asks for that.
 *
 * @module
 */
import { checkNoPromise, checkPlainFunction } from "../../arguments/functions.ts";
import { checkInteger } from "../../arguments/integer.ts";
import { BPF_EXIST, BPF_F_LOCK } from "../../constants.ts";
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import { subjectOf } from "../../ops/failure.ts";
import { BpfMap } from "./bpf_map.ts";

const U32_MAX = 0xffff_ffff;

/** A map whose values may have a spinLock. */
export abstract class LockableMap<K, V> extends BpfMap<K, V> {
  /**
   * The value of a key (a copy), or undefined when it is absent.
   *
   * @param flags `BPF_F_LOCK`, when the value has a spinLock: read under it, so that no half of what {@link locked} or an update
   *   with BPF_F_LOCK writes is seen
   * @throws BpfError EINVAL for BPF_F_LOCK without a spinLock in the value, and for other flags.
   */
  abstract get(key: K, flags?: number): V | undefined;

  /** @internal Address of the value of the key at an address, 0 when absent; on shared hosts, of a copy, or an errno. */
  abstract find(handle: number, key: number): number;
  /** @internal Update and copy the value, both at addresses; 0 | errno. */
  abstract put(key: number, value: number, condition: number): number;

  /** @internal The errno for an update with BPF_EXIST of a key that is not there. */
  abstract get absent(): number;

  /** @internal Whether `freeze` was called. */
  get frozen(): boolean {
    return this.host.word(this.table.handle + this.host.layout.frozen) !== 0;
  }

  /** @internal Throws for flags that are no integer. */
  checkFlags(operation: Operation, flags: number): void {
    if (flags >>> 0 === flags) return;
    checkInteger(`${operation}: ${subjectOf(this)}: flags`, flags, 0, Number.MAX_SAFE_INTEGER);
  }

  /** @internal What the core is given as the flags of an update; or EPERM, EINVAL. */
  condition(operation: Operation, flags: number): number {
    const condition = this.table.hasLock && flags <= U32_MAX ? (flags & ~BPF_F_LOCK) >>> 0 : flags;
    // BPF_F_LOCK only says how to write, and on a plain host every write is under the lock of a single thread.
    if (condition <= BPF_EXIST) return this.host.shared ? flags : condition;
    // The kernel looks at the permission before the flags.
    if (this.frozen) this.fail(operation, ERRNO.EPERM);
    this.#refuseFlags(operation, flags);
  }

  #refuseFlags(operation: Operation, flags: number): never {
    const locked = (flags & BPF_F_LOCK) !== 0 && !this.table.hasLock;
    const cause = locked ? "has no spinLock in its value for BPF_F_LOCK" : `was given unknown flags ${flags}`;
    throw bpfError(ERRNO.EINVAL, operation, subjectOf(this), cause);
  }

  /** @internal {@link get} with flags. */
  protected getWith(key: K, flags: number): V | undefined {
    this.checkFlags("get", flags);
    if (flags !== 0 && (flags !== BPF_F_LOCK || !this.table.hasLock)) this.#refuseFlags("get", flags);
    return flags === 0 ? this.get(key) : this.getLocked(key);
  }

  /** @internal {@link get} under the value's lock. A host of one thread holds every lock already. */
  protected getLocked(key: K): V | undefined {
    return this.get(key);
  }

  /** @internal The result of a lookup that gave no address: undefined for an absent key; throws an errno. */
  protected missed(operation: Operation, errno: number): undefined {
    if (errno !== 0) this.fail(operation, errno);
    return undefined;
  }

  /**
   * Runs `fn` with the value of a key while its spinLock is held: nobody else is in `locked` for this key meanwhile, in any
   * thread, and `get` and `update` with BPF_F_LOCK wait. Calls without BPF_F_LOCK do not. Keep it short, and do not use the same
   * key with BPF_F_LOCK in it.
   *
   * @param fn gets the value (a copy) and its address, as {@link lookup} gives it. What it returns, unless undefined, becomes the
   *   value.
   * @returns what `fn` returned; undefined when the key is absent, and then `fn` was not called
   * @throws BpfError EINVAL without a spinLock in the value; {@link LockTimeoutError}; TypeError for an async function or a
   *   generator.
   * @example
   * ```ts
   * import { BPF_F_LOCK, createMap, spinLock, struct, u32 } from "bpfmap";
   *
   * const account = struct({ lock: spinLock, balance: u32, moves: u32 });
   * const accounts = createMap({ type: "hash", key: u32, value: account, maxEntries: 100 });
   * accounts.set(7, { balance: 50, moves: 0 });
   * accounts.locked(7, ({ balance, moves }) => ({ balance: balance - 20, moves: moves + 1 }));
   * console.log(accounts.get(7, BPF_F_LOCK)); // { balance: 30, moves: 1 }
   * ```
   */
  locked(key: K, fn: (value: V, address: number) => V | undefined): V | undefined {
    if (this.reading === 0 || this.writing === 0) this.refuse("locked");
    if (!this.table.hasLock) {
      throw bpfError(ERRNO.EINVAL, "locked", subjectOf(this), "has no spinLock in its value");
    }
    checkPlainFunction(`locked: ${subjectOf(this)}`, fn);
    const { host, table } = this;
    const at = this.encodeKey("locked", key);
    if (at === 0) return undefined;
    // Calls in `fn` use the scratch.
    const bytes = host.u8.slice(at, at + table.keySize);
    const address = this.lockValue(at);
    if (address === 0) return undefined;
    try {
      const result = fn(this.decodeLocked(address), address);
      checkNoPromise(`locked: ${subjectOf(this)}`, result);
      if (result !== undefined && this.writing !== 0) {
        this.encodeValue("locked", result);
        host.u8.set(bytes, host.scratch.key);
        this.writeLocked(address);
      }
      return result;
    } finally {
      this.unlockValue(address);
    }
  }

  /** @internal Takes the lock of the value of the key at an address, and enters a section: the value's address, 0 when absent. */
  protected lockValue(key: number): number {
    const address = this.find(this.writing, key);
    if (address === 0) return 0;
    this.host.core.enterSection();
    this.host.registry.sections++;
    return address;
  }

  /** @internal Ends what {@link lockValue} began. */
  protected unlockValue(_address: number): void {
    this.host.core.leaveSection();
    this.host.registry.leaveSection();
  }

  /** @internal The value of the key in the scratch, whose lock is held. */
  protected decodeLocked(address: number): V {
    return this.decodeValue("locked", this.host.view, address);
  }

  /** @internal Writes the value in the scratch over that of the key in the scratch, whose lock is held; if it is still there. */
  protected writeLocked(_address: number): void {
    const { key, value } = this.host.scratch;
    const errno = this.put(key, value, BPF_EXIST);
    if (errno !== 0 && errno !== this.absent) this.fail("locked", errno);
  }
}
