/**
 * Layouts that grow by themselves: where the bytes of the old value say all there is to say about the new one, a rollout needs no
 * conversion. A wider unsigned integer, longer `bytes` or `cstring`, a struct with further fields at its end.
 *
 * @module
 */
import { Scalar, type ScalarKind } from "../../codec/codec.ts";
import type { StructCodec } from "../../codec/struct.ts";
import type { CheckedPair } from "./manifest.ts";

/** How a value gets larger, and smaller again. */
export interface Growth {
  grow(old: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /** The old layout's part of the new value; undefined when the value does not fit in it any more. */
  shrink(value: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined;
}

const UNSIGNED: ReadonlySet<ScalarKind> = new Set([
  Scalar.U8,
  Scalar.U16,
  Scalar.U32,
  Scalar.U53,
  Scalar.U64,
]);

/** u53 is the narrower one of two that have 8 bytes. */
function widens(from: CheckedPair, to: CheckedPair): boolean {
  const [a, b] = [from.codec.scalar, to.codec.scalar];
  return (
    UNSIGNED.has(a) && UNSIGNED.has(b) && (to.size > from.size || (a === Scalar.U53 && b === Scalar.U64))
  );
}

/** `bytes(4)` to `bytes(8)`: the same but for the length, which is larger. */
function lengthens(from: CheckedPair, to: CheckedPair): boolean {
  const [, kind] = /^(bytes|cstring)\(\d+\)$/.exec(from.layout) ?? [];
  return kind !== undefined && to.size > from.size && to.layout === `${kind}(${to.size})`;
}

/** Little-endian numbers and strings of bytes: zeros at the end change nothing. */
function padded(from: CheckedPair, to: CheckedPair): Growth {
  return {
    grow(old) {
      const value = new Uint8Array(to.size);
      value.set(old);
      return value;
    },
    shrink(value) {
      if (value.subarray(from.size).some((byte) => byte !== 0)) return undefined;
      const old = value.slice(0, from.size);
      // A cstring that fills its old room has lost its NUL; a u64 of 2^53 or more is no u53.
      try {
        from.codec.decode(new DataView(old.buffer), 0);
      } catch {
        return undefined;
      }
      return from.layout.startsWith("cstring") && old[old.length - 1] !== 0 ? undefined : old;
    },
  };
}

function fieldsOf(pair: CheckedPair): StructCodec<Record<string, never>> | undefined {
  return "fields" in pair.codec && "offsets" in pair.codec
    ? (pair.codec as StructCodec<Record<string, never>>)
    : undefined;
}

/** The fields of the old struct, when the new one begins with them: they stand at the same offsets then. */
function commonFields(from: CheckedPair, to: CheckedPair): [offset: number, size: number][] | undefined {
  const [a, b] = [fieldsOf(from), fieldsOf(to)];
  if (a === undefined || b === undefined) return undefined;
  const names = Object.keys(a.fields);
  const others = Object.keys(b.fields);
  if (others.length <= names.length) return undefined;
  const ranges: [number, number][] = [];
  for (const [i, name] of names.entries()) {
    const [field, other] = [a.fields[name], b.fields[others[i]]] as { name: string; size: number }[];
    if (others[i] !== name || field.name !== other.name) return undefined;
    ranges.push([a.offsets[name], field.size]);
  }
  return ranges;
}

/** New fields start with what the default of the pair says; going back, they go, as a pair does that was added. */
function extended(from: CheckedPair, to: CheckedPair, ranges: readonly [number, number][]): Growth {
  const copy = (source: Uint8Array, target: Uint8Array<ArrayBuffer>) => {
    for (const [offset, size] of ranges) target.set(source.subarray(offset, offset + size), offset);
    return target;
  };
  return {
    grow: (old) => copy(old, to.initial.slice()),
    shrink: (value) => copy(value, new Uint8Array(from.size)),
  };
}

/** How values of one pair become those of another without a conversion; undefined when they cannot. */
export function growthOf(from: CheckedPair, to: CheckedPair): Growth | undefined {
  if (widens(from, to) || lengthens(from, to)) return padded(from, to);
  const ranges = commonFields(from, to);
  return ranges && extended(from, to, ranges);
}
