/**
 * Values with a spinLock: reading and writing under it.
 *
 * @module
 */

/** A map whose values may have a spinLock. */
export interface LockableMap<K, V> {
  /**
   * The value of a key (a copy), or undefined when it is absent.
   *
   * @param flags `BPF_F_LOCK`, when the value has a spinLock: read under it, so that no half of what {@link locked} or an update
   *   with BPF_F_LOCK writes is seen
   * @throws BpfError EINVAL for BPF_F_LOCK without a spinLock in the value, and for other flags.
   */
  get(key: K, flags?: number): V | undefined;

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
  locked(key: K, fn: (value: V, address: number) => V | undefined): V | undefined;
}
