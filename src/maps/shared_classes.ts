/**
 * The classes of maps on shared hosts.
 *
 * @module
 */
import { SharedArrayMap } from "./array/shared_array.ts";
import { SharedPercpuArrayMap } from "./array/shared_percpu_array.ts";
import type { MapClasses } from "./classes.ts";
import { SHARED_MAPS, SharedNumber4 } from "./hash/shared_hash.ts";
import { SHARED_PERCPU_MAPS } from "./hash/shared_percpu_hash.ts";

export const SHARED_CLASSES: MapClasses = {
  array: SharedArrayMap,
  percpuArray: SharedPercpuArrayMap,
  percpuHash: SHARED_PERCPU_MAPS,
  number: SharedNumber4,
  hash: SHARED_MAPS,
};
