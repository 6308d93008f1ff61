// scripts/hash_maps.mjs: the classes of hash maps are what the template says, and a template that cannot be right is refused.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fill, hashMaps } from "../scripts/hash_maps.mjs";

test("there is a class for each kind of key", () => {
  const names = ["map4", "map8", "map16", "map_any"];
  expect(hashMaps().map(({ file }) => file)).toEqual(names.map((name) => `src/maps/hash/${name}.ts`));
});

test.each(hashMaps())("$file is what `node scripts/hash_maps.mjs` writes", ({ file, text }) => {
  expect(readFileSync(new URL(`../${file}`, import.meta.url), "utf8")).toBe(text);
});

const TEMPLATE = "first\n//#if 4 8\nsome $N\n//#end\n//#if 16\nother $N\n//#end\nlast$N($words)";

test("a kind has the lines that are for it, with its own names", () => {
  expect(fill(TEMPLATE, { N: "8", words: "low, high" })).toBe("first\nsome 8\nlast8(low, high)");
  expect(fill(TEMPLATE, { N: "16", words: "at" })).toBe("first\nother 16\nlast16(at)");
  expect(fill(TEMPLATE, { N: "1", words: "at" })).toBe("first\nlast1(at)");
});

test.each([
  ["$other", "no meaning of $other"],
  ["a\n//#end", "the end of no block: line 2: //#end"],
  ["//#if 4\n//#if 8\n//#end", "a block in a block: line 2: //#if 8"],
  ["//#if 4\na", "a block without an end"],
])("a template of %j is refused", (template, message) => {
  expect(() => fill(template, { N: "4" })).toThrow(message);
});
