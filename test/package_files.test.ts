// What the documents of the package point at is in the package.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { posix } from "node:path";
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

/** The headings of a document, as links name them. */
const anchors = (text: string) =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );

describe("every link of the documents", () => {
  it("leads to a file of the package and a heading in it", () => {
    const documents = packed.filter((file) => file.endsWith(".md"));
    expect(documents).toContain("README.md");
    expect(documents).toContain("docs/core.md");
    const dead: string[] = [];
    let links = 0;
    for (const document of documents) {
      for (const [, link] of read(document).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(link)) continue;
        links++;
        const [path, anchor] = link.split("#");
        const target = path === "" ? document : posix.join(posix.dirname(document), path);
        const found = isThere(target) && (anchor === undefined || anchors(read(target)).includes(anchor));
        if (!found) dead.push(`${document}: ${link}`);
      }
    }
    expect(dead).toEqual([]);
    expect(links).toBeGreaterThan(50);
  });
});

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
