/**
 * C structs.
 *
 * @module
 */
import { describe, within, wrongType } from "../arguments/mismatch.ts";
import { printedByName } from "../print/inspect.ts";
import { type Codec, type Infer, isCodec, Scalar, SIZE_MAX } from "./codec.ts";
import { decodeMembers, encodeMember, keepMembers, type Member, Members } from "./members.ts";
import { isSpecial, type SpecialField, specialIn } from "./special_fields.ts";

/** What {@link struct} is made of: field names in C order. */
export type Fields = Readonly<Record<string, Codec<unknown> | SpecialField>>;

/**
 * The JavaScript value of a struct: a property per field, but none for a spinLock, a timer or a workqueue.
 *
 * Editors show a mapped type by its name and what it was made from; as the branch of a conditional type, they show what it is.
 */
export type StructValue<F extends Fields> = F extends infer G
  ? { -readonly [K in keyof G as G[K] extends SpecialField ? never : K]: Infer<G[K]> }
  : never;

/** The codec of a C struct. */
export interface StructCodec<F extends Fields> extends Codec<StructValue<F>> {
  /** The codecs it was made of. */
  readonly fields: F;
  /** Bytes from the start of the struct to each field, as C's `offsetof`; of those without a value, too. */
  readonly offsets: { readonly [K in keyof F]: number };
  /** Where the spinLock is, in bytes; undefined without one. */
  readonly lockOffset: number | undefined;
  /** Where the timer is, in bytes; undefined without one. */
  readonly timerOffset: number | undefined;
  /** Where the workqueue is, in bytes; undefined without one. */
  readonly workqueueOffset: number | undefined;
}

/** Whether a layout is one that {@link struct} has made. */
export function isStruct(codec: Codec<unknown>): codec is StructCodec<Fields> {
  return "fields" in codec && "offsets" in codec;
}

/**
 * Field names are those of C. It also keeps out the names that JavaScript would treat specially: integers, which it
 * moves before all others and so would change the layout, and `__proto__`.
 */
const FIELD_NAME = /^(?!__proto__$)[A-Za-z_]\w*$/;

function checkField(name: string, codec: unknown): asserts codec is Codec<unknown> | SpecialField {
  if (!FIELD_NAME.test(name)) {
    throw new TypeError(`struct(): expected field names that are C identifiers, got ${describe(name)}`);
  }
  if (isSpecial(codec)) return;
  if (!isCodec(codec)) throw new TypeError(`struct(): .${name}: expected a codec, got ${describe(codec)}`);
  const special = specialIn(codec);
  if (special !== undefined) {
    throw new TypeError(`struct(): .${name}: a ${special} is allowed only at the top level of a value`);
  }
}

/** A C compiler's work: places the fields one after the other, each at the next multiple of its alignment. */
function layOut(fields: Fields) {
  const members: Member[] = [];
  const offsets: Record<string, number> = {};
  /** Offsets of all bytes that no member writes: padding and special fields. */
  const zeros: number[] = [];
  const special: Partial<Record<SpecialField["name"], number>> = {};
  let align = 1;
  let end = 0;
  const pad = (to: number) => {
    while (end < to) zeros.push(end++);
  };
  for (const name of Object.keys(fields)) {
    const codec = fields[name];
    checkField(name, codec);
    align = Math.max(align, codec.align);
    pad(Math.ceil(end / codec.align) * codec.align);
    offsets[name] = end;
    if ("encode" in codec) {
      members.push({ name, codec, offset: end });
      end += codec.size;
    } else {
      if (special[codec.name] !== undefined)
        throw new TypeError(`struct(): .${name}: expected at most one ${codec.name}, got two`);
      special[codec.name] = end;
      pad(end + codec.size);
    }
  }
  pad(Math.ceil(end / align) * align);
  if (end > SIZE_MAX) throw new RangeError(`struct(): expected at most ${SIZE_MAX} bytes, got ${end}`);
  return { members, offsets: Object.freeze(offsets), zeros, special, align, size: end };
}

/**
 * `struct { ... }`: an object with exactly the given fields. Fields follow each other in the order they are written,
 * each at the next multiple of its alignment, as C lays them out; padding is written as zeros, so that equal keys have
 * equal bytes.
 *
 * @throws TypeError for a missing or an extra property of a value. Errors of a field give its path:
 *   `.src.port: expected u16 (0..65535), got 70000`.
 * @example
 * const endpoint = struct({ address: u32, port: u16 });
 * const flow = struct({ proto: u8, src: endpoint, dst: endpoint });
 * flow.size; // 20
 * flow.offsets; // { proto: 0, src: 4, dst: 12 }
 * const view = new DataView(new ArrayBuffer(flow.size));
 * flow.encode({ proto: 6, src: { address: 1, port: 2 }, dst: { address: 3, port: 4 } }, view, 0);
 * flow.decode(view, 0).dst; // { address: 3, port: 4 }
 */
export function struct<F extends Fields>(fields: F): StructCodec<F> {
  if (typeof fields !== "object" || fields === null) {
    throw new TypeError(`struct(): expected an object of codecs, got ${describe(fields)}`);
  }
  const own = { ...fields };
  const { members: laidOut, offsets, zeros, special, align, size } = layOut(own);
  if (size === 0) throw new TypeError("struct(): expected at least one field, got none");
  const name = `struct { ${Object.keys(own)
    .map((field) => `${field}: ${own[field].name}`)
    .join(", ")} }`;
  const members = new Members(laidOut);
  const { names } = members;
  const known: Record<string, true | undefined> = Object.create(null);
  for (const name of names) known[name] = true;

  function encodeAnyOrder(object: Record<string, unknown>, view: DataView, offset: number): void {
    for (const field in object) {
      if (known[field] !== undefined) continue;
      const error = isSpecial(own[field])
        ? wrongType(`no value for the ${own[field].name}`, describe(object[field]))
        : wrongType(`only the fields of ${name}`, "an extra field");
      throw within(`.${field}`, error);
    }
    for (let i = 0; i < names.length; i++) {
      const field = object[names[i]];
      if (field === undefined && !(names[i] in object)) {
        throw within(`.${names[i]}`, wrongType(members.codecs[i].name, "nothing (the field is missing)"));
      }
      encodeMember(members, i, field, view, offset);
    }
  }

  const codec: StructCodec<F> = printedByName({
    name,
    size,
    align,
    scalar: Scalar.NONE,
    fields: own,
    offsets: offsets as StructCodec<F>["offsets"],
    lockOffset: special.spinLock,
    timerOffset: special.timer,
    workqueueOffset: special.workqueue,
    encode(value, view, offset) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw wrongType(name, describe(value));
      }
      const object: Record<string, unknown> = value;
      // Properties mostly come in the order of the fields. Engines read `object[field]` inside a for-in over the same
      // object by its slot, several times as fast as by any other computed name, and no look-up of extra fields is due.
      let i = 0;
      let inOrder = true;
      for (const field in object) {
        inOrder = i < names.length && field === names[i];
        if (!inOrder) break;
        encodeMember(members, i++, object[field], view, offset);
      }
      if (!inOrder || i < names.length) encodeAnyOrder(object, view, offset);
      for (let z = 0; z < zeros.length; z++) view.setUint8(offset + zeros[z], 0);
    },
    decode(view, offset) {
      return decodeMembers(members, view, offset) as StructValue<F>;
    },
  });
  keepMembers(codec, members);
  return codec;
}
