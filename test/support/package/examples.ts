// Every example of README.md, of docs/ and of the docstrings.
import { readdirSync, readFileSync } from "node:fs";

const root = new URL("../../../", import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), "utf8");
const list = (folder: string, suffix: string) =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(suffix))
    .map((name) => `${folder}/${name}`)
    .sort();

export interface Example {
  /** File, and number in it: `README.md #3`. */
  readonly where: string;
  readonly code: string;
  /** Its name when it is a file of a program that is made of several: `worker.mjs`. */
  readonly file?: string;
}

/** The blocks of documents, in order. */
const DOCUMENTS: readonly string[] = ["README.md", ...list("docs", ".md")];

/** Modules with docstrings for users. src/codec has examples of another form: {@link codecExamples}. */
const MODULES: readonly string[] = list("src", ".ts").filter(
  (file) => !/^src\/(codec|cli|generated)\//.test(file),
);

function numbered(
  file: string,
  blocks: Iterable<RegExpMatchArray>,
  clean = (code: string) => code,
): Example[] {
  return [...blocks].map(([, name, code], index) => ({
    where: `${file} #${index + 1}`,
    code: clean(code),
    ...(name && { file: name }),
  }));
}

/** Blocks of js and ts. Those of `javascript` are parts of programs that the text around them tells about. */
const FENCED = /^```(?:js|ts)(?: (\S+))?\n([\s\S]*?)^```/gm;
const DOCSTRING = /@example\n[ *]*```ts()\n([\s\S]*?)```/g;

export const examples: readonly Example[] = [
  ...DOCUMENTS.flatMap((file) => numbered(file, read(file).matchAll(FENCED))),
  ...MODULES.flatMap((file) =>
    numbered(file, read(file).matchAll(DOCSTRING), (code) => code.replace(/^ *\* ?/gm, "")),
  ),
];

/** An example of src/codec: statements that use the names of the package without importing them. */
export interface CodecExample {
  /** What it is an example of. */
  readonly of: string;
  readonly lines: readonly string[];
}

function codecExamplesOf(source: string): CodecExample[] {
  return [...source.matchAll(/\/\*\*\n((?: \*.*\n)+?) \*\/\n(export .*)/g)].flatMap(
    ([, comment, declaration]) => {
      const of = /(?:const|function|interface|type) (\w+)/.exec(declaration)?.[1] ?? declaration;
      const [, ...texts] = comment.replace(/^ \* ?/gm, "").split("@example\n");
      return texts.map((text) => ({ of, lines: text.split("\n") }));
    },
  );
}

export const codecExamples: readonly CodecExample[] = list("src/codec", ".ts").flatMap((file) =>
  codecExamplesOf(read(file)),
);
