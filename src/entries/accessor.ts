/**
 * Accessors: objects whose properties are the fields of a key or value in host memory, read when they are asked for.
 *
 * A filter reads one or two fields of each of a million entries, so that reading one has to cost what the load costs. Each getter
 * is a closure that knows its kind of number and its offset. V8 compiles it into its caller as long as the property is a constant
 * of the object's shape, and objects with the same prototype and the same names would share one: then it gives up and
 * keeps their properties in a dictionary. So every accessor has a prototype of its own (3.5 ns for an entry with one field read;
 * 7 ns with one getter for all kinds; Node 20, x86-64).
 *
 * @module
 */
import { within } from "../arguments/mismatch.ts";
import { type Codec, Scalar } from "../codec/codec.ts";
import { specialOffsets, spinLock } from "../codec/special_fields.ts";
import { type Fields, isStruct, type StructCodec } from "../codec/struct.ts";
import type { CoreHost } from "../core/core_host.ts";
import { fitsScalar, writeScalar } from "../core/memory/scalar.ts";
import { roundUp8 } from "../core/tables/registry.ts";
import { bpfError, ERRNO } from "../errors.ts";
import { encodingError, handleError, reentryError, subjectOf } from "../ops/failure.ts";
import type { MapHandle } from "../ops/handle.ts";
import { isPerCpu, type PerCpuCodec } from "../ops/percpu.ts";

/** The key or the value of the entry that a callback is at. */
export class Place {
  /** Where it is in host memory; 0 while there is no entry. */
  address = 0;
  readonly map: MapHandle<unknown, unknown>;
  /** Why it cannot be written; undefined when it can. */
  readonly refusal: string | undefined;

  constructor(map: MapHandle<unknown, unknown>, refusal: string | undefined) {
    this.map = map;
    this.refusal = refusal;
  }

  /** The error for a callback that goes on with its entry after it has returned. */
  gone(): Error {
    const cause = "has no entry here: the callback that was given it has returned";
    const remedy = "take a copy() of the entry inside";
    return bpfError(ERRNO.EFAULT, "entry", subjectOf(this.map), cause, remedy);
  }
}

/** How Node prints an object: without it, `[Getter/Setter]` for every field. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

const WORD = 0x1_0000_0000;
/** Largest upper word of an integer below 2^53. */
const U53_HIGH_MAX = 0x1f_ffff;

/** One property of an accessor. */
interface Field {
  readonly place: Place;
  readonly codec: Codec<unknown>;
  /** Bytes from the start of the key or value. */
  readonly offset: number;
  /** How errors call it: `value.src.port`. */
  readonly path: string;
}

function decode({ place, codec, offset, path }: Field): unknown {
  if (place.address === 0) throw place.gone();
  const { map } = place;
  try {
    return codec.decode(map.host.view, place.address + offset);
  } catch (error) {
    if (map.host.closed) throw handleError(map, "entry");
    throw within(`entry: ${subjectOf(map)}: ${path}`, error);
  }
}

/**
 * Reads one number. Values are aligned in host memory, keys to 4 bytes only (assembly/table/layout/elements.ts), so that 8 bytes are read as two
 * words or through the DataView.
 */
function numberGetter(host: CoreHost, field: Field): (() => unknown) | undefined {
  const { place, offset } = field;
  switch (field.codec.scalar) {
    case Scalar.U8:
      return () => {
        if (place.address === 0) throw place.gone();
        return host.u8[place.address + offset];
      };
    case Scalar.I8:
      return () => {
        if (place.address === 0) throw place.gone();
        return (host.u8[place.address + offset] << 24) >> 24;
      };
    case Scalar.U16:
      return () => {
        if (place.address === 0) throw place.gone();
        return host.u16[(place.address + offset) >>> 1];
      };
    case Scalar.I16:
      return () => {
        if (place.address === 0) throw place.gone();
        return (host.u16[(place.address + offset) >>> 1] << 16) >> 16;
      };
    case Scalar.U32:
      return () => {
        if (place.address === 0) throw place.gone();
        return host.u32[(place.address + offset) >>> 2];
      };
    case Scalar.I32:
      return () => {
        if (place.address === 0) throw place.gone();
        return host.i32[(place.address + offset) >>> 2];
      };
    case Scalar.F32:
      return () => {
        if (place.address === 0) throw place.gone();
        return host.f32[(place.address + offset) >>> 2];
      };
    case Scalar.U53:
      return () => {
        if (place.address === 0) throw place.gone();
        const word = (place.address + offset) >>> 2;
        const high = host.u32[word + 1];
        return high > U53_HIGH_MAX ? decode(field) : high * WORD + host.u32[word];
      };
    case Scalar.F64:
      return () => {
        if (place.address === 0) throw place.gone();
        return host.view.getFloat64(place.address + offset, true);
      };
    case Scalar.U64:
      return () => {
        if (place.address === 0) throw place.gone();
        return host.view.getBigUint64(place.address + offset, true);
      };
    case Scalar.I64:
      return () => {
        if (place.address === 0) throw place.gone();
        return host.view.getBigInt64(place.address + offset, true);
      };
    default:
      return undefined;
  }
}

/** Copies encoded bytes over those in memory, but for a spinLock among them, which another thread may hold. */
function store(host: CoreHost, codec: Codec<unknown>, target: number, source: number): void {
  if (isPerCpu(codec)) {
    const bytes = roundUp8(codec.slot.size);
    for (let cpu = 0; cpu * codec.stride < codec.size; cpu++) {
      host.copy(target + cpu * codec.stride, source + cpu * bytes, bytes);
    }
    return;
  }
  const lock = specialOffsets(codec).lockOffset ?? codec.size;
  const behind = lock + spinLock.size;
  host.copy(target, source, lock);
  if (behind < codec.size) host.copy(target + behind, source + behind, codec.size - behind);
}

function setterOf({ place, codec, offset, path }: Field): (value: unknown) => void {
  const { map, refusal } = place;
  const { host } = map;
  const what = () => `entry: ${subjectOf(map)}: ${path}`;
  if (refusal !== undefined) {
    return () => {
      throw new TypeError(`${what()}: ${refusal}`);
    };
  }
  return (value) => {
    if (place.address === 0) throw place.gone();
    if (fitsScalar(codec.scalar, value)) {
      writeScalar(host, codec.scalar, place.address + offset, value);
      return;
    }
    // What is no number is encoded beside the live value, so that one that does not fit leaves no half of it there.
    if (host.closed) throw handleError(map, "entry");
    const { scratch, pins, view } = host;
    const turn = ++scratch.turn;
    pins.encodings++;
    try {
      (isPerCpu(codec) ? map.valueCodec : codec).encode(value, view, scratch.value);
    } catch (error) {
      throw encodingError(map, "entry", what(), view, error);
    } finally {
      pins.encoded();
    }
    // A getter of the value may have ended the callback's turn, too: that of an iterator which it closed.
    if (scratch.turn !== turn || place.address === 0) throw reentryError(map, "entry");
    store(host, codec, place.address + offset, scratch.value);
  };
}

/** Defines a property that reads, and where it is allowed writes, a part of a key or value. */
function define(target: object, name: string | number, field: Field): void {
  const { place, codec } = field;
  const nested = isStruct(codec)
    ? structAccessor(field, codec)
    : isPerCpu(codec)
      ? slotsAccessor(field, codec)
      : undefined;
  const getNested = () => {
    if (place.address === 0) throw place.gone();
    return nested;
  };
  const get = nested ? getNested : (numberGetter(place.map.host, field) ?? (() => decode(field)));
  Object.defineProperty(target, name, { get, set: setterOf(field), enumerable: true, configurable: false });
}

/** An object with the fields of a struct. */
function structAccessor({ place, offset, path }: Field, { fields, offsets }: StructCodec<Fields>): object {
  const prototype = Object.create(Object.prototype, {
    [INSPECT]: {
      value(this: object) {
        return { ...this };
      },
    },
  });
  const accessor = Object.create(prototype);
  for (const [name, codec] of Object.entries(fields)) {
    if (!("encode" in codec)) continue; // a special field is not part of the JavaScript value
    define(accessor, name, { place, codec, offset: offset + offsets[name], path: `${path}.${name}` });
  }
  return Object.preventExtensions(accessor);
}

/** An array with the slots of a per-CPU value. */
function slotsAccessor({ place, path }: Field, { slot, size, stride }: PerCpuCodec<unknown>): object {
  const accessor: unknown[] = [];
  for (let cpu = 0; cpu * stride < size; cpu++) {
    define(accessor, cpu, { place, codec: slot, offset: cpu * stride, path: `${path}[${cpu}]` });
  }
  Object.defineProperty(accessor, INSPECT, { value: () => [...accessor] });
  return Object.preventExtensions(accessor);
}

/** Defines the property for a whole key or value. Of a per-CPU value it is an array. */
export function definePart(target: object, name: "key" | "value", place: Place, codec: Codec<unknown>): void {
  define(target, name, { place, codec, offset: 0, path: name });
}

/** Defines the property `local` for a thread's own slot of a per-CPU value. */
export function defineLocal(target: object, place: Place, codec: PerCpuCodec<unknown>, cpu: number): void {
  define(target, "local", { place, codec: codec.slot, offset: cpu * codec.stride, path: "local" });
}
