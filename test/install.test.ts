// What an installation of the repository rests on: what is downloaded is what the locks say, nothing of it runs code of its own, and the
// folder may have any name.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const text = (path: string): string => readFileSync(join(root, path), "utf8");

interface Lock {
  readonly packages: Readonly<Record<string, { readonly integrity?: string; readonly link?: boolean }>>;
}

test.each(["package-lock.json", "bench/peers/package-lock.json"])(
  "%s has a hash of every package",
  (path) => {
    const { packages } = JSON.parse(text(path)) as Lock;
    const downloaded = Object.entries(packages).filter(([name, { link }]) => name !== "" && link !== true);
    expect(downloaded.length).toBeGreaterThan(5);
    const without = downloaded.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ""));
    expect(without.map(([name]) => name)).toEqual([]);
  },
);

test("packages run no scripts when they are installed", () => {
  expect(text(".npmrc").split("\n")).toContain("ignore-scripts=true");
});

/** `new URL(...).pathname` has %20 where a path has a space. */
test("no URL of a file is taken for its path", () => {
  const folders = ["scripts", "bench", "test", "examples", "src"];
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(mjs|js|ts)$/.test(name) && !name.includes("node_modules"))
      .map((name) => join(folder, name)),
  );
  expect(files.length).toBeGreaterThan(200);
  const wrong = files.filter((file) => /import\.meta\.(url|resolve\([^)]*\))\)\.pathname/.test(text(file)));
  expect(wrong).toEqual([]);
});
