/** A map of texts that a replay sees as one of byte strings: each key of the model stands for a text of its own length. */
import { type Codec, type HashMap, type Host, text } from "../../src/index.ts";
import { openSubject, type Subject, type SubjectSpec } from "../../src/testing/index.ts";

const MOST_BYTES = 200;

/** Texts of every length from 1 to the most that there is room for, of one to four bytes a character; the key is in them as hex. */
function textOf(key: Uint8Array): string {
  let hex = "";
  let sum = 0;
  for (const byte of key) {
    hex += byte.toString(16).padStart(2, "0");
    sum = (sum * 31 + byte) >>> 0;
  }
  const [letter, width] = [["x", 1] as const, ["é", 2] as const, ["水", 3] as const, ["🌊", 4] as const][
    sum % 4
  ]!;
  // Leading zeros go, so that short keys are short texts.
  const short = hex.replace(/^(00)+/, "");
  const room = MOST_BYTES - short.length - 1;
  // Most are short, as in real maps.
  const repeated = sum % 3 === 0 ? (sum >>> 4) % (Math.floor(room / width) + 1) : (sum >>> 4) % 5;
  return `${short}:${letter.repeat(repeated)}`;
}

function keyOf(value: string, keySize: number): Uint8Array {
  const hex = value.slice(0, value.indexOf(":")).padStart(2 * keySize, "0");
  return Uint8Array.from({ length: keySize }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

/** Encodes keys of the model as texts; on the way back they must be what they were. */
function textKeys(keySize: number): Codec<Uint8Array> {
  const layout = text(MOST_BYTES);
  const over = (inner: Codec<string>) => ({
    encode: (key: Uint8Array, view: DataView, at: number) => inner.encode(textOf(key), view, at),
    decode: (view: DataView, at: number) => {
      const value = inner.decode(view, at);
      const key = keyOf(value, keySize);
      if (textOf(key) !== value) throw new Error(`${JSON.stringify(value)} is no key`);
      return key;
    },
  });
  const bare = { ...layout, ...over(layout.bare), bare: undefined as unknown };
  bare.bare = bare;
  return { ...layout, ...over(layout), bare } as unknown as Codec<Uint8Array>;
}

/**
 * Keys of 16 bytes, the last of them 0, as texts of the other 15: two words and a rest. On a host with a known seed, keys of one hash can
 * be made of them (colliding_subject.ts).
 */
export function rawTexts(): Codec<Uint8Array> {
  const layout = text(20);
  const raw = {
    ...layout,
    encode(key: Uint8Array, view: DataView, at: number) {
      view.setUint32(at, 15, true);
      for (let i = 0; i < 15; i++) view.setUint8(at + 4 + i, key[i]!);
    },
    decode: (view: DataView, at: number) =>
      Uint8Array.from({ length: 16 }, (_, i) => (i < 15 ? view.getUint8(at + 4 + i) : 0)),
  };
  return Object.assign(raw, { bare: raw }) as unknown as Codec<Uint8Array>;
}

/** As `openSubject`, with keys that are texts. */
export function openTextSubject(host: Host, spec: SubjectSpec, key = textKeys(spec.keySize)): Subject {
  const { keySize } = spec;
  const texts = {
    createMap: (given: Parameters<Host["createMap"]>[0]) => {
      const map = host.createMap({ ...given, key } as never) as unknown as HashMap<Uint8Array, Uint8Array>;
      const lookupMany = map.lookupMany.bind(map);
      map.lookupMany = (keys, values) => {
        const flat = keys as Uint8Array;
        const count = flat.length / keySize;
        return lookupMany(
          Array.from({ length: count }, (_, i) => flat.subarray(i * keySize, (i + 1) * keySize)),
          values,
        );
      };
      return map;
    },
    memoryUsage: () => host.memoryUsage(),
    section: (body: () => void) => host.section(body),
    tick: () => host.tick(),
    clock: host.clock,
    expiry: host.expiry,
    cpus: host.cpus,
    get u8() {
      return host.u8;
    },
  };
  return openSubject(texts as unknown as Host, spec);
}

/** A spec whose keys may be texts. */
export type AnySpec = SubjectSpec & { readonly texts?: boolean };

export function openAnySubject(host: Host, spec: AnySpec): Subject {
  return spec.texts === true ? openTextSubject(host, spec) : openSubject(host, spec);
}
