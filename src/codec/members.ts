/**
 * The members of a struct as parallel arrays, and the way between them and the properties of an object.
 *
 * A loop over arrays of kinds and offsets has one place for each kind of number, whatever struct it is at. Through `codec.decode`
 * of each member, all structs of a program share one place that calls everything: 1.7 times as long.
 *
 * @module
 */
import { within } from "../arguments/mismatch.ts";
import { type Codec, Scalar, type ScalarKind } from "./codec.ts";
import { isScalarCodec } from "./scalars.ts";

// Constants of this module: V8 has them in the code.
const { U8, U16, U32, I8, I16, I32, F32, F64, U53, U64, I64, NONE } = Scalar;
/** A member that is a struct. */
const STRUCT = -1;

const WORD = 0x1_0000_0000;
/** Largest upper word of an integer below 2^53. */
const U53_HIGH_MAX = 0x1f_ffff;

/** One member, as a struct is laid out. */
export interface Member {
  readonly name: string;
  readonly codec: Codec<unknown>;
  /** Bytes from the start of the struct. */
  readonly offset: number;
}

/** All members of a struct, in the order of its fields. */
export class Members {
  readonly names: readonly string[];
  readonly codecs: readonly Codec<unknown>[];
  readonly offsets: readonly number[];
  /** The number that a member is; STRUCT, or NONE for what only its codec can read and write. */
  readonly kinds: readonly (ScalarKind | typeof STRUCT)[];
  /** Of members that are structs. */
  readonly parts: readonly (Members | undefined)[];
  /** An object with all properties. */
  readonly blank: Readonly<Record<string, unknown>>;
  readonly place = structs++ % PLACES;

  constructor(members: readonly Member[]) {
    this.names = members.map(({ name }) => name);
    this.codecs = members.map(({ codec }) => codec);
    this.offsets = members.map(({ offset }) => offset);
    this.parts = this.codecs.map((codec) => all.get(codec));
    this.kinds = this.codecs.map((codec, i) => {
      if (this.parts[i] !== undefined) return STRUCT;
      // A codec of the caller's may be a copy of ours, with another `decode`.
      return isScalarCodec(codec) ? codec.scalar : NONE;
    });
    this.blank = Object.fromEntries(this.names.map((name) => [name, undefined]));
  }
}

/** By the codecs of structs. */
const all = new WeakMap<Codec<unknown>, Members>();

export function keepMembers(codec: Codec<unknown>, members: Members): void {
  all.set(codec, members);
}

/** The members of a codec that `struct()` has made. */
export function membersOf(codec: Codec<unknown>): Members | undefined {
  return all.get(codec);
}

/** How many structs were made. */
let structs = 0;
const PLACES = 16;

/**
 * An object with all properties of a struct. V8 remembers four shapes at each place of the source that copies an object, and copies any
 * other five times slower. So structs take turns at several places.
 */
function copyOf({ blank, place }: Members): Record<string, unknown> {
  switch (place) {
    case 0:
      return { ...blank };
    case 1:
      return { ...blank };
    case 2:
      return { ...blank };
    case 3:
      return { ...blank };
    case 4:
      return { ...blank };
    case 5:
      return { ...blank };
    case 6:
      return { ...blank };
    case 7:
      return { ...blank };
    case 8:
      return { ...blank };
    case 9:
      return { ...blank };
    case 10:
      return { ...blank };
    case 11:
      return { ...blank };
    case 12:
      return { ...blank };
    case 13:
      return { ...blank };
    case 14:
      return { ...blank };
    default:
      return { ...blank };
  }
}

/** Reads all members. */
export function decodeMembers(members: Members, view: DataView, offset: number): Record<string, unknown> {
  const { names, kinds, offsets } = members;
  const value = copyOf(members);
  let i = 0;
  try {
    for (; i < names.length; i++) {
      const at = offset + offsets[i];
      switch (kinds[i]) {
        case U32:
          value[names[i]] = view.getUint32(at, true);
          break;
        case U53: {
          const high = view.getUint32(at + 4, true);
          value[names[i]] =
            high > U53_HIGH_MAX ? members.codecs[i].decode(view, at) : high * WORD + view.getUint32(at, true);
          break;
        }
        case U16:
          value[names[i]] = view.getUint16(at, true);
          break;
        case U8:
          value[names[i]] = view.getUint8(at);
          break;
        case F64:
          value[names[i]] = view.getFloat64(at, true);
          break;
        case I32:
          value[names[i]] = view.getInt32(at, true);
          break;
        case STRUCT:
          value[names[i]] = decodeMembers(members.parts[i] as Members, view, at);
          break;
        case U64:
          value[names[i]] = view.getBigUint64(at, true);
          break;
        case I64:
          value[names[i]] = view.getBigInt64(at, true);
          break;
        case F32:
          value[names[i]] = view.getFloat32(at, true);
          break;
        case I16:
          value[names[i]] = view.getInt16(at, true);
          break;
        case I8:
          value[names[i]] = view.getInt8(at);
          break;
        default:
          value[names[i]] = members.codecs[i].decode(view, at);
      }
    }
  } catch (error) {
    throw within(`.${names[i]}`, error);
  }
  return value;
}

/** Checks and writes member number `i` of a struct at `offset`. What does not fit its codec refuses, with an error that says why. */
export function encodeMember(
  members: Members,
  i: number,
  value: unknown,
  view: DataView,
  offset: number,
): void {
  const at = offset + members.offsets[i];
  try {
    switch (members.kinds[i]) {
      case U32:
        if (typeof value !== "number" || value >>> 0 !== value) break;
        view.setUint32(at, value, true);
        return;
      case U53:
        if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) break;
        view.setUint32(at, value, true);
        view.setUint32(at + 4, value / WORD, true);
        return;
      case U16:
        if (typeof value !== "number" || (value & 0xffff) !== value) break;
        view.setUint16(at, value, true);
        return;
      case U8:
        if (typeof value !== "number" || (value & 0xff) !== value) break;
        view.setUint8(at, value);
        return;
      case F64:
        if (typeof value !== "number") break;
        view.setFloat64(at, value, true);
        return;
      case I32:
        if (typeof value !== "number" || (value | 0) !== value) break;
        view.setInt32(at, value, true);
        return;
    }
    members.codecs[i].encode(value, view, at);
  } catch (error) {
    throw within(`.${members.names[i]}`, error);
  }
}
