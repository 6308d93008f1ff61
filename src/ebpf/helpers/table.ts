/**
 * The helpers that there are, by id. What a program may call is in prototypes.ts: it has more, which wait for what they work on.
 *
 * @module
 */
import { getPrandomU32, getSmpProcessorId, jiffies64, ktimeGetNs, nobody, probeRead } from "./environment.ts";
import type { Helper } from "./execution.ts";
import { mapDeleteElem, mapLookupElem, mapLookupPercpuElem, mapUpdateElem } from "./maps.ts";
import {
  csumDiff,
  getHashRecalc,
  l3CsumReplace,
  l4CsumReplace,
  loadBytes,
  redirect,
  skbStoreBytes,
  storeBytes,
  xdpAdjustHead,
  xdpAdjustMeta,
  xdpAdjustTail,
  xdpGetBuffLen,
} from "./packets.ts";
import { tracePrintk } from "./trace.ts";
import { forEachMapElem, loop } from "./walk.ts";

export const HELPERS: ReadonlyMap<number, Helper> = new Map([
  [1, mapLookupElem],
  [2, mapUpdateElem],
  [3, mapDeleteElem],
  [4, probeRead],
  [5, ktimeGetNs],
  [6, tracePrintk],
  [7, getPrandomU32],
  [8, getSmpProcessorId],
  [9, skbStoreBytes],
  [10, l3CsumReplace],
  [11, l4CsumReplace],
  [14, nobody],
  [15, nobody],
  [23, redirect],
  [26, loadBytes],
  [28, csumDiff],
  [34, getHashRecalc],
  [44, xdpAdjustHead],
  [45, probeRead],
  [54, xdpAdjustMeta],
  [65, xdpAdjustTail],
  [112, probeRead],
  [113, probeRead],
  [114, probeRead],
  [115, probeRead],
  [118, jiffies64],
  [125, ktimeGetNs],
  [160, ktimeGetNs],
  [164, forEachMapElem],
  [181, loop],
  [188, xdpGetBuffLen],
  [189, loadBytes],
  [190, storeBytes],
  [195, mapLookupPercpuElem],
]);
