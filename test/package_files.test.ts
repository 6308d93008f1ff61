// What the package says first: its README, and the help of its program. Links: links.test.ts.
import { describe, expect, it } from "vitest";
import { FLOWS_HELP } from "../src/cli/flows/command.ts";
import { read } from "./support/package/documents.ts";
import { isPacked } from "./support/package/packed.ts";

describe("README.md", () => {
  it("says what it is, for whom, when not, how to install it, and has code in its first 30 lines", () => {
    const top = read("README.md").split("\n").slice(0, 30).join("\n");
    for (const part of ["**For whom.**", "**When not.**", "npm install bpfmap", "```js\nimport "]) {
      expect(top).toContain(part);
    }
  });
});

it("the help of the command line names no file of the repository", () => {
  for (const [, name] of FLOWS_HELP.matchAll(/(\S+\/\S+\.\w+)/g)) expect(isPacked(name), name).toBe(true);
  expect(FLOWS_HELP).not.toContain("examples/");
});
