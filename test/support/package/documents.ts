// The documents of the repository, and what they and the comments of the sources point at.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";

const root = new URL("../../../", import.meta.url);
export const read = (file: string) => readFileSync(new URL(file, root), "utf8");

/** Folders whose files documents and comments name. */
const FOLDERS = ["src", "assembly", "docs", "test", "bench", "scripts", "examples"];

/** Not part of the repository: what is installed or built there. */
const FOREIGN = /(^|\/)(node_modules|target|generated)\//;

/** Every file of these folders, and those beside them. */
export const FILES: readonly string[] = [
  ...readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" }).map(
      (name) => `${folder}/${name.replaceAll("\\", "/")}`,
    ),
  ),
].filter((file) => !FOREIGN.test(file));

/** Every Markdown file but reports that a program writes. */
export const DOCUMENTS: readonly string[] = FILES.filter(
  (file) => file.endsWith(".md") && !file.startsWith("bench/results/"),
);

/** Sources whose comments name files. */
export const SOURCES: readonly string[] = FILES.filter((file) => /\.(ts|mjs)$/.test(file));

/** A document without its blocks of code. */
export const prose = (text: string) => text.replace(/^```[\s\S]*?^```$/gm, "");

/** The targets of its links, but for addresses on the web. */
export function linksOf(document: string): string[] {
  const text = prose(read(document)).replace(/`[^`\n]*`/g, "`");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link).filter((link) => !/^\w+:/.test(link));
}

/** The headings of a document, as links name them. */
function anchorsOf(document: string): string[] {
  return [...prose(read(document)).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** The file or folder that a link leads to. */
export function targetOf(document: string, link: string): string {
  const [path] = link.split("#");
  return path === "" ? document : posix.join(posix.dirname(document), path).replace(/\/$/, "");
}

/** Whether the heading that a link names is there. */
export function hasAnchor(document: string, link: string): boolean {
  const [, anchor] = link.split("#");
  return anchor === undefined || anchorsOf(targetOf(document, link)).includes(anchor);
}

export const isThere = (path: string) => existsSync(new URL(path, root));

/** The comments of a source. */
export const commentsOf = (source: string) =>
  [...read(source).matchAll(/\/\*[\s\S]*?\*\/|(?:^|\s)\/\/ .*$/gm)].map(([comment]) => comment);

const PATH = new RegExp(
  `(?<![\\w/@*-])(?<!\\w\\.)(?:(?:${FOLDERS.join("|")})/[\\w./*-]*\\w|[\\w./*-]+\\.(?:ts|mjs|md)\\b(?!\\w|/))`,
  "g",
);

/** The paths that a text names: `src/maps`, `test/kv/*.test.ts`, `lock.ts`. */
export const pathsIn = (text: string) =>
  [...text.matchAll(PATH)].map(([path]) => path).filter((path) => !FOREIGN.test(path));

/** Each file and folder from the root, and what their names end with: `lock.ts`, `sync/lock.ts`. */
const WHOLE = new Set(FILES);
const ENDS = new Set(FILES.flatMap((file) => file.split("/").map((_, i, parts) => parts.slice(i).join("/"))));

/** Whether a file has this path, or ends with it when the path is not one from the root; * and NAME stand for any part of a name. */
export function isNamed(written: string): boolean {
  const path = written.replace(/^(\.\.?\/)+/, "").replace("NAME", "*");
  const paths = FOLDERS.some((folder) => path.startsWith(`${folder}/`)) ? WHOLE : ENDS;
  if (!path.includes("*")) return paths.has(path);
  const wanted = new RegExp(`^${path.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`);
  return [...paths].some((file) => wanted.test(file));
}
