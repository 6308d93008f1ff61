/**
 * Typed arrays of the caller's, as they are. What an array says of itself may be a lie (a `length` of its own, a subclass, a Proxy,
 * an object with the prototype of one), and may change from one question to the next: on a growable SharedArrayBuffer while
 * another thread grows it, on a resizable ArrayBuffer whenever code of the caller's runs. So its type and length are asked of the
 * engine, once, and what is copied is exactly what was counted (docs/arguments.md).
 *
 * @module
 */

type Getter<T> = { call(array: unknown): T };

const prototype = Object.getPrototypeOf(Uint8Array.prototype);
const getter = (name: string | symbol) => Object.getOwnPropertyDescriptor(prototype, name)?.get as unknown;
const tagOf = getter(Symbol.toStringTag) as Getter<string | undefined>;
const bufferOf = getter("buffer") as Getter<ArrayBufferLike>;
const offsetOf = getter("byteOffset") as Getter<number>;
const bytesOf = getter("byteLength") as Getter<number>;
const lengthOf = getter("length") as Getter<number>;

/** The name of the typed array that a value is, of any realm (a jest sandbox, an iframe); undefined when it is none. */
export function typedArrayName(value: unknown): string | undefined {
  return tagOf.call(value);
}

/** Whether a value is a Uint8Array, of any realm. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && tagOf.call(value) === "Uint8Array";
}

/** Bytes of a typed array now: 0 once it is detached, or outside of its buffer. */
export function byteLengthOf(array: ArrayBufferView): number {
  return bytesOf.call(array);
}

/** Elements of a typed array now. */
export function elementsOf(array: ArrayBufferView): number {
  return lengthOf.call(array);
}

/**
 * The first `bytes` bytes of an array that has as many, for a copy that follows at once: the array itself, unless another thread could make it
 * longer meanwhile. Making a view allocates.
 */
export function steadyBytes(array: Uint8Array, bytes: number): Uint8Array {
  const isSteady = bufferOf.call(array) instanceof ArrayBuffer && bytesOf.call(array) === bytes;
  return isSteady ? array : fixedBytes(array, bytes);
}

/** The first `bytes` bytes of a typed array, which do not follow its length. */
export function fixedBytes(array: ArrayBufferView, bytes: number): Uint8Array {
  // Of a detached array there can be no view, not even of nothing.
  return bytes === 0 ? new Uint8Array(0) : new Uint8Array(bufferOf.call(array), offsetOf.call(array), bytes);
}
