/**
 * Makes and opens KV stores.
 *
 * @module
 */
import { checkInteger } from "../arguments/integer.ts";
import { checkKnown } from "../arguments/known.ts";
import { describe } from "../arguments/mismatch.ts";
import type { CoreHost } from "../core/core_host.ts";
import type { Table } from "../core/tables/table.ts";
import { bpfError, ERRNO } from "../errors.ts";
import type { KvStore } from "./kv_store.ts";
import { type CheckedManifest, checkManifest, type Manifest } from "./manifest/manifest.ts";
import { MOST_KEYS, MOST_PAGES, PAGE_BYTES } from "./metadata.ts";
import { PlainKvStore } from "./plain_store.ts";
import { rollOut } from "./rollout/rollout.ts";
import { SharedKvStore } from "./shared_store.ts";
import { Binding } from "./store/binding.ts";
import { storeSubject } from "./store/failure.ts";

/** What {@link Host.createKvStore} makes a store from. */
export interface KvSpec<T> {
  /** At most 15 characters of `[A-Za-z0-9_.]`, for messages and listings. Default `""`. */
  readonly name?: string | undefined;
  /** The pairs that the store starts with. Without one it has plain keys, and a manifest can be rolled out later. */
  readonly manifest?: Manifest<T> | undefined;
  /** Keys are 0 to `maxKeys - 1`: 1 to 524,288, 4 bytes each. Default 1024. */
  readonly maxKeys?: number | undefined;
  /** Pages of 4096 bytes for values, 1 to 128, allocated as they are needed. Default 8. */
  readonly maxPages?: number | undefined;
}

/** What {@link Host.openKvStore} needs to know of a pinned store. */
export interface KvOpenSpec<T> {
  /** The manifest that must be in force. Without one, the pairs cannot be used until {@link KvStore.bind}. */
  readonly manifest?: Manifest<T> | undefined;
}

const NAME = /^[A-Za-z0-9_.]{0,15}$/;

function newHandle<T>(host: CoreHost, table: Table): KvStore<T> {
  const Class = host.shared ? SharedKvStore : PlainKvStore;
  const store = new Class<T>(host, table);
  host.registry.addHandle(store);
  return store;
}

function checkSpec(operation: string, spec: unknown): void {
  if (typeof spec !== "object" || spec === null) {
    throw new TypeError(`${operation}: expected an object, got ${describe(spec)}`);
  }
  // What a store was created with may be said again when it is opened.
  checkKnown(operation, spec, ["name", "manifest", "maxKeys", "maxPages"]);
}

/** Binds a new handle, or closes it. */
function boundOrClosed<T>(store: KvStore<T>, bind: () => void): KvStore<T> {
  try {
    bind();
    return store;
  } catch (error) {
    store.close();
    throw error;
  }
}

/** {@link Host.createKvStore}. */
export function createKvOn<T>(host: CoreHost, spec: KvSpec<T>): KvStore<T> {
  const operation = "createKvStore";
  checkSpec(operation, spec);
  const { name = "", manifest, maxKeys = 1024, maxPages = 8 } = spec;
  if (typeof name !== "string") {
    throw new TypeError(`${operation}: name: expected a string, got ${describe(name)}`);
  }
  const subject = storeSubject(name);
  if (!NAME.test(name)) {
    const cause = "has a name that is not up to 15 characters of A-Z a-z 0-9 _ .";
    throw bpfError(ERRNO.EINVAL, operation, subject, cause);
  }
  checkInteger(`${operation}: maxKeys`, maxKeys, 1, MOST_KEYS);
  checkInteger(`${operation}: maxPages`, maxPages, 1, MOST_PAGES);
  const checked: CheckedManifest | undefined =
    manifest === undefined ? undefined : checkManifest(operation, manifest);
  const attributes = {
    type: "kv",
    name,
    keySize: 4,
    valueSize: PAGE_BYTES,
    maxEntries: maxKeys,
    flags: 0,
    mapExtra: maxPages,
  } as const;
  host.check(operation); // a getter of the spec may have closed it
  const table = host.registry.create(attributes, operation, subject);
  try {
    const store = newHandle<T>(host, table);
    return boundOrClosed(store, () => {
      if (checked !== undefined) rollOut(store, checked);
    });
  } finally {
    host.registry.drop(table);
  }
}

/** {@link Host.openKvStore}. */
export function openKvOn<T>(host: CoreHost, table: Table, spec: KvOpenSpec<T>): KvStore<T> {
  checkSpec("openKvStore", spec);
  const { manifest } = spec;
  const checked = manifest === undefined ? undefined : checkManifest("openKvStore", manifest);
  host.check("openKvStore"); // a getter may have closed it
  const store = newHandle<T>(host, table);
  return boundOrClosed(store, () => {
    if (checked !== undefined) store.binding = Binding.of(store, "openKvStore", checked);
  });
}
