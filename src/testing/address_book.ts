/** What may be relied on about addresses of values, as a checkable object. */
import { byteString, equalBytes, showBytes } from "./bytes.ts";
import type { ReferenceMap } from "./model.ts";

/** An address does not keep its promise; the message says which. */
export class AddressViolation extends Error {
  override readonly name = "AddressViolation";
}

/** Reads `length` bytes of host memory at an address; the result is used before the next call. */
export type ReadMemory = (address: number, length: number) => Uint8Array;

/**
 * Remembers the addresses that a map handed out and objects when one breaks its promise. In a section nothing moves or is
 * reused: the address of an entry stays, and after its deletion the old bytes do. The entries of a `hash` keep their address
 * until they are deleted, in sections and outside.
 */
export class AddressBook {
  readonly #model: ReferenceMap;
  readonly #read: ReadMemory;
  readonly #stable: boolean;
  /** address of entries that are in the map, by key */
  readonly #live = new Map<string, { readonly key: Uint8Array; readonly address: number }>();
  /** keys whose address was handed out in the current section */
  readonly #held = new Set<string>();
  /** entries that were deleted or have expired in the current section, by the address that was handed out in it */
  readonly #dead = new Map<number, { readonly name: string; readonly bytes: Uint8Array }>();
  #depth = 0;

  /** @param stable true for `hash`: addresses hold until the entry is deleted */
  constructor(model: ReferenceMap, read: ReadMemory, stable: boolean) {
    this.#model = model;
    this.#read = read;
    this.#stable = stable;
  }

  /** The map gave this address for a key that is in the model. Throws {@link AddressViolation}. */
  handedOut(key: Uint8Array, address: number): void {
    const name = byteString(key);
    this.#verifyLive(key, address);
    if (this.#dead.has(address)) {
      throw new AddressViolation(
        `key ${showBytes(key)} is at ${address}, where an entry was deleted in this section`,
      );
    }
    const known = this.#live.get(name);
    if (known !== undefined && known.address !== address) {
      throw new AddressViolation(`key ${showBytes(key)} moved from ${known.address} to ${address}`);
    }
    if (known === undefined && (this.#stable || this.#depth > 0)) this.#live.set(name, { key, address });
    if (this.#depth > 0) this.#held.add(name);
  }

  /** An entry has left the map; `value` is what it last held. */
  deleted(key: Uint8Array, value: Uint8Array): void {
    const name = byteString(key);
    const known = this.#live.get(name);
    if (known === undefined) return;
    this.#live.delete(name);
    if (this.#held.delete(name)) this.#dead.set(known.address, { name, bytes: value });
  }

  /** A key was inserted. One that has expired may be written in the place where it was. */
  inserted(key: Uint8Array): void {
    if (!this.#model.timed || this.#dead.size === 0) return;
    const name = byteString(key);
    for (const [address, dead] of this.#dead) if (dead.name === name) this.#dead.delete(address);
  }

  /** Every entry has left the map; call it while the model still holds them. */
  cleared(): void {
    for (const { key } of [...this.#live.values()]) this.deleted(key, this.#model.lookup(key)!);
  }

  enterSection(): void {
    this.#depth++;
  }

  /** Call it before the section ends. Throws {@link AddressViolation}. */
  leaveSection(): void {
    this.verify();
    this.#depth--;
    if (this.#depth > 0) return;
    this.#held.clear();
    this.#dead.clear();
    if (!this.#stable) this.#live.clear();
  }

  /** Reads all that is held in the current section. Throws {@link AddressViolation}. */
  verify(): void {
    for (const name of this.#held) {
      const { key, address } = this.#live.get(name)!;
      this.#verifyLive(key, address);
    }
    for (const [address, { bytes: old }] of this.#dead) {
      const bytes = this.#read(address, old.length);
      if (equalBytes(bytes, old)) continue;
      throw new AddressViolation(
        `${address} held ${showBytes(old)} when its entry was deleted and holds ${showBytes(bytes)} in the same section`,
      );
    }
  }

  #verifyLive(key: Uint8Array, address: number): void {
    const expected = this.#model.lookup(key)!;
    const bytes = this.#read(address, expected.length);
    if (equalBytes(bytes, expected)) return;
    throw new AddressViolation(
      `address ${address} of key ${showBytes(key)} holds ${showBytes(bytes)}, expected ${showBytes(expected)}`,
    );
  }
}
