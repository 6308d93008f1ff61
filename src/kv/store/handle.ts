/**
 * A KV store as what stands below its class knows it: bindings, errors, and how it prints.
 *
 * @module
 */
import type { CoreHost } from "../../core/core_host.ts";
import type { StoredPair } from "../manifest/manifest.ts";

/** See {@link StoreHandle}. */
export interface KvHandle {
  readonly host: CoreHost;
  readonly name: string;
  /** How messages call it. */
  readonly subject: string;
  readonly maxKeys: number;
  readonly maxPages: number;
  readonly closed: boolean;
  /** Keys while the store is open, else 0. */
  readonly keyLimit: number;
  /** Keys that have a value. */
  readonly size: number;
  get(key: number): Uint8Array | undefined;
  /** The pair that a key belongs to. */
  pairOf(key: number): StoredPair | undefined;
  /** The manifest in force as a text, and its generation. */
  readText(): { generation: number; text: Uint8Array };
}
