/**
 * Keys that are structs or bytes, taken apart.
 *
 * @module
 */
import type { KeyWords } from "../../codec/words.ts";
import type { Operation } from "../../errors.ts";
import { reentryError } from "../failure.ts";
import type { MapHandle } from "../handle.ts";

/** Takes a key apart: whether it could, see {@link KeyWords.take}. Throws where a getter of it has used the host. */
export function takeKey(
  map: MapHandle<unknown, unknown>,
  operation: Operation,
  words: KeyWords,
  key: unknown,
): boolean {
  const { scratch } = map.host;
  const { turn } = scratch;
  const taken = words.take(key);
  if (scratch.turn !== turn) throw reentryError(map, operation);
  return taken;
}
