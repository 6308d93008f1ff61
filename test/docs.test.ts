// Runs every example of README.md, of docs/ and of the docstrings with the packed package: what console.log prints must be what the
// comment behind it says. test/types.test.ts compiles them.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { format, inspect } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUILD_MS } from "./support/built.ts";
import { type Consumer, installPackage } from "./support/package/consumer.ts";
import { type CodecExample, codecExamples, examples } from "./support/package/examples.ts";

let consumer: Consumer;
const modules: Record<string, Record<string, unknown>> = {};

beforeAll(async () => {
  consumer = installPackage();
  for (const entry of ["bpfmap", "bpfmap/ebpf", "bpfmap/testing", "bpfmap/uapi"])
    modules[entry] = await consumer.load(entry);
  const objects = fileURLToPath(new URL("data/ebpf", import.meta.url));
  const fileOf = (name: string) =>
    name.endsWith(".bpf.o") ? join(objects, name) : join(consumer.installed, "dist/core.wasm");
  modules["node:fs"] = { readFileSync: (name: unknown) => readFileSync(fileOf(String(name))) };
}, BUILD_MS);
afterAll(() => consumer.remove());

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
    "docs/guide/maps.md",
    "docs/guide/syscall.md",
    "docs/guide/kv.md",
    "src/host/",
    "src/kv",
    "src/hosts.ts",
    "src/maps",
    "src/programs",
    "src/testing",
    "src/uapi",
    "src/errors.ts",
  ])("stand in %s", (where) => {
    expect(examples.some((example) => example.where.startsWith(where))).toBe(true);
  });

  it.each(examples.filter(({ file }) => file === undefined))("$where prints what it says", ({ code }) => {
    const comments = expectedOutput(code);
    const printed = run(code);
    expectSaid(comments, printed);
  });
});

/** Blocks of a document that are files of one program, by their names. */
const program = examples.filter(({ file }) => file !== undefined);

it("the program of docs/guide/threads.md prints what it says", () => {
  expect(program.map(({ file }) => file)).toEqual(["main.mjs", "worker.mjs"]);
  for (const { file, code } of program) writeFileSync(join(consumer.folder, file as string), code);
  const printed = execFileSync(process.execPath, [join(consumer.folder, "main.mjs")], { encoding: "utf8" });
  const comments = program.flatMap(({ code }) => expectedOutput(code));
  expectSaid(comments, printed.trimEnd().split("\n"));
});

/** `statement; // expected value` becomes a call that notes both; `// Error: ...` below a statement, what it throws. */
function runCodec({ lines }: CodecExample) {
  const results: [string, string][] = [];
  const note = (value: unknown, expected: string) => results.push([inspect(value), expected]);
  const body = lines.map((line) => {
    const [, expression, expected] = /^([^/]+); \/\/ (.+)$/.exec(line) ?? [];
    return expression === undefined ? line : `note(${expression}, ${JSON.stringify(expected)});`;
  });
  const expectedError = lines.map((line) => /^\/\/ (\w*Error: .*)$/.exec(line)?.[1]).find(Boolean) ?? "";
  let thrown = "";
  const { bpfmap } = modules;
  try {
    new Function("note", ...Object.keys(bpfmap), body.join("\n"))(note, ...Object.values(bpfmap));
  } catch (error) {
    thrown = String(error);
  }
  return { results, thrown, expectedError };
}

describe("examples of codecs", () => {
  it("stand at every public function and constant", async () => {
    const { Scalar: _, ...codecs } = await import("../src/codec/index.ts");
    const documented = new Set(codecExamples.map(({ of }) => of));
    expect(Object.keys(codecs).filter((name) => !documented.has(name))).toEqual([]);
  });

  it.each(codecExamples)("$of does what its example says", (example) => {
    const { results, thrown, expectedError } = runCodec(example);
    expect(thrown).toBe(expectedError);
    for (const [got, expected] of results) expect(got).toBe(expected);
    expect(results.length > 0 || expectedError !== "" || example.of === "Infer").toBe(true);
  });
});
