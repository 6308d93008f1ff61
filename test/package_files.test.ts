// What the package says first: its README, and the help of its program. Links: links.test.ts.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { FLOWS_HELP } from "../src/cli/flows/command.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8");

let packed: string[] = [];
beforeAll(() => {
  const pack = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const output = execFileSync("npm", pack, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [{ files }] = JSON.parse(output) as [{ files: { path: string }[] }];
  packed = files.map(({ path }) => path);
});

/** Whether a path is a file of the package, or a folder with files of it. */
const isThere = (path: string) => packed.some((file) => file === path || file.startsWith(`${path}/`));

describe("README.md", () => {
  it("says what it is, for whom, when not, how to install it, and has code in its first 30 lines", () => {
    const top = read("README.md").split("\n").slice(0, 30).join("\n");
    for (const part of ["**For whom.**", "**When not.**", "npm install bpfmap", "```js\nimport "]) {
      expect(top).toContain(part);
    }
  });
});

it("the help of the command line names no file of the repository", () => {
  for (const [, name] of FLOWS_HELP.matchAll(/(\S+\/\S+\.\w+)/g)) expect(isThere(name), name).toBe(true);
  expect(FLOWS_HELP).not.toContain("examples/");
});
