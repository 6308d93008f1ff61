/**
 * The classes of maps by type; of hash-like maps by the size of their keys, too, which decides how a key goes to the core.
 *
 * A host is given those of its kind, so that a program with plain hosts alone has none for shared memory in its bundle.
 *
 * @module
 */
import { type Codec, Scalar, type ScalarKind } from "../codec/codec.ts";
import type { CoreHost } from "../core/core_host.ts";
import type { Table } from "../core/tables/table.ts";
import { ArrayMap } from "./array/array_map.ts";
import { PercpuArray } from "./array/percpu_array.ts";
import type { BpfMap } from "./base/bpf_map.ts";
import { MapAny } from "./hash/map_any.ts";
import { MapText } from "./hash/map_text.ts";
import { Map4 } from "./hash/map4.ts";
import { MapFiltered4 } from "./hash/map4_filtered.ts";
import { MapNumber4 } from "./hash/map4_number.ts";
import { Map8 } from "./hash/map8.ts";
import { Map16 } from "./hash/map16.ts";
import { MapNotedAny } from "./hash/noted/map_any.ts";
import { MapNotedText } from "./hash/noted/map_text.ts";
import { MapNoted4 } from "./hash/noted/map4.ts";
import { MapNotedNumber4 } from "./hash/noted/map4_number.ts";
import { MapNoted8 } from "./hash/noted/map8.ts";
import { MapF32 } from "./hash/numbers/f32.ts";
import { MapF64 } from "./hash/numbers/f64.ts";
import { MapFilteredNumber } from "./hash/numbers/filtered.ts";
import { MapI32 } from "./hash/numbers/i32.ts";
import { MapNotedNumber } from "./hash/numbers/noted.ts";
import { MapU32 } from "./hash/numbers/u32.ts";
import { MapU53 } from "./hash/numbers/u53.ts";

/** A class of maps with values of `V`, whatever its keys are. */
type MapClass<K, V> = new (
  host: CoreHost,
  table: Table,
  key: Codec<K>,
  value: Codec<V>,
  readable: boolean,
  writable: boolean,
) => BpfMap<K, V>;

export interface MapClasses {
  readonly array: MapClass<number, unknown>;
  readonly percpuArray: MapClass<number, unknown[]>;
  /** Keys of 4 bytes, values that are numbers. */
  readonly number: MapClass<unknown, unknown>;
  /** Keys of u32, by the kind of number that the values are; the others have {@link number}. */
  readonly numbers: Readonly<Partial<Record<ScalarKind, MapClass<unknown, unknown>>>>;
  /** Those with a filter of absent keys, of plain hosts: keys of u32 and values that are numbers, and all others. */
  readonly filtered?: {
    readonly number: MapClass<unknown, unknown>;
    readonly other: MapClass<unknown, unknown>;
  };
  /** Those of maps that evict or whose entries expire. */
  readonly noted: {
    readonly number: MapClass<unknown, unknown>;
    readonly otherNumber: MapClass<unknown, unknown>;
    readonly hash: readonly MapClass<unknown, unknown>[];
    readonly texts: MapClass<unknown, unknown>;
  };
  /** Keys of 4, 8, 16 and any other number of bytes; whether values are per CPU they see from their codec. */
  readonly hash: readonly MapClass<unknown, unknown>[];
  /** Keys that are texts of any length. */
  readonly texts: MapClass<unknown, unknown>;
}

export const PLAIN_CLASSES: MapClasses = {
  array: ArrayMap,
  percpuArray: PercpuArray,
  number: MapNumber4,
  numbers: {
    [Scalar.F64]: MapF64,
    [Scalar.U53]: MapU53,
    [Scalar.U32]: MapU32,
    [Scalar.I32]: MapI32,
    [Scalar.F32]: MapF32,
  },
  filtered: { number: MapFilteredNumber, other: MapFiltered4 },
  noted: {
    number: MapNotedNumber,
    otherNumber: MapNotedNumber4,
    hash: [MapNoted4, MapNoted8, MapNotedAny, MapNotedAny],
    texts: MapNotedText,
  },
  hash: [Map4, Map8, Map16, MapAny],
  texts: MapText,
};
