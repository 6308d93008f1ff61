/**
 * Whether a state is inside another one: what has been found safe for the general one is safe for the special one.
 *
 * @module
 */
import { IdMatch, NULL_ID } from "./ids.ts";
import {
  canBeMixed,
  isLike,
  isPointer,
  isScalar,
  type Pointer,
  type Register,
  sameTarget,
} from "./pointer.ts";
import { plus, scalarWithin } from "./scalar/relations.ts";
import { halfOf, SLOTS, type Slot } from "./stack.ts";
import type { Frame, State } from "./state.ts";

/** A state that others are compared with. */
export interface KnownState {
  readonly state: State;
  /** By frame: the slots of which it knows something. */
  readonly slots: readonly (readonly number[])[];
}

export function knownState(state: State): KnownState {
  const slots = state.frames.map(({ stack }) => {
    const known: number[] = [];
    for (let at = stack.lowest; at < SLOTS; at++) if (stack.at(at) !== undefined) known.push(at);
    return known;
  });
  return { state, slots };
}

/** Both states have the same functions running, locks and reservations as `shapeOf` says. */
export function isWithin(special: State, { state: general, slots }: KnownState): boolean {
  const ids = new IdMatch();
  if (general.lock !== undefined) {
    if (general.lock.map !== special.lock!.map || !ids.ofPointers(general.lock.id, special.lock!.id))
      return false;
  }
  for (let k = 0; k < general.reservations.length; k++) {
    if (!ids.ofPointers(general.reservations[k].id, special.reservations[k].id)) return false;
  }
  // The function that runs differs most often: begin there.
  for (let depth = general.frames.length - 1; depth >= 0; depth--) {
    if (!frameWithin(special.frames[depth], general.frames[depth], slots[depth], ids)) return false;
  }
  return true;
}

function frameWithin(special: Frame, general: Frame, slots: readonly number[], ids: IdMatch): boolean {
  if (!registersWithin(special.registers, general.registers, ids)) return false;
  for (const at of slots) if (!slotWithin(special.stack.at(at), general.stack.at(at)!, ids)) return false;
  if (general.callback === undefined) return true;
  return registersWithin(special.callback!.parameters, general.callback.parameters, ids);
}

function registersWithin(
  special: readonly (Register | undefined)[],
  general: readonly (Register | undefined)[],
  ids: IdMatch,
): boolean {
  for (let r = 0; r < general.length; r++) {
    const known = general[r];
    if (known !== undefined && !registerWithin(special[r], known, ids)) return false;
  }
  return true;
}

function registerWithin(special: Register | undefined, general: Register, ids: IdMatch): boolean {
  if (special === undefined) return false;
  if (isScalar(general)) {
    // A pointer is some number, too.
    if (isPointer(special)) return general.isUnknown && general.id === 0;
    return scalarWithin(special, general) && ids.ofNumbers(general.id, special.id);
  }
  if (isPointer(special)) return pointerWithin(special, general, ids);
  return general.nullable && special.isZero && ids.ofPointers(general.id, NULL_ID);
}

function pointerWithin(special: Pointer, general: Pointer, ids: IdMatch): boolean {
  if (special.nullable && !general.nullable) return false;
  if (general.hasWindow && !special.hasWindow) return false;
  if (!sameTarget(special.target, general.target)) {
    return targetWithin(special, general) && ids.ofPointers(general.id, special.id);
  }
  if (general.kind === "mixed") return ids.ofPointers(general.id, special.id);
  if (general.isPacket) return packetWithin(special, general, ids);
  if (!ids.ofPointers(general.id, special.id)) return false;
  if (general.fixed === special.fixed) return scalarWithin(special.variable, general.variable);
  return scalarWithin(special.offset, general.offset);
}

/** The general one may be one of several things, of which the special one is one. */
function targetWithin(special: Pointer, general: Pointer): boolean {
  const [one, several] = [special.target, general.target];
  if (several.kind === "map") return one.kind === "map" && !several.isOne && isLike(one.map!, several.map!);
  if (several.kind !== "mixed" || !canBeMixed(special)) return false;
  if ((several.writable && !one.writable) || one.place > several.place) return false;
  const kinds = one.kind === "mixed" ? [...one.kinds] : [one.kind];
  return kinds.every((kind) => several.kinds.has(kind));
}

/** The same as for joins: how far the special one is farther in belongs to its variable part. */
function packetWithin(special: Pointer, general: Pointer, ids: IdMatch): boolean {
  const shift = special.fixed - general.fixed;
  return (
    general.range <= special.range - shift &&
    special.variable.signedMost + shift <= general.variable.signedMost &&
    special.variable.signedLeast + shift >= general.variable.signedLeast &&
    ids.ofPointers(general.id, special.id, shift) &&
    scalarWithin(plus(special.variable, shift), general.variable)
  );
}

function slotWithin(special: Slot | undefined, general: Slot, ids: IdMatch): boolean {
  if (special === undefined || (general.written & ~special.written) !== 0) return false;
  if (general.whole !== undefined) return registerWithin(special.whole, general.whole, ids);
  if (general.low !== undefined && !registerWithin(halfOf(special, 0), general.low, ids)) return false;
  return general.high === undefined || registerWithin(halfOf(special, 4), general.high, ids);
}
