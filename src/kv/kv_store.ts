/**
 * KV stores with what makes pairs of their keys: manifests, and their rollout.
 *
 * @module
 */
import { describe } from "../arguments/mismatch.ts";
import { bpfError, ERRNO, type Operation } from "../errors.ts";
import { checkManifest, type Manifest } from "./manifest/manifest.ts";
import type { KvPair } from "./pair.ts";
import { type Plan, planOf } from "./rollout/plan.ts";
import { rollOut } from "./rollout/rollout.ts";
import { Binding } from "./store/binding.ts";
import { StoreHandle } from "./store/store_handle.ts";

/**
 * A handle of a KV store. Keys are 0 to `maxKeys - 1`, values 1 to 4096 bytes; no value lies across two pages. A store with a manifest
 * also has pairs with names and types, `T`.
 *
 * Every method throws BpfError EBADF once the store or its host is closed, TypeError for what is no number or no Uint8Array, EINVAL for a key
 * that the store does not have. A call that throws has changed nothing.
 *
 * @example
 * ```ts
 * import { createHost } from "bpfmap";
 *
 * const host = createHost();
 * const store = host.createKvStore({ maxKeys: 16, maxPages: 1 });
 * store.put(3, new TextEncoder().encode("three"));
 * console.log(new TextDecoder().decode(store.get(3))); // three
 * console.log(store.delete(3), store.get(3), store.size); // true undefined 0
 * ```
 */
export abstract class KvStore<T = unknown> extends StoreHandle {
  /**
   * The pair of a name. Look it up once: the name becomes an integer key here, and costs nothing when the pair is used.
   *
   * @throws BpfError ENOENT for a name that the manifest does not have, or a handle without a manifest; {@link ManifestMismatchError}
   *   ESTALE when the manifest of this handle is no longer in force.
   */
  abstract pair<N extends keyof T & string>(name: N): KvPair<T[N]>;

  /**
   * The values of all pairs as of one moment. On a shared host, too: no write of another thread, and no rollout, comes in between.
   *
   * @throws BpfError ENOENT for a handle without a manifest; {@link ManifestMismatchError} ESTALE when its manifest is no longer in force.
   */
  abstract read(): { [N in keyof T]: T[N] };

  /**
   * Binds this handle to a manifest that is in force: in a thread that goes on after another one has rolled it out.
   *
   * @returns this handle, of the types of that manifest
   * @throws {@link ManifestMismatchError} EINVAL with all differences when it is not in force; the handle is bound as before then.
   */
  bind<N>(manifest: Manifest<N>): KvStore<N> {
    this.check("kv.bind");
    this.binding = Binding.of(this, "kv.bind", checkManifest("kv.bind", manifest));
    return this as unknown as KvStore<N>;
  }

  /**
   * What {@link rollout} would do, without doing it.
   *
   * @throws as {@link rollout}, but for what only shows when it runs
   */
  plan<N>(next: Manifest<N, T>): Plan {
    this.check("kv.plan");
    return planOf(this, "kv.plan", checkManifest("kv.plan", next));
  }

  /**
   * Puts another manifest in force, at once for all readers: pairs that are new get their defaults, pairs of another layout or version the
   * values that their conversion makes of the old ones, and pairs that are gone go. Old and new values are there side by side until all
   * of it is done, and the old ones go on being used; a value that is written meanwhile is converted again. When anything throws or the thread
   * dies, the old manifest stays in force, and the same rollout can be made again.
   *
   * This handle is bound to the new manifest afterwards. Pairs of the old one throw {@link ManifestMismatchError} ESTALE, until an undo.
   * What the plan before has retained for its undo is freed at the start.
   *
   * @param next with a `convert` for each pair whose new layout or version does not follow from the old one by itself
   * @returns what was done, to look at or to undo; an empty plan when the manifest is in force already
   * @throws TypeError for pairs without the `convert` that they need; what a `convert` throws; BpfError ENOSPC when pages or keys do not
   *   suffice for old and new values side by side; EBUSY inside of a `convert`; EAGAIN when a `convert` never stops writing to its own source;
   *   LockTimeoutError when another thread's rollout takes longer than the host's `lockTimeout`.
   * @example
   * ```ts
   * import { createHost, f64, u32 } from "bpfmap";
   *
   * const host = createHost();
   * const store = host.createKvStore({ manifest: { pairs: { limit: { codec: u32, default: 250 }, hits: { codec: u32 } } } });
   * const plan = store.rollout({
   *   pairs: {
   *     limit: { codec: f64, convert: (old) => old / 1000, revert: (value) => Math.round(value * 1000) },
   *     hits: { codec: u32 },
   *   },
   * });
   * console.log(plan.steps.map(({ action, name, undo }) => [action, name, undo])); // [ [ 'convert', 'limit', 'reverted' ] ]
   * console.log(store.pair("limit").get()); // 0.25
   * plan.undo();
   * console.log(store.pair("limit").get()); // 250
   * ```
   */
  rollout<N>(next: Manifest<N, T>): Plan {
    this.check("kv.rollout");
    return rollOut(this, checkManifest("kv.rollout", next));
  }

  /** @internal The binding of the pairs of this handle. */
  protected bound(operation: Operation): Binding {
    this.check(operation);
    if (this.binding === undefined) {
      throw bpfError(ERRNO.ENOENT, operation, this.subject, "was opened without a manifest", "bind() one");
    }
    return this.binding;
  }

  /** @internal The bound pair of a name. */
  protected boundPair(name: unknown) {
    const binding = this.bound("kv.pair");
    if (typeof name !== "string") {
      throw new TypeError(`kv.pair: ${this.subject}: expected a name, got ${describe(name)}`);
    }
    const pair = binding.manifest.get(name);
    if (pair === undefined) {
      const names = [...binding.manifest.keys()].map((known) => JSON.stringify(known)).join(", ");
      const cause = `has no pair ${JSON.stringify(name)} in its manifest, but ${names === "" ? "none" : names}`;
      throw bpfError(ERRNO.ENOENT, "kv.pair", this.subject, cause);
    }
    if (binding.generation !== this.generation) binding.refresh(this, "kv.pair");
    return { binding, pair };
  }
}
