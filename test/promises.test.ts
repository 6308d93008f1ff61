// test/README.md, "Which test keeps which promise": each promise of the documents has a row there, and the tests that it names exist.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as api from "../src/index.ts";
import * as testing from "../src/testing/index.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

/** The part of a document below a heading, up to the next one. */
function section(text: string, heading: string): string {
  const [, part] = text.split(`\n## ${heading}\n`);
  if (part === undefined) throw new Error(`there is no section "${heading}"`);
  return part.split("\n## ")[0]!;
}

/** The rows of a table with a given head in its first column: cells without the bars. */
function rowsOf(text: string, head: string): string[][] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${head} |`));
  if (start < 0) throw new Error(`there is no table of "${head}"`);
  const rows = lines.slice(start + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith("|")),
    )
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
}

const numbered = (text: string) => [...text.matchAll(/^(\d+)\. \*\*/gm)].map(([, number]) => number!);
const numberOf = (cell: string) => [cell.split(" ")[0]!];
const names = (cell: string) => cell.replaceAll("`", "").split(", ");
const firsts = (document: string, head: string) => rowsOf(read(document), head).map(([cell]) => cell!);

const list = `${section(read("README.md"), "Which test keeps which promise")}\n`;
const isError = (value: unknown) =>
  typeof value === "function" && (value.prototype instanceof Error || value === Error);

/** Head of a table of the list, the promises that it must have, and those that a first cell of it names. */
const TABLES: [string, readonly string[], (cell: string) => string[]][] = [
  ["README, Guarantees", numbered(section(read("../README.md"), "Guarantees")), numberOf],
  ["docs/guide/consistency.md", numbered(read("../docs/guide/consistency.md")), numberOf],
  [
    "error",
    [
      ...Object.entries({ ...api, ...testing })
        .filter(([, value]) => isError(value))
        .map(([name]) => name),
      ...Object.keys(api.ERRNO),
    ],
    names,
  ],
  ["errno of docs/guide/kv.md", firsts("../docs/guide/kv.md", "errno"), names],
  [
    "what a filter does (docs/guide/process.md)",
    firsts("../docs/guide/process.md", "the filter"),
    (cell) => [cell],
  ],
];

/** The titles of a file: texts in front of a function. */
function titlesOf(file: string): string[] {
  const title = /(["'`])((?:\\.|(?!\1)[^\\\n])*)\1,\s*(?:\{[^{}]*\},\s*)?(?:async\s*)?(?:\(|\w+ =>)/g;
  return [...read(file).matchAll(title)].map(([, , text]) => text!);
}

describe.each(TABLES)("%s", (head, promises, promisesOf) => {
  const rows = rowsOf(list, head);

  test("has a row for each promise, and no other", () => {
    const found = rows.flatMap(([cell]) => promisesOf(cell!));
    expect(promises.length).toBeGreaterThan(5);
    expect(found.toSorted()).toEqual([...promises].toSorted());
  });

  test.each(rows)("%s", (_, tests) => {
    const named = [...tests!.matchAll(/`([^`]+\.test\.ts)`((?:[:,] "[^"]+")*)/g)];
    expect(named.length).toBeGreaterThan(0);
    for (const [, file, titles] of named) {
      expect(file, "npm test runs it").not.toMatch(/^(slow|browser)\//);
      const there = titlesOf(file!);
      for (const [, title] of titles!.matchAll(/"([^"]+)"/g)) expect(there, file).toContain(title);
    }
    // Every text of the cell was taken for a title.
    const quoted = [...tests!.matchAll(/"/g)].length / 2;
    const taken = named.flatMap(([, , titles]) => titles!.match(/"[^"]+"/g) ?? []);
    expect(taken).toHaveLength(quoted);
  });
});
