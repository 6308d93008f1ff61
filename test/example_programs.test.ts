// Every program in examples/ prints what the comment at its end says.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { BUILD_MS, builtRoot } from "./support/built.ts";
import { bySize } from "./support/size.ts";

const run = promisify(execFile);
const folder = fileURLToPath(new URL("../examples/", import.meta.url));
/** Of maps/sockets/load_balancer.test.ts, too, which has a smaller scenario. */
const LARGE = "load-balancer/";
/** Files, and main.mjs of a folder. */
const programs = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => /^[^/]+\.mjs$|\/main\.mjs$/.test(path))
  .filter((path) => bySize(!path.startsWith(LARGE), true));

/** The comment lines after `// Prints:`, to the end of the file; after `// Prints, with numbers for #:` with numbers for #. */
function expectedOutput(source: string): string | RegExp {
  const [, numbers, comment] = /\n\/\/ Prints(, with numbers for #)?:\n([\s\S]*)$/.exec(source) ?? [];
  if (comment === undefined) throw new Error("the program has no comment // Prints:");
  const text = comment.replace(/^\/\/ ?/gm, "");
  if (numbers === undefined) return text;
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("#", "[0-9.]+")}$`);
}

beforeAll(() => {
  builtRoot();
}, BUILD_MS);

test("there are programs", () => {
  expect(programs.length).toBeGreaterThanOrEqual(5);
});

test.each(programs)("%s", async (name) => {
  const { stdout, stderr } = await run(process.execPath, [folder + name], { timeout: 30_000 });
  expect(stderr).toBe("");
  const expected = expectedOutput(readFileSync(folder + name, "utf8"));
  if (typeof expected === "string") expect(stdout).toBe(expected);
  else expect(stdout).toMatch(expected);
});
