/** Which bucket a key belongs to, asked of the core: the position of a cursor behind a key is the key's hash with its bits reversed. */
import { CURSOR_AFTER_KEY, CURSOR_BYTES, CURSOR_ENDED, CURSOR_STATE } from "../../../../src/generated/abi.js";
import { FIRST, World } from "../world.ts";
import { Operations } from "./operations.ts";
import { numberAt, type Shape } from "./shapes.ts";

function reversed(word: number): number {
  let bits = 0;
  for (let i = 0; i < 32; i++) bits |= ((word >>> i) & 1) << (31 - i);
  return bits >>> 0;
}

/** Bucket of a hash among `buckets` (linear hashing: assembly/table/layout/buckets.ts). */
export function bucketIn(buckets: number, hash: number): number {
  const mask = 2 ** (32 - Math.clz32(buckets)) - 1;
  const bucket = (hash & mask) >>> 0;
  return bucket < buckets ? bucket : (hash & (mask >>> 1)) >>> 0;
}

/** Hashes of some keys in maps of a shape; most of them, since a bucket with one entry does not tell. */
export function hashesOf(
  module: WebAssembly.Module,
  shape: Shape,
  keys: readonly number[],
): Map<number, number> {
  if (shape.array) return new Map();
  const world = new World(module);
  const table = world.createMap({ ...shape, evicts: false, maxEntries: keys.length });
  const operations = new Operations(world, FIRST, table, shape);
  for (const key of keys) {
    world.run(FIRST, operations.set(key, 1).calls);
    world.scratch[FIRST].clear();
  }
  const scratch = world.scratch[FIRST];
  // The key that a cursor remembers stands behind it.
  const cursorBytes = CURSOR_BYTES + shape.keySize + 8;
  const cursor = scratch.take(cursorBytes);
  const key = scratch.take(shape.keySize + 8);
  world.bytes.fill(0, cursor, cursor + cursorBytes);
  const hashes = new Map<number, number>();
  while (world.words[(cursor + CURSOR_STATE) >>> 2] !== CURSOR_ENDED) {
    const count = world.cores[FIRST].scan(table, cursor, key, 0, 1);
    if (count === 1 && world.words[(cursor + CURSOR_STATE) >>> 2] === CURSOR_AFTER_KEY) {
      hashes.set(world.words[(key + numberAt(shape)) >>> 2], reversed(world.words[cursor >>> 2]));
    }
  }
  return hashes;
}
