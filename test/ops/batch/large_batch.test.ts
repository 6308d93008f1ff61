// Batches across the size from which on the core stages their keys (STAGED_FROM in assembly/batch/write.ts): such as begin in a small
// table and end in a large one, and back, in each layout and for each kind of key.
import { describe, expect, test } from "vitest";
import { bytes, createHost, struct, u32, u64 } from "../../../src/index.ts";
import { Random } from "../../../src/testing/index.ts";
import { expectErrno } from "../../support/caught.ts";
import { testSeed } from "../../support/seed.ts";
import { shuffled } from "../../support/sequences.ts";

const seed = testSeed("large_batch.test.ts");

/** More than 2,048 buckets of each layout hold at their load target. */
const ENTRIES = 16_500;

const SHAPES = [
  { name: "keys", keySize: 4, valueSize: 8 },
  { name: "tags, 4-byte keys", keySize: 4, valueSize: 16 },
  { name: "tags, 8-byte keys", keySize: 8, valueSize: 8 },
  { name: "tags, 16-byte keys", keySize: 16, valueSize: 8 },
  { name: "tags, 13-byte keys", keySize: 13, valueSize: 8 },
  { name: "refs, 4-byte keys", keySize: 4, valueSize: 40 },
  { name: "refs, 16-byte keys", keySize: 16, valueSize: 24 },
] as const;

/** Keys and values are zeros behind their first 4 bytes, so a number stands for each. */
function subject(keySize: number, valueSize: number, shared: boolean) {
  const host = createHost({ seed, shared, cpus: 2, maxMemory: 64 << 20 });
  const keyCodec = { 4: u32, 8: u64 }[keySize] ?? bytes(keySize);
  const value = struct({ n: u32, rest: bytes(valueSize - 4) });
  const map = host.createMap({ type: "rhash", key: keyCodec as typeof u32, value, maxEntries: 2 * ENTRIES });
  const batch = map.createBatch(ENTRIES);
  const pack = (into: Uint8Array, stride: number, numbers: readonly number[]) => {
    const view = new DataView(into.buffer, into.byteOffset);
    for (let i = 0; i < numbers.length; i++) view.setUint32(i * stride, numbers[i], true);
  };
  const prepare = (keys: readonly number[], values: readonly number[] = []) => {
    pack(batch.keys, keySize, keys);
    pack(batch.values, valueSize, values);
    batch.count = keys.length;
    return batch;
  };
  /** What the map says of some keys. */
  const look = (keys: readonly number[]) => {
    prepare(keys);
    const values = new Uint8Array(keys.length * valueSize);
    map.lookupMany(batch.keys.slice(0, keys.length * keySize), values);
    const view = new DataView(values.buffer);
    return keys.map((_, i) => (map.found(i) ? view.getUint32(i * valueSize, true) : undefined));
  };
  return { host, map, prepare, look };
}

describe.each([false, true])("shared: %s", (shared) => {
  test.each(SHAPES)(
    "$name: batches that outgrow 2,048 buckets do as a Map does",
    ({ keySize, valueSize }) => {
      const { host, map, prepare, look } = subject(keySize, valueSize, shared);
      const random = new Random(seed);
      const all = shuffled(ENTRIES, random);
      const model = new Map<number, number>();
      const check = () => {
        expect(map.size).toBe(model.size);
        expect(look(all)).toEqual(all.map((key) => model.get(key)));
        expect(map.verify()).toEqual([]);
      };

      // From nothing to all in one call.
      const written = all.map((key) => key * 3);
      map.updateBatch(prepare(all, written));
      for (const key of all) model.set(key, key * 3);
      check();

      // Keys that are there and keys that come twice.
      const twice = [...all.slice(0, 300), ...all.slice(0, 300)];
      map.updateBatch(
        prepare(
          twice,
          twice.map((_, i) => i),
        ),
      );
      for (const [i, key] of twice.entries()) model.set(key, i);
      const deltas = shuffled(ENTRIES, random).slice(0, 5_000);
      const deltaKeys = prepare(deltas).keys.slice(0, deltas.length * keySize);
      map.addMany(deltaKeys, new Uint32Array(deltas.length).fill(7), { field: "n" });
      for (const key of deltas) model.set(key, (model.get(key) ?? 0) + 7);
      check();

      // Down to less than half of it, ended by an absent key.
      const gone = [...shuffled(ENTRIES, random).slice(0, 12_000), ENTRIES + 1, 0];
      expectErrno(() => map.deleteBatch(prepare(gone)), "ENOENT");
      for (const key of gone.slice(0, 12_000)) model.delete(key);
      check();
      host.close();
    },
  );
});
