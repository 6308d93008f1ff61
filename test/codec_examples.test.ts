// Runs the @example of every public docstring of src/codec and compares what its comments say.
import { readdirSync, readFileSync } from "node:fs";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import * as codec from "../src/codec/index.ts";

const folder = new URL("../src/codec/", import.meta.url);

interface Example {
  of: string;
  lines: string[];
}

function examplesOf(source: string): Example[] {
  return [...source.matchAll(/\/\*\*\n((?: \*.*\n)+?) \*\/\n(export .*)/g)].flatMap(
    ([, comment, declaration]) => {
      const of = /(?:const|function|interface|type) (\w+)/.exec(declaration)?.[1] ?? declaration;
      const [, ...examples] = comment.replace(/^ \* ?/gm, "").split("@example\n");
      return examples.map((text) => ({ of, lines: text.split("\n") }));
    },
  );
}

const examples = readdirSync(folder).flatMap((name) =>
  examplesOf(readFileSync(new URL(name, folder), "utf8")),
);

/** `statement; // expected value` becomes a call that notes both; `// Error: ...` below a statement, what it throws. */
function run({ lines }: Example): { results: [string, string][]; thrown: string; expectedError: string } {
  const results: [string, string][] = [];
  const note = (value: unknown, expected: string) => results.push([inspect(value), expected]);
  const body = lines.map((line) => {
    const [, expression, expected] = /^([^/]+); \/\/ (.+)$/.exec(line) ?? [];
    return expression === undefined ? line : `note(${expression}, ${JSON.stringify(expected)});`;
  });
  const expectedError = lines.map((line) => /^\/\/ (\w*Error: .*)$/.exec(line)?.[1]).find(Boolean) ?? "";
  let thrown = "";
  try {
    new Function("note", ...Object.keys(codec), body.join("\n"))(note, ...Object.values(codec));
  } catch (error) {
    thrown = String(error);
  }
  return { results, thrown, expectedError };
}

describe("examples", () => {
  it("stand at every public function and constant", () => {
    const documented = new Set(examples.map(({ of }) => of));
    expect(Object.keys(codec).filter((name) => !documented.has(name))).toEqual(["Scalar"]);
  });

  it.each(examples)("$of does what its example says", (example) => {
    const { results, thrown, expectedError } = run(example);
    expect(thrown).toBe(expectedError);
    for (const [got, expected] of results) expect(got).toBe(expected);
    expect(results.length > 0 || expectedError !== "" || example.of === "Infer").toBe(true);
  });
});
