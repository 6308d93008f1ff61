/**
 * The classes of maps on shared hosts.
 *
 * @module
 */
import { Scalar } from "../codec/codec.ts";
import { SharedArrayMap } from "./array/shared_array.ts";
import { SharedPercpuArrayMap } from "./array/shared_percpu_array.ts";
import type { MapClasses } from "./classes.ts";
import { SharedMapAny } from "./hash/shared_map_any.ts";
import { SharedMapText } from "./hash/shared_map_text.ts";
import { SharedMap4 } from "./hash/shared_map4.ts";
import { SharedMapNumber4 } from "./hash/shared_map4_number.ts";
import { SharedMap8 } from "./hash/shared_map8.ts";
import { SharedMap16 } from "./hash/shared_map16.ts";
import { SharedMapNotedAny } from "./hash/shared_noted/map_any.ts";
import { SharedMapNotedText } from "./hash/shared_noted/map_text.ts";
import { SharedMapNoted4 } from "./hash/shared_noted/map4.ts";
import { SharedMapNotedNumber4 } from "./hash/shared_noted/map4_number.ts";
import { SharedMapNoted8 } from "./hash/shared_noted/map8.ts";
import { SharedMapF32 } from "./hash/shared_numbers/f32.ts";
import { SharedMapF64 } from "./hash/shared_numbers/f64.ts";
import { SharedMapI32 } from "./hash/shared_numbers/i32.ts";
import { SharedMapNotedNumber } from "./hash/shared_numbers/noted.ts";
import { SharedMapU32 } from "./hash/shared_numbers/u32.ts";
import { SharedMapU53 } from "./hash/shared_numbers/u53.ts";

export const SHARED_CLASSES: MapClasses = {
  array: SharedArrayMap,
  percpuArray: SharedPercpuArrayMap,
  number: SharedMapNumber4,
  numbers: {
    [Scalar.F64]: SharedMapF64,
    [Scalar.U53]: SharedMapU53,
    [Scalar.U32]: SharedMapU32,
    [Scalar.I32]: SharedMapI32,
    [Scalar.F32]: SharedMapF32,
  },
  noted: {
    number: SharedMapNotedNumber,
    otherNumber: SharedMapNotedNumber4,
    hash: [SharedMapNoted4, SharedMapNoted8, SharedMapNotedAny, SharedMapNotedAny],
    texts: SharedMapNotedText,
  },
  hash: [SharedMap4, SharedMap8, SharedMap16, SharedMapAny],
  texts: SharedMapText,
};
