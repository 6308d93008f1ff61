// scripts/hash_maps.mjs: the classes of hash maps and iterators are what their templates say, and a template that cannot be right is refused.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fill, hashMaps } from "../scripts/hash_maps.mjs";

test("there is a class for each kind of key, for plain hosts and for shared ones; and iterators by kind of value", () => {
  const names = ["map4", "map8", "map16", "map_any", "map_text", "map4_number"];
  const files = names.flatMap((name) => [`src/maps/hash/${name}.ts`, `src/maps/hash/shared_${name}.ts`]);
  files.push("src/maps/hash/map4_filtered.ts");
  const noted = ["map4", "map8", "map_any", "map_text", "map4_number"];
  files.push(...noted.map((name) => `src/maps/hash/noted/${name}.ts`));
  files.push(...noted.map((name) => `src/maps/hash/shared_noted/${name}.ts`));
  const scalars = ["f64", "u53", "u32", "i32", "f32"];
  const numbers = [
    ...[...scalars, "filtered", "noted"].map((kind) => `src/maps/hash/numbers/${kind}.ts`),
    ...[...scalars, "noted"].map((kind) => `src/maps/hash/shared_numbers/${kind}.ts`),
  ];
  const kinds = ["f64", "u32", "u53", "any"].map((name) => `src/ops/iterators/${name}.ts`);
  expect(hashMaps().map(({ file }) => file)).toEqual([...files, ...numbers, ...kinds]);
});

test.each(hashMaps())("$file is what `node scripts/hash_maps.mjs` writes", ({ file, text }) => {
  expect(readFileSync(new URL(`../${file}`, import.meta.url), "utf8")).toBe(text);
});

const TEMPLATE = "first\n//#if 4 8\nsome $N\n//#end\n//#if 16 plain number\nother $N\n//#end\nlast$N($words)";

test.each([
  [{ N: "8", host: "shared", words: "low, high" }, "first\nsome 8\nlast8(low, high)"],
  [{ N: "16", host: "shared", words: "at" }, "first\nother 16\nlast16(at)"],
  [{ N: "1", host: "plain", words: "at" }, "first\nother 1\nlast1(at)"],
  [{ N: "1", host: "shared", values: "number", words: "at" }, "first\nother 1\nlast1(at)"],
  [{ N: "1", host: "shared", values: "coded", words: "at" }, "first\nlast1(at)"],
])("%j has the lines that are for it, with its own names", (kind, text) => {
  expect(fill(TEMPLATE, kind)).toBe(text);
});

test.each([
  ["$other", "no meaning of $other"],
  ["a\n//#end", "the end of no block: line 2: //#end"],
  ["//#if 4\n//#if 8\n//#end", "a block in a block: line 2: //#if 8"],
  ["//#if 4\na", "a block without an end"],
])("a template of %j is refused", (template, message) => {
  expect(() => fill(template, { N: "4", host: "plain" })).toThrow(message);
});
