// The indexes name what there is: nothing is missing in them, and nothing in them is gone.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { WORKLOADS } from "../bench/workloads/index.mjs";
import { isThere, read } from "./support/package/documents.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Files and folders of a folder, but for its index and what is installed there. */
const contents = (folder: string) =>
  readdirSync(join(root, folder)).filter((name) => name !== "README.md" && name !== "node_modules");

test("examples/README.md has a line for each example", () => {
  const named = [...read("examples/README.md").matchAll(/^\| \[(\S+)\]/gm)].map(([, name]) => name);
  expect(named.toSorted()).toEqual(contents("examples").toSorted());
});

test("bench/README.md has a line for each folder and file", () => {
  const named = [...read("bench/README.md").matchAll(/^\| (\S+?)\/? \|/gm)].map(([, name]) => name);
  expect(named.filter((name) => name !== "here").toSorted()).toEqual(contents("bench").toSorted());
});

test("docs/benchmarks/workloads.md has a section for each workload", () => {
  const sections = [...read("docs/benchmarks/workloads.md").matchAll(/^## (.*)$/gm)].flatMap(([, names]) =>
    names.split(", "),
  );
  expect(Object.keys(WORKLOADS).filter((name) => !sections.includes(name))).toEqual([]);
});

test("CONTRIBUTING.md names rooms and files that are there", () => {
  const paths = [...read("CONTRIBUTING.md").matchAll(/`((?:src|assembly|test|bench|docs)\/[\w./-]*)`/g)];
  expect(paths.length).toBeGreaterThan(15);
  const generated = /^(src\/generated\/|bench\/results\/)/;
  const gone = paths.map(([, path]) => path).filter((path) => !generated.test(path) && !isThere(path));
  expect(gone).toEqual([]);
});

/** The first cells of a table of rooms: `` `kv/` `` or `` `kv/`, `maps/` ``. */
function roomsOf(heading: string): string[] {
  const [, table] = read("CONTRIBUTING.md").split(heading);
  const [rows] = table.trimStart().split("\n\n");
  return rows
    .split("\n")
    .flatMap((row) => [...row.split("|")[1].matchAll(/`([^`]+)`/g)].map(([, name]) => name));
}

test.each(["assembly", "src"])("CONTRIBUTING.md has each room of %s, once", (folder) => {
  const there = readdirSync(join(root, folder), { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .filter((name) => name !== "generated/" && !name.endsWith(".d.ts"));
  expect(roomsOf(`\`${folder}/\`, highest first:\n`).toSorted()).toEqual(there.toSorted());
});
