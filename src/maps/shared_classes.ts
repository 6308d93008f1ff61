/**
 * The classes of maps on shared hosts.
 *
 * @module
 */
import { SharedArrayMap } from "./array/shared_array.ts";
import { SharedPercpuArrayMap } from "./array/shared_percpu_array.ts";
import type { MapClasses } from "./classes.ts";
import { SharedMapAny } from "./hash/shared_map_any.ts";
import { SharedMapText } from "./hash/shared_map_text.ts";
import { SharedMap4 } from "./hash/shared_map4.ts";
import { SharedMapNumber4 } from "./hash/shared_map4_number.ts";
import { SharedMap8 } from "./hash/shared_map8.ts";
import { SharedMap16 } from "./hash/shared_map16.ts";

export const SHARED_CLASSES: MapClasses = {
  array: SharedArrayMap,
  percpuArray: SharedPercpuArrayMap,
  number: SharedMapNumber4,
  numbers: {},
  hash: [SharedMap4, SharedMap8, SharedMap16, SharedMapAny],
  texts: SharedMapText,
};
