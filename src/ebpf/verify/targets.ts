/**
 * What pointers point to that programs are given.
 *
 * @module
 */
import { type PointerKind, type Target, target, UNKNOWN_SIZE } from "./pointer.ts";
import type { VerifiedMap } from "./program.ts";
import type { Session } from "./session.ts";

/** A map that an instruction names. */
export const targetOfMap = (map: VerifiedMap): Target => target("map", { map });

/** A map that a map of maps holds: only what it is like is known. */
export const targetLike = (map: VerifiedMap): Target => target("map", { map, isOne: false });

export const targetOfValue = (map: VerifiedMap): Target =>
  target("value", { map, size: map.valueSize, writable: map.writable });

export const targetOfKey = (map: VerifiedMap): Target => target("key", { map, size: map.keySize });

/** `struct bpf_iter_meta`: where it prints to, a session's number, an element's. */
const ITERATOR_META_BYTES = 24;

/** What a pointer in a context points to. */
export function targetOfField(session: Session, kind: PointerKind): Target {
  const { map } = session.program;
  if (kind === "key") return map === undefined ? target("key", { size: UNKNOWN_SIZE }) : targetOfKey(map);
  if (kind === "value") {
    // Elements that an iterator sees are written by whoever owns the map.
    return map === undefined ? target("memory", { size: UNKNOWN_SIZE, writable: true }) : targetOfValue(map);
  }
  if (kind === "meta") return target("meta", { size: ITERATOR_META_BYTES });
  return target(kind, { writable: kind === "packet" || kind === "packet_meta" });
}
