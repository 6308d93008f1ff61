/** What the tests of iterators have in common: a small map of numbers, and pieces as text. */
import { expect } from "vitest";
import {
  createHost,
  type HashMap,
  type Host,
  type MapIterator,
  type MapType,
  type ReadonlyEntry,
  type Seq,
  u32,
} from "../../src/index.ts";

const decoder = new TextDecoder();

export const textOf = (piece: Uint8Array | undefined): string | undefined => piece && decoder.decode(piece);

/** All pieces from here to the end, as text. */
export function piecesOf(iterator: MapIterator): string[] {
  const pieces: string[] = [];
  for (let piece = iterator.read(); piece !== undefined; piece = iterator.read()) {
    expect(piece.length).toBeGreaterThan(0);
    pieces.push(decoder.decode(piece));
  }
  return pieces;
}

export const linesOf = (iterator: MapIterator): string[] =>
  piecesOf(iterator).join("").split("\n").slice(0, -1);

/** A map named "m" with the keys 0 to count - 1, whose values are 100 more. */
export function numbers(
  type: MapType = "rhash",
  count = 3,
  maxEntries = Math.max(count, 8),
): { host: Host; map: HashMap<number, number> } {
  const host = createHost({ seed: 7, maxMemory: 64 * 1024 * 1024 });
  const created = host.createMap({ type, name: "m", key: u32, value: u32, maxEntries });
  const map = created as unknown as HashMap<number, number>;
  for (let key = 0; key < count; key++) map.set(key, 100 + key);
  return { host, map };
}

/** Shows a key as a line. */
export const showKey = (seq: Seq, entry: ReadonlyEntry<number, unknown> | undefined) =>
  entry && seq.write(`${entry.key}\n`);
