// An operation that removes a whole chain on a shared host, while many elements are dead: each removal may sweep some of them, and the
// journal must have room for all of it.
import { expect, test } from "vitest";
import { bytes, createHost } from "../../src/index.ts";
import { vanishingWord } from "../support/colliding_subject.ts";
import { rawTexts } from "../support/text_subject.ts";

const SEED = 5;
/** As many as one operation removes at most, all with one hash. */
const CHAIN = 64;
const DEAD = 3000;

function keyOf(group: number, number: number): Uint8Array {
  const words = Uint32Array.of(group, 0, vanishingWord(SEED, 1), number);
  return new Uint8Array(words.buffer);
}

const KINDS = [
  ["elements of one size", bytes(16)],
  ["texts", rawTexts()],
] as const;

test.each(KINDS.flatMap(([kind, key]) => ["clear", "drain"].map((how) => [kind, how, key] as const)))(
  "%s: %s",
  (_kind, how, key) => {
    const host = createHost({ seed: SEED, shared: true, maxMemory: 2 ** 24, cpus: 2 });
    const map = host.createMap({ type: "rhash", key, value: bytes(40), maxEntries: 10_000 });
    const value = new Uint8Array(40);
    for (let n = 0; n < CHAIN; n++) map.set(keyOf(1, n), value);
    host.section(() => {
      for (let n = 0; n < DEAD; n++) map.set(keyOf(2 + n, 0), value);
      for (let n = 0; n < DEAD; n++) map.delete(keyOf(2 + n, 0));
    });
    expect(map.size).toBe(CHAIN);
    if (how === "clear") map.clear();
    else expect([...map.drain({ size: CHAIN })]).toHaveLength(CHAIN);
    expect(map.size).toBe(0);
    expect(map.verify().concat(host.verify())).toEqual([]);
    host.close();
  },
);
