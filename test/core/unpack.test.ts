// The text in which the package embeds its cores.
import * as fc from "fast-check";
import { expect, test } from "vitest";
// @ts-expect-error: a script, without types
import { pack } from "../../scripts/pack.mjs";
import { unpack } from "../../src/core/wasm/unpack.ts";
import { coreSource } from "../../src/generated/core.js";
import { testSeed } from "../support/seed.ts";

test("any bytes come back", () => {
  const skewed = fc.uint8Array({ maxLength: 600, max: 120 });
  const property = fc.property(fc.oneof(fc.uint8Array({ maxLength: 2000 }), skewed), (bytes) => {
    expect(unpack(pack(bytes))).toEqual(bytes);
  });
  fc.assert(property, { seed: testSeed("core/unpack.test.ts") });
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  expect(unpack(pack(all))).toEqual(all);
});

test("a core takes hardly more text than it has bytes, and nothing in it wants an escape", () => {
  const text = coreSource() as string;
  expect(text.length).toBeLessThan(unpack(text).length * 1.05);
  expect(text).toMatch(/^[ !#-[\]-~]+$/);
});
