// Every program in examples/ prints what the comment at its end says.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { BUILD_MS, builtRoot } from "./support/built.ts";

const run = promisify(execFile);
const folder = new URL("../examples/", import.meta.url).pathname;
const programs = readdirSync(folder).filter((name) => name.endsWith(".mjs"));

/** The comment lines after `// Prints:`, to the end of the file. */
function expectedOutput(source: string): string {
  const [, comment] = source.split("\n// Prints:\n");
  if (comment === undefined) throw new Error("the program has no comment // Prints:");
  return comment.replace(/^\/\/ ?/gm, "");
}

beforeAll(() => {
  builtRoot();
}, BUILD_MS);

test("there are programs", () => {
  expect(programs.length).toBeGreaterThanOrEqual(3);
});

test.each(programs)("%s", async (name) => {
  const { stdout, stderr } = await run(process.execPath, [folder + name], { timeout: 30_000 });
  expect(stderr).toBe("");
  expect(stdout).toBe(expectedOutput(readFileSync(folder + name, "utf8")));
});
