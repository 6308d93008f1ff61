// The published tables are those of the stored results, and BENCHMARKS.md is short.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
// @ts-expect-error plain JavaScript
import { publishedPages, writeTables } from "../../bench/cli/tables.mjs";

const root = new URL("../../", import.meta.url);
const pages: { path: string; text: string }[] = publishedPages();

test.each(pages.map(({ path, text }) => [basename(path), path, text]))(
  "%s is what `npm run bench -- tables` writes",
  (_name, path, text) => {
    expect(readFileSync(path, "utf8")).toBe(text);
  },
);

test("every page of results is written by it", () => {
  const there = readdirSync(new URL("bench/results", root)).filter((name) => name.endsWith(".md"));
  expect(there.toSorted()).toEqual(pages.map(({ path }) => basename(path)).toSorted());
});

test("numbers are written as people write them", () => {
  for (const { path, text } of pages) {
    expect(text, path).not.toMatch(/\de[+-]\d/);
    expect(text, path).not.toMatch(/\b1 (splits|merges)\b/);
  }
});

test("BENCHMARKS.md has at most 200 lines and names every page of results", () => {
  const text = readFileSync(new URL("BENCHMARKS.md", root), "utf8");
  expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(200);
  const unnamed = pages
    .map(({ path }) => basename(path))
    .filter((name) => !text.includes(`(bench/results/${name}`));
  expect(unnamed).toEqual([]);
});

test("the tables of a file go beside it", () => {
  const folder = mkdtempSync(join(tmpdir(), "bpfmap-tables-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  onTestFinished(() => log.mockRestore());
  const measurement = (contender: string, rounds: number[]) => ({
    size: 500,
    operation: "get",
    contender,
    unit: "ns",
    rounds,
  });
  const result = {
    workload: "operations",
    title: "single operations",
    parameters: {},
    fingerprint: "0123456789abcdef",
    measurements: [
      measurement("bpfmap", [10, 20]),
      measurement("js-map", [30, 50]),
      { ...measurement("bpfmap", [1, 1]), operation: "splits of one call, at most", unit: "count" },
    ],
    skipped: [{ contender: "lmdb", reason: "is not installed" }],
    notes: ["a note"],
  };
  const head = { node: "v20.0.0", v8: "11.3", cpu: "a CPU", cores: 2, kernel: "Linux 6", commit: null };
  const file = join(folder, "mine.json");
  writeFileSync(file, JSON.stringify({ ...head, date: "2026-11-21T00:00:00Z", seed: 1, results: [result] }));
  writeTables([file]);
  const path = join(folder, "mine.md");
  expect(log.mock.calls).toEqual([[path]]);
  const text = readFileSync(path, "utf8");
  for (const part of [
    "# Results: mine\n",
    "Node v20.0.0 (V8 11.3), 2 cores of a CPU, Linux 6, seed 1, 2026-11-21\n\n## operations\n\nsingle operations; rounds: 2\n",
    "| 500 entries | bpfmap | js-map |\n|---|---:|---:|\n| get, ns | 15.0 | 40.0 (**2.75x**, 2.55x .. 2.95x) |\n",
    "| splits of one call, at most, count | 1 |  |\n",
    "- a note\n- without lmdb: is not installed\n- fingerprint 0123456789abcdef\n",
  ]) {
    expect(text).toContain(part);
  }
  expect(() => writeTables([join(folder, "none.json")])).toThrow(
    /tables: .*none\.json is no result file: ENOENT/,
  );
  expect(() => writeTables([path])).toThrow("it does not end in .json");
});
