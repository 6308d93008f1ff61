import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { builtRoot } from "../built.ts";
import { packed } from "./packed.ts";

/** A project that has nothing but the package, as `npm install` of its tarball leaves it. */
export interface Consumer {
  readonly folder: string;
  /** Path of the installed package. */
  readonly installed: string;
  /** Loads an entry of the installed package, as an `import` in the project would. */
  load(specifier: string): Promise<Record<string, unknown>>;
  remove(): void;
}

/**
 * Unpacks the package in a project of its own. Nothing is fetched: the one dependency, and the types of Node for the
 * examples, come from this repository.
 */
export function installPackage(): Consumer {
  const root = builtRoot();
  const folder = mkdtempSync(join(tmpdir(), "bpfmap-consumer-"));
  const modules = join(folder, "node_modules");
  const installed = join(modules, "bpfmap");
  mkdirSync(installed, { recursive: true });
  const unpack = ["-xz", "-C", installed, "--strip-components=1"];
  execFileSync("tar", unpack, { input: packed().tarball, stdio: ["pipe", "ignore", "inherit"] });
  mkdirSync(join(modules, "@types"));
  symlinkSync(join(root, "node_modules/@types/node"), join(modules, "@types/node"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "private": true }');
  const { resolve } = createRequire(join(folder, "package.json"));
  return {
    folder,
    installed,
    load: (specifier) => import(pathToFileURL(resolve(specifier)).href),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
