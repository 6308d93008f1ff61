/** Maps of every layout, and both kinds of program, for the tests of map.process. */
import {
  BPF_F_NO_PREALLOC,
  bytes,
  type Codec,
  createHost,
  type Filter,
  type HashMap,
  type Host,
  type HostOptions,
  struct,
  u32,
  u53,
} from "../../src/index.ts";

const MEMORY = 64 * 1024 * 1024;

export interface Kind {
  readonly type: "hash" | "rhash";
  readonly keySize: number;
  readonly valueSize: number;
  readonly flags: number;
}

/** The layouts, by sizes of key and value. */
export const KINDS: readonly Kind[] = [
  { type: "rhash", keySize: 4, valueSize: 8, flags: 0 },
  { type: "rhash", keySize: 16, valueSize: 8, flags: 0 },
  { type: "rhash", keySize: 5, valueSize: 120, flags: 0 },
  { type: "hash", keySize: 4, valueSize: 8, flags: 0 },
  { type: "hash", keySize: 8, valueSize: 8, flags: BPF_F_NO_PREALLOC },
  { type: "hash", keySize: 5, valueSize: 120, flags: BPF_F_NO_PREALLOC },
];

/** A number as a key of any size. */
function keyCodec(size: number): Codec<number> {
  if (size === 4) return u32;
  return {
    ...bytes(size),
    name: `key${size}`,
    encode: (value: number, view: DataView, at: number) => {
      for (let i = 0; i < size; i++) view.setUint8(at + i, i < 4 ? value >>> (8 * i) : i);
    },
    decode: (view: DataView, at: number) =>
      view.getUint8(at) + view.getUint8(at + 1) * 256 + view.getUint8(at + 2) * 65536,
  } as unknown as Codec<number>;
}

/** The value of a number: it holds it in its first field. */
export function valueFor(kind: Kind, n: number): { n: number } {
  return kind.valueSize > 8 ? ({ n, rest: new Uint8Array(kind.valueSize - 8) } as { n: number }) : { n };
}

/** A map with the numbers below `entries`. */
export function openKind(
  kind: Kind,
  entries: number,
  options: HostOptions = {},
  maxEntries = 2 * entries + 10,
): { host: Host; map: HashMap<number, { n: number }> } {
  const host = createHost({ seed: 5, maxMemory: MEMORY, ...options });
  const value = kind.valueSize > 8 ? struct({ n: u53, rest: bytes(kind.valueSize - 8) }) : struct({ n: u53 });
  const map = host.createMap({
    type: kind.type,
    name: "m",
    key: keyCodec(kind.keySize),
    value: value as unknown as Codec<{ n: number }>,
    maxEntries,
    flags: kind.flags,
  }) as unknown as HashMap<number, { n: number }>;
  for (let n = 0; n < entries; n++) map.set(n, valueFor(kind, n));
  return { host, map };
}

/** A kind of program. */
export interface Engine {
  readonly name: string;
  /** A filter that does `action(n)` with the entry of n. */
  filter(map: HashMap<number, { n: number }>, action: (n: number) => number): Filter<number, { n: number }>;
  /** How often the filters made since this call have seen each number, as of each call of the result. */
  seen(map: HashMap<number, { n: number }>): () => number[];
}

let times: number[] = [];

export const ENGINES: readonly Engine[] = [
  {
    name: "JavaScript",
    filter: (_map, action) => (entry) => {
      const { n } = entry.value;
      times[n] = (times[n] ?? 0) + 1;
      return action(n);
    },
    seen: () => {
      times = [];
      return () => Array.from(times, (n) => n ?? 0);
    },
  },
];
