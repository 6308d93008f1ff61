/** How the byte strings of a replay are keys and values of a map. */
import { bytes, type Codec, u8, u16, u32, u53, u64 } from "../codec/index.ts";

/** Byte strings as a codec takes them, and back. */
export interface Form {
  readonly codec: Codec<unknown>;
  of(bytes: Uint8Array): unknown;
  back(value: unknown): Uint8Array;
}

/** As they are. */
export const plainForm = (size: number): Form => ({
  codec: bytes(size) as Codec<unknown>,
  of: (given) => given,
  back: (value) => value as Uint8Array,
});

function formOf<T>(codec: Codec<T>): Form {
  return {
    codec: codec as Codec<unknown>,
    of: (given) => codec.decode(new DataView(given.buffer, given.byteOffset, given.length), 0),
    back: (value) => {
      const all = new Uint8Array(codec.size);
      codec.encode(value as T, new DataView(all.buffer), 0);
      return all;
    },
  };
}

export const indexForm = formOf(u32);
const NUMBER_KEYS = [indexForm, formOf(u64)];
const NUMBER_VALUES = [formOf(u8), formOf(u16), indexForm, formOf(u53)];

/** The one of numbers of this size, if there is one. */
const numberForm = (forms: readonly Form[], size: number) => forms.find(({ codec }) => codec.size === size);

export const numberKeys = (size: number): Form => numberForm(NUMBER_KEYS, size) ?? plainForm(size);
export const numberValues = (size: number): Form | undefined => numberForm(NUMBER_VALUES, size);
