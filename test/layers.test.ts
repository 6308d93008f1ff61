// scripts/layers.mjs: imports that go up, circles, and files that nobody has given a floor are found.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { problemsIn, TREES } from "../scripts/layers.mjs";

const FLOORS = [["top.ts"], ["left", "right"], ["ground", "ground/deep"]];

/** A tree without a problem, in which each room is there. */
const SOUND = {
  "top.ts": 'import { a } from "./left/a";\nexport { b } from "./ground/b.js";',
  "left/a.ts": 'import { b } from "../ground/b.ts";\nexport const a = b;',
  "right/c.ts": 'export type { B } from "../ground/b";',
  "ground/b.ts": "export const b = 1;\nexport type B = number;",
  "ground/deep/d.ts": "@inline export function d(): void {}",
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "bpfmap-layers-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** What is wrong in the sound tree with other files in it. */
function problemsWith(changes: Record<string, string>): string[] {
  for (const [file, text] of Object.entries({ ...SOUND, ...changes })) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return problemsIn(root, FLOORS);
}

test.each(TREES)(
  "imports of $root only go down, and no files import each other in a circle",
  ({ root, floors }) => {
    expect(problemsIn(fileURLToPath(new URL(`../${root}`, import.meta.url)), floors)).toEqual([]);
  },
);

test("a tree whose imports go down is sound", () => {
  expect(problemsWith({})).toEqual([]);
});

describe("an import that goes up is found", () => {
  const problem = "ground/b.ts imports left/e.ts: ground may not know left, which is above it";
  /** One that closes a circle is one problem, not two. */
  const above = { "left/e.ts": 'import "../ground/b.ts";' };
  test.each([
    ["of a value", 'import { e } from "../left/e";'],
    ["of a type", 'import type { E } from "../left/e.ts";'],
    ["of a type in an expression", 'export type E = import("../left/e.js").E;'],
    ["that exports again", 'export * from "../left/e";'],
    ["that comes later", 'export const e = () => import("../left/e.ts");'],
  ])("%s", (_, text) => {
    expect(problemsWith({ ...above, "ground/b.ts": text })).toEqual([problem]);
  });

  test("from a decorated file of AssemblyScript", () => {
    const text = '@inline export function b(): u32 { return <u32>e; }\nimport { e } from "../left/e";';
    expect(problemsWith({ ...above, "ground/b.ts": text })).toEqual([problem]);
  });
});

test("rooms of one floor know nothing of each other, also where one lies in the other", () => {
  expect(problemsWith({ "left/a.ts": 'import "../right/c.ts";' })).toEqual([
    "left/a.ts imports right/c.ts: left may not know right, which is beside it",
  ]);
  expect(problemsWith({ "left/a.ts": "", "ground/b.ts": 'import "./deep/d.ts";' })).toEqual([
    "ground/b.ts imports ground/deep/d.ts: ground may not know ground/deep, which is beside it",
  ]);
});

test("a circle within a room is found, of types, too", () => {
  const changes = {
    "left/x.ts": 'import type { Y } from "./y.ts";',
    "left/y.ts": 'import "./z.ts";',
    "left/z.ts": 'import "./x.ts";',
  };
  expect(problemsWith(changes)).toEqual(["a circle: left/x.ts -> left/y.ts -> left/z.ts -> left/x.ts"]);
});

test("a file on no floor is found, and a floor without a file", () => {
  expect(problemsWith({ "attic/f.ts": "" })).toEqual(["attic/f.ts stands on no floor"]);
  expect(problemsIn(root, [...FLOORS, ["attic"], ["cellar"]])).toEqual(["there is no room cellar"]);
});

test("only by_layout.ts goes by the layout of a table, and the check of what each layout measures", () => {
  const assembly = fileURLToPath(new URL("../assembly", import.meta.url));
  const files = readdirSync(assembly, { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.ts$/.test(file),
  );
  const compares = (file: string) =>
    /[!=]= LAYOUT_(KEYS|TAGS|REFS)\b/.test(readFileSync(join(assembly, file), "utf8"));
  expect(files.filter(compares).sort()).toEqual([
    join("table", "layout", "by_layout.ts"),
    join("verify", "header.ts"),
  ]);
});
