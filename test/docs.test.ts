// Runs every example of the README and of the docstrings (those of src/codec have a form of their own, codec_examples.test.ts):
// what console.log prints must be what the comment behind it says.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as bpfmap from "../src/index.ts";
import * as testing from "../src/testing/index.ts";
import * as uapi from "../src/uapi/index.ts";
import { BUILD_MS, builtRoot } from "./support/built.ts";

const root = new URL("../", import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), "utf8");
const sources = [
  "src/errors.ts",
  "src/hosts.ts",
  ...["src/host", "src/maps", "src/programs", "src/testing", "src/uapi"].flatMap((folder) =>
    readdirSync(new URL(folder, root))
      .filter((name) => name.endsWith(".ts"))
      .map((name) => `${folder}/${name}`),
  ),
];

interface Example {
  where: string;
  code: string;
}

const numbered = (file: string, codes: string[]): Example[] =>
  codes.map((code, index) => ({ where: `${file} #${index + 1}`, code }));

const examples: Example[] = [
  ...["README.md", "docs/programs.md", "docs/uapi.md"].flatMap((file) =>
    numbered(
      file,
      [...read(file).matchAll(/^```js\n([\s\S]*?)^```/gm)].map(([, code]) => code),
    ),
  ),
  ...sources.flatMap((file) =>
    numbered(
      file,
      [...read(file).matchAll(/@example\n[ *]*```ts\n([\s\S]*?)```/g)].map(([, code]) =>
        code.replace(/^ *\* ?/gm, ""),
      ),
    ),
  ),
];

/** The comment behind each `console.log(...);`, on its line or the next: what it prints, and perhaps more after a , : or space. */
function expectedOutput(code: string): (string | undefined)[] {
  return [...code.matchAll(/console\.log\(.*\);(?: \/\/ (.*)|\n *\/\/ (.*))?/g)].map(
    ([, same, next]) => same ?? next,
  );
}

function says(comment: string | undefined, printed: string): boolean {
  if (comment === undefined) return true;
  return comment.startsWith(printed) && /^($|[,: ])/.test(comment.slice(printed.length));
}

function expectSaid(comments: (string | undefined)[], printed: string[]): void {
  expect(printed.length).toBe(comments.length);
  printed.forEach((line, i) => {
    if (!says(comments[i], line)) expect(line).toBe(comments[i]);
  });
}

function run(code: string): string[] {
  const output: string[] = [];
  const logger = { log: (...values: unknown[]) => output.push(format(...values).replaceAll(/\s+/g, " ")) };
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const modules: Record<string, unknown> = {
    bpfmap,
    "bpfmap/testing": testing,
    "bpfmap/uapi": uapi,
    "node:fs": { readFileSync: () => readFileSync(new URL("build/core.wasm", root)) },
  };
  const load = (name: string) => {
    if (!(name in modules)) throw new Error(`an example imports ${name}`);
    return modules[name];
  };
  new Function("require", "exports", "console", outputText)(load, {}, logger);
  return output;
}

describe("examples", () => {
  it.each([
    "README.md",
    "docs/programs.md",
    "docs/uapi.md",
    "src/host/",
    "src/hosts.ts",
    "src/maps",
    "src/programs",
    "src/testing",
    "src/uapi",
    "src/errors.ts",
  ])("stand in %s", (where) => {
    expect(examples.some((example) => example.where.startsWith(where))).toBe(true);
  });

  it.each(examples)("$where prints what it says", ({ code }) => {
    const comments = expectedOutput(code);
    const printed = run(code);
    expectSaid(comments, printed);
  });
});

/** Blocks of the README that are files of one program, by their names. */
const program = [...read("README.md").matchAll(/^```js (\S+)\n([\s\S]*?)^```/gm)];

describe("the program for threads in README.md", () => {
  let folder = "";
  beforeAll(() => {
    // In the repository, so that the package finds itself by its name.
    folder = mkdtempSync(join(builtRoot(), "build/readme-"));
    for (const [, name, code] of program) writeFileSync(join(folder, name), code);
  }, BUILD_MS);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("prints what it says", () => {
    expect(program.map(([, name]) => name)).toEqual(["main.mjs", "worker.mjs"]);
    const printed = execFileSync(process.execPath, [join(folder, "main.mjs")], { encoding: "utf8" });
    const comments = program.flatMap(([, , code]) => expectedOutput(code));
    expectSaid(comments, printed.trimEnd().split("\n"));
  });
});
