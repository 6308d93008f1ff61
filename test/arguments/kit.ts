/**
 * The table of calls and of what may happen to their arguments while they run. A row is one call with one hazard. It may end with the
 * right result or with an error of the library's own; then the memory of the host must be sound, other maps must have what they had,
 * and when all is closed, no byte may be left.
 *
 * `ARGUMENTS_LIB=/path/to/dist npx vitest run test/arguments` tries the table on another build.
 */
import { pathToFileURL } from "node:url";
import type { Codec, HashMap, Host, KvStore } from "../../src/index.ts";

const other = process.env.ARGUMENTS_LIB;
const load = async (source: string, built: string) =>
  await import(
    other === undefined
      ? new URL(`../../src/${source}`, import.meta.url).href
      : pathToFileURL(`${other}/${built}`).href
  );

export const lib: typeof import("../../src/index.ts") = await load("index.ts", "index.js");
export const uapi: typeof import("../../src/uapi/index.ts") = await load("uapi/index.ts", "uapi/index.js");

const { BpfError, bytes, createHost, struct, u32, u53 } = lib;

const MAX_MEMORY = 4 * 1024 * 1024;
const WITNESSES = 40;

/** What must not happen. */
export class Harm extends Error {}

/** What code of the caller's throws of its own. */
export class Foreign extends Error {}

/** Words of errors that the engine throws where the library should have noticed before. */
const ENGINE =
  /detached|out of bounds|Invalid typed array|is not a function|Cannot read prop|Cannot convert|unreachable|memory access|offset is outside|Offset is outside|null function|not iterable/;

function isTyped(error: unknown): boolean {
  if (error instanceof Foreign || error instanceof BpfError) return true;
  if (!(error instanceof TypeError) && !(error instanceof RangeError)) return false;
  return !ENGINE.test(error.message) && !(error instanceof WebAssembly.RuntimeError);
}

/** What a row runs in: a host with other maps in it, which nothing may touch. */
export class Place {
  readonly host: Host;
  /** What the row has opened, closed at its end. */
  readonly opened: { close(): void }[] = [];
  readonly #numbers: HashMap<number, number>;
  readonly #texts: HashMap<Uint8Array, Uint8Array>;
  readonly #store: KvStore;

  constructor(shared: boolean) {
    this.host = createHost({ shared, seed: 7, cpus: 2, maxMemory: MAX_MEMORY });
    const { host } = this;
    this.#numbers = host.createMap({ type: "hash", name: "numbers", key: u32, value: u32, maxEntries: 64 });
    this.#texts = host.createMap({ type: "rhash", key: bytes(24), value: bytes(40), maxEntries: 64 });
    this.#store = host.createKvStore({ maxKeys: 64, maxPages: 2 });
    for (let i = 0; i < WITNESSES; i++) {
      this.#numbers.set(i, i * 7);
      this.#texts.set(new Uint8Array(24).fill(i), new Uint8Array(40).fill(i + 1));
      this.#store.put(i, new Uint8Array(i + 1).fill(i));
    }
  }

  open<T extends { close(): void }>(thing: T): T {
    this.opened.push(thing);
    return thing;
  }

  /** Makes a map and fills it, so that memory which was given back is in use again. */
  refill(): void {
    if (this.host.closed) return;
    for (const [key, value] of [
      [4, 4],
      [8, 64],
      [300, 3000],
    ] as const) {
      const map = this.open(
        this.host.createMap({ type: "rhash", key: bytes(key), value: bytes(value), maxEntries: 500 }),
      ) as HashMap<Uint8Array, Uint8Array>;
      for (let i = 0; i < 60; i++) map.set(new Uint8Array(key).fill(i), new Uint8Array(value).fill(i));
    }
  }

  /** Throws for harm. */
  check(): void {
    if (!this.host.closed) {
      const problems = this.host.verify();
      if (problems.length > 0) throw new Harm(`verify: ${problems[0]}`);
      for (let i = 0; i < WITNESSES; i++) {
        const text = this.#texts.get(new Uint8Array(24).fill(i));
        const value = this.#store.get(i);
        const sound =
          this.#numbers.get(i) === i * 7 &&
          text?.length === 40 &&
          text.every((byte) => byte === i + 1) &&
          value?.length === i + 1 &&
          value.every((byte) => byte === i);
        if (!sound) throw new Harm(`entry ${i} of another map is another one`);
      }
    }
    for (const thing of this.opened) thing.close();
    this.#numbers.close();
    this.#texts.close();
    this.#store.close();
    if (!this.host.closed) {
      const { bytes: left } = this.host.memoryUsage();
      if (left !== 0) throw new Harm(`${left} bytes are left`);
      this.host.close();
    }
  }
}

/** One row. `run` makes the call; what it throws is looked at, what it returns is to be right: it throws {@link Harm} otherwise. */
export interface Row {
  readonly name: string;
  readonly shared?: boolean;
  run(place: Place): void;
}

/** The harm that a row did; undefined when it did none. */
export function tryRow({ name, shared = false, run }: Row): string | undefined {
  const place = new Place(shared);
  try {
    try {
      run(place);
    } catch (error) {
      if (error instanceof Harm) throw error;
      if (!isTyped(error)) throw new Harm(`threw ${String(error)}`);
    }
    place.check();
    return undefined;
  } catch (error) {
    return `${name}${shared ? ", shared" : ""}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Tries rows, says how many did harm, and gives what they did. */
export function tryRows(what: string, rows: readonly Row[]): string[] {
  const harms: string[] = [];
  for (const row of rows) {
    const harm = tryRow(row);
    if (harm !== undefined) harms.push(harm);
  }
  console.log(`${what}: ${rows.length} rows, ${harms.length} did harm`);
  return harms;
}

/** A codec that has code run while it encodes, after it has written its first byte. */
export function acting<T>(codec: Codec<T>, act: () => void): Codec<T> {
  let ready = true;
  return {
    ...codec,
    scalar: lib.Scalar.NONE,
    encode(value, view, offset) {
      if (ready) {
        ready = false;
        view.setUint8(offset, 0xa5);
        act();
        view.setUint8(offset, 0x5a);
        ready = true;
      }
      codec.encode(value, view, offset);
    },
  };
}

/** A typed array that says it has `claimed` elements. */
export class Liar extends Uint8Array {
  claimed = -1;

  override get length(): number {
    return this.claimed < 0 ? super.length : this.claimed;
  }

  override get byteLength(): number {
    return this.length;
  }
}

export function liar(length: number, claimed: number): Liar {
  const array = new Liar(length).fill(0xee);
  array.claimed = claimed;
  return array;
}

/** A buffer that can become shorter. TypeScript's library of this project does not know it yet. */
export function resizable(bytes: number): ArrayBuffer & { resize(bytes: number): void } {
  const Buffer = ArrayBuffer as unknown as new (
    bytes: number,
    options: object,
  ) => ArrayBuffer & { resize(bytes: number): void };
  return new Buffer(bytes, { maxByteLength: bytes });
}

export interface Kind {
  readonly name: string;
  readonly type: "hash" | "rhash" | "percpu_hash" | "array" | "percpu_array";
  readonly key: Codec<never>;
  readonly value: Codec<never>;
  keyOf(n: number): unknown;
  valueOf(n: number): unknown;
}

const kind = <K, V>(
  type: Kind["type"],
  key: Codec<K>,
  value: Codec<V>,
  keyOf: (n: number) => K,
  slotOf: (n: number) => V,
): Kind => ({
  name: `${type} of ${key.name}`,
  type,
  key: key as unknown as Codec<never>,
  value: value as unknown as Codec<never>,
  keyOf,
  valueOf: (n) => (type.startsWith("percpu") ? [slotOf(n), slotOf(n)] : slotOf(n)),
});

const pair = struct({ a: u32, b: u32 });
const quad = struct({ a: u32, b: u32, c: u53 });
const run = (size: number) => (n: number) => new Uint8Array(size).fill(n);
const number = (n: number) => n;

const record = (n: number) => ({ n, q: n, note: new Uint8Array(20).fill(n) });
/** A struct whose member `note` may have another codec. */
export const recordOf = (note: Codec<Uint8Array>) => struct({ n: u32, q: u53, note });

/** Maps with values that are structs: `recordOf(bytes(20))`. */
export const RECORDS: readonly Kind[] = [
  kind("hash", u32, recordOf(bytes(20)), number, record),
  kind("rhash", pair, recordOf(bytes(20)), (n) => ({ a: n, b: n }), record),
  kind("rhash", bytes(24), recordOf(bytes(20)), run(24), record),
  kind("percpu_hash", pair, recordOf(bytes(20)), (n) => ({ a: n, b: n }), record),
  kind("array", u32, recordOf(bytes(20)), number, record),
  kind("percpu_array", u32, recordOf(bytes(20)), number, record),
];

/** Maps with keys and values of all sizes that the classes tell apart. */
export const KINDS: readonly Kind[] = [
  kind("hash", u32, u53, number, number),
  kind("rhash", pair, u32, (n) => ({ a: n, b: n }), number),
  kind("hash", quad, bytes(20), (n) => ({ a: n, b: n, c: n }), run(20)),
  kind("rhash", bytes(24), bytes(40), run(24), run(40)),
  kind("percpu_hash", u32, u53, number, number),
  kind("array", u32, bytes(40), number, run(40)),
  kind("percpu_array", u32, u53, number, number),
];
