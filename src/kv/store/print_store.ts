/**
 * How KV stores print, and what they are compared by.
 *
 * @module
 */
import { type Inspect, printEntries, printList } from "../../print/inspect.ts";
import type { KvHandle } from "./handle.ts";

/** The keys that have a value, with its bytes. */
function* values(store: KvHandle): Generator<[number, Uint8Array], void, undefined> {
  for (let key = 0; key < store.keyLimit; key++) {
    const bytes = store.get(key);
    if (bytes !== undefined) yield [key, bytes];
  }
}

/** `KvStore(2) "settings" { 0 => Uint8Array(4) [ 3, 0, 0, 0 ], ... }`. */
export function inspectStore(
  store: KvHandle,
  depth: number | undefined,
  options: object,
  inspect: Inspect | undefined,
): string {
  const name = store.name === "" ? "" : ` ${JSON.stringify(store.name)}`;
  if (store.closed) return `KvStore${name} (closed)`;
  if (depth !== undefined && depth < 0) return `[KvStore${name}]`;
  const { size } = store;
  const printed = printEntries(values(store), options, inspect);
  return printList(`KvStore(${size})${name}`, printed, size - printed.length);
}

/** What `JSON.stringify(store)` gives. */
export interface StoreJson {
  readonly type: "kv";
  readonly name: string;
  readonly maxKeys: number;
  readonly maxPages: number;
  /** Keys that have a value; undefined of a store that is closed. */
  readonly size: number | undefined;
}

export function jsonOfStore(store: KvHandle): StoreJson {
  const { name, maxKeys, maxPages } = store;
  return { type: "kv", name, maxKeys, maxPages, size: store.closed ? undefined : store.size };
}

/** The values by key; of a handle that is closed, which store it was. */
export function contentsOfStore(this: KvHandle): unknown {
  return this.closed ? this.subject : new Map(values(this));
}
