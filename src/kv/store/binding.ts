/**
 * What a handle of a store is bound to: a manifest, and the keys of its pairs while it is in force.
 *
 * @module
 */
import { ERRNO, type Operation } from "../../errors.ts";
import { type CheckedManifest, differencesOf, mismatchError, readManifest } from "../manifest/manifest.ts";
import type { KvHandle } from "./handle.ts";

export class Binding {
  readonly manifest: CheckedManifest;
  /** Of the store, when the keys were looked up. */
  generation = -1;
  #keys: ReadonlyMap<string, number> = new Map();

  private constructor(manifest: CheckedManifest) {
    this.manifest = manifest;
  }

  /** Binds to a manifest that must be in force. */
  static of(store: KvHandle, operation: Operation, manifest: CheckedManifest): Binding {
    const binding = new Binding(manifest);
    binding.#resolve(store, operation, ERRNO.EINVAL);
    return binding;
  }

  keyOf(name: string): number {
    return this.#keys.get(name) as number;
  }

  /** Looks the keys up again, when another manifest may be in force. Throws ESTALE when one is. */
  refresh(store: KvHandle, operation: Operation): void {
    this.#resolve(store, operation, ERRNO.ESTALE);
  }

  #resolve(store: KvHandle, operation: Operation, errno: number): void {
    const { generation, text } = store.readText();
    const stored = readManifest(text);
    const differences = differencesOf(stored, this.manifest);
    if (differences.length > 0) throw mismatchError(errno, operation, store.subject, differences);
    this.#keys = new Map(stored.map(({ name, key }) => [name, key]));
    this.generation = generation;
  }
}
