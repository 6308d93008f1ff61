/**
 * Manifests: the pairs of a store by name, with their layouts. As JavaScript writes them, as a store keeps them in its memory, and
 * what is different between the two.
 *
 * @module
 */
import { checkInteger } from "../../arguments/integer.ts";
import { checkKnown } from "../../arguments/known.ts";
import { describe, within } from "../../arguments/mismatch.ts";
import { type Codec, isCodec } from "../../codec/codec.ts";
import { specialIn } from "../../codec/special_fields.ts";
import { BpfError, bpfError, damagedError, ERRNO, type Operation } from "../../errors.ts";
import { PAGE_BYTES } from "../metadata.ts";

/** One pair of a {@link Manifest}: values of type `V`, which were of type `From` in the manifest before. */
export interface PairSpec<V, From = unknown> {
  /** Layout of the value, 1 to 4096 bytes. */
  readonly codec: Codec<V>;
  /** What the pair starts as; zeros without it. */
  readonly default?: NoInfer<V>;
  /** What the bytes mean, when the layout alone does not tell. 0 to 2^31 - 1; default 1. */
  readonly version?: number;
  /** Makes the value of this pair from that of the pair of the same name in the manifest before. */
  convert?(old: From): NoInfer<V>;
  /** The way back, for an undo that keeps what was written since the rollout. */
  revert?(value: NoInfer<V>): From;
}

/** Named, typed pairs: the names and types in `T`; `Old` are those of the manifest before, which conversions come from. */
export interface Manifest<T, Old = unknown> {
  readonly pairs: { readonly [N in keyof T]: PairSpec<T[N], N extends keyof Old ? Old[N] : unknown> };
}

/** A pair as a store has it in its memory. */
export interface StoredPair {
  readonly name: string;
  /** The codec's name, which says the layout: `u32`, `struct { a: u32, b: u64 }`. */
  readonly layout: string;
  /** Bytes. */
  readonly size: number;
  readonly version: number;
  /** The integer key that the name stands for. */
  readonly key: number;
}

/** A pair of a manifest that was checked. */
export interface CheckedPair extends Omit<StoredPair, "key"> {
  readonly codec: Codec<unknown>;
  /** The bytes that it starts with. */
  readonly initial: Uint8Array<ArrayBuffer>;
  /** Whether these come from a default of the manifest. */
  readonly hasDefault: boolean;
  readonly convert: ((old: unknown) => unknown) | undefined;
  readonly revert: ((value: unknown) => unknown) | undefined;
}

export type CheckedManifest = ReadonlyMap<string, CheckedPair>;

/** One difference of {@link ManifestMismatchError}. */
export interface ManifestDifference {
  readonly name: string;
  /** In words, `u32 (4 bytes), version 1`; undefined when the store has no such pair. */
  readonly stored: string | undefined;
  /** The same of the manifest that was given. */
  readonly given: string | undefined;
}

/**
 * The manifest given is not the one in force: EINVAL when a store is opened or bound, ESTALE when the manifest that a handle is bound to
 * has given way to another. The message lists every difference, both sides of it.
 *
 * @example
 * ```ts
 * import { createHost, ManifestMismatchError, u32, u64 } from "bpfmap";
 *
 * const host = createHost();
 * const store = host.createKvStore({ name: "limits", manifest: { pairs: { rate: { codec: u32 }, burst: { codec: u32 } } } });
 * host.pin("/limits", store);
 * try {
 *   host.openKvStore("/limits", { manifest: { pairs: { rate: { codec: u64 }, window: { codec: u32 } } } });
 * } catch (error) {
 *   if (!(error instanceof ManifestMismatchError)) throw error;
 *   console.log(error.differences.map(({ name }) => name)); // [ 'rate', 'burst', 'window' ]
 *   console.log(error.differences[0].stored, "|", error.differences[0].given);
 *   // u32 (4 bytes), version 1 | u64 (8 bytes), version 1
 * }
 * ```
 */
export class ManifestMismatchError extends BpfError {
  /** In the order of the store's pairs, then those that it does not have. */
  readonly differences: readonly ManifestDifference[];

  constructor(
    errno: number,
    operation: Operation,
    message: string,
    differences: readonly ManifestDifference[],
  ) {
    super(errno, operation, message);
    this.name = "ManifestMismatchError";
    this.differences = differences;
  }
}

/** A layout in words. */
export function describePair({ layout, size, version }: Omit<StoredPair, "key">): string {
  return `${layout} (${size} ${size === 1 ? "byte" : "bytes"}), version ${version}`;
}

/** Whether two pairs hold the same. */
export function isSame(a: Omit<StoredPair, "key">, b: Omit<StoredPair, "key">): boolean {
  return a.layout === b.layout && a.size === b.size && a.version === b.version;
}

/** All differences between what a store has and what was given. */
export function differencesOf(
  stored: readonly StoredPair[],
  given: CheckedManifest,
): readonly ManifestDifference[] {
  const differences: ManifestDifference[] = [];
  const known = new Set<string>();
  for (const pair of stored) {
    known.add(pair.name);
    const other = given.get(pair.name);
    if (other !== undefined && isSame(pair, other)) continue;
    differences.push({ name: pair.name, stored: describePair(pair), given: other && describePair(other) });
  }
  for (const pair of given.values()) {
    if (!known.has(pair.name))
      differences.push({ name: pair.name, stored: undefined, given: describePair(pair) });
  }
  return differences;
}

/** Builds every {@link ManifestMismatchError}. */
export function mismatchError(
  errno: number,
  operation: Operation,
  subject: string,
  differences: readonly ManifestDifference[],
): ManifestMismatchError {
  const lines = differences.map(
    ({ name, stored, given }) =>
      `\n  ${JSON.stringify(name)}: the store has ${stored ?? "no such pair"}, the manifest ${given ?? "no such pair"}`,
  );
  const cause = `has another manifest in force, ${lines.length} ${lines.length === 1 ? "difference" : "differences"}`;
  const { message } = bpfError(errno, operation, subject, cause);
  return new ManifestMismatchError(errno, operation, `${message}:${lines.join("")}`, differences);
}

/** Encodes the value of a pair into bytes of its own. */
export function encodePair(what: string, pair: Pick<CheckedPair, "codec" | "size">, value: unknown) {
  const bytes = new Uint8Array(pair.size);
  try {
    pair.codec.encode(value, new DataView(bytes.buffer), 0);
  } catch (error) {
    throw within(what, error);
  }
  return bytes;
}

function checkFunction(what: string, fn: unknown): ((value: unknown) => unknown) | undefined {
  if (fn === undefined || typeof fn === "function") return fn as ((value: unknown) => unknown) | undefined;
  throw new TypeError(`${what}: expected a function, got ${describe(fn)}`);
}

function checkPair(operation: Operation, name: string, spec: unknown): CheckedPair {
  const what = `${operation}: manifest: ${JSON.stringify(name)}`;
  if (name === "") throw new TypeError(`${operation}: manifest: expected names that are not empty`);
  if (typeof spec !== "object" || spec === null) {
    throw new TypeError(`${what}: expected { codec, default, version }, got ${describe(spec)}`);
  }
  checkKnown(what, spec, ["codec", "default", "version", "convert", "revert"]);
  const { codec, default: initial, version = 1, convert, revert } = spec as PairSpec<unknown>;
  if (!isCodec(codec)) throw new TypeError(`${what}: codec: expected a codec, got ${describe(codec)}`);
  const special = specialIn(codec);
  if (special !== undefined) throw new TypeError(`${what}: codec: a ${special} is only for values of maps`);
  const { size, name: layout } = codec;
  if (size > PAGE_BYTES) {
    const cause = `may have values of at most ${PAGE_BYTES} bytes, ${layout} of ${JSON.stringify(name)} has ${size}`;
    throw bpfError(ERRNO.E2BIG, operation, "a pair", cause);
  }
  return {
    name,
    layout,
    size,
    version: checkInteger(`${what}: version`, version, 0, 2 ** 31 - 1),
    codec,
    initial:
      initial === undefined ? new Uint8Array(size) : encodePair(`${what}: default`, { codec, size }, initial),
    hasDefault: initial !== undefined,
    convert: checkFunction(`${what}: convert`, convert),
    revert: checkFunction(`${what}: revert`, revert),
  };
}

/** Checks a manifest of the caller's. */
export function checkManifest(operation: Operation, manifest: unknown): CheckedManifest {
  const pairs = (manifest as { readonly pairs?: unknown } | null | undefined)?.pairs;
  if (typeof pairs !== "object" || pairs === null) {
    throw new TypeError(
      `${operation}: manifest: expected { pairs: { name: { codec } } }, got ${describe(manifest)}`,
    );
  }
  checkKnown(`${operation}: manifest`, manifest as object, ["pairs"]);
  return new Map(Object.entries(pairs).map(([name, spec]) => [name, checkPair(operation, name, spec)]));
}

/** The text that a store keeps of its pairs. */
export function writeManifest(pairs: readonly StoredPair[]): Uint8Array {
  const rows = pairs.map(({ name, layout, size, version, key }) => [name, layout, size, version, key]);
  return new TextEncoder().encode(JSON.stringify(rows));
}

type Row = [name: string, layout: string, size: number, version: number, key: number];

export function readManifest(bytes: Uint8Array): StoredPair[] {
  if (bytes.length === 0) return [];
  let rows: Row[];
  try {
    rows = JSON.parse(new TextDecoder().decode(bytes)) as Row[];
  } catch (error) {
    // What `writeManifest` wrote is JSON.
    throw damagedError("kv.bind", "the manifest of a KV store", error);
  }
  return rows.map(([name, layout, size, version, key]) => ({ name, layout, size, version, key }));
}
