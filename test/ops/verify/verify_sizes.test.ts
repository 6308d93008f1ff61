// The core's verify on maps of all sizes of keys and values: a sound map is sound, and damage to it is seen, whatever its measures.
import { expect, test } from "vitest";
import { BPF_F_NO_PREALLOC, bytes, type HashMap } from "../../../src/index.ts";
import { CheckedHost } from "../../support/checked_host.ts";
import { invariant } from "../../support/core/constants.ts";
import { TableMemory } from "../../support/core/table_memory.ts";
import { testSeed } from "../../support/seed.ts";

const seed = testSeed("ops/verify/verify_sizes.test.ts");

/** Entries inline have up to 32 bytes of key and value; beyond them all layouts are alike. */
const MOST_INLINE = 32;
/** `TEST_SIZES` asks for all pairs up to a larger size. */
const MOST = Number(process.env.TEST_SIZES ?? MOST_INLINE + 2);
/** So many that some buckets have chains. */
const ENTRIES = 60;

const TYPES = [{ type: "rhash" }, { type: "hash" }, { type: "hash", flags: BPF_F_NO_PREALLOC }] as const;

function fill(map: HashMap<Uint8Array, Uint8Array>, keySize: number, valueSize: number): void {
  const key = new Uint8Array(keySize);
  const value = new Uint8Array(valueSize).fill(1);
  for (let n = 0; n < ENTRIES; n++) {
    key[0] = n;
    map.set(key, value);
  }
}

/** Number of the broken invariant, in words. */
function answer(memory: TableMemory): string {
  const code = memory.verify();
  return code === 0 ? "" : memory.checked.problem(code);
}

test.each([false, true])("all pairs of sizes, shared: %s", (shared) => {
  const checked = new CheckedHost({ seed, shared, cpus: 2 });
  const wrong: string[] = [];
  let chains = 0;
  for (let keySize = 1; keySize <= MOST; keySize++) {
    for (let valueSize = 1; valueSize <= MOST; valueSize++) {
      // One type a pair, and each of them with all rests of sizes modulo 8.
      const type = TYPES[(keySize * 5 + valueSize + (valueSize >> 3)) % TYPES.length]!;
      const map = checked.host.createMap({
        ...type,
        key: bytes(keySize),
        value: bytes(valueSize),
        maxEntries: ENTRIES,
      });
      fill(map, keySize, valueSize);
      const memory = new TableMemory(checked);
      chains += memory.get("OVERFLOW_COUNT");
      const pair = `${keySize} + ${valueSize} bytes, ${type.type}`;
      const sound = answer(memory);
      if (sound !== "") wrong.push(`${pair}: ${sound}`);
      for (const [word, name] of [
        ["COUNT", "ENTRY_COUNT"],
        ["OVERFLOW_BYTES", "MEASURES"],
        ["OVERFLOW_COUNT", "OVERFLOW_BLOCKS"],
        ["BYTES", "TABLE_BYTES"],
      ] as const) {
        const before = memory.get(word);
        memory.set(word, before + 64);
        const seen = answer(memory);
        memory.set(word, before);
        if (!seen.includes(`invariant ${invariant(name)},`)) wrong.push(`${pair}: ${word} + 64: ${seen}`);
      }
      map.close();
    }
  }
  expect(wrong).toEqual([]);
  expect(chains).toBeGreaterThan(MOST_INLINE * MOST_INLINE);
  expect(checked.host.verify()).toEqual([]);
});
