// Packages that only some need, and that live in a folder of their own, with a lock of their own: the contenders of the benchmarks
// (bench/peers), the oldest TypeScript (test/slow/least_typescript), what looks at the packed package
// (test/slow/published).
import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Folders that were tried. Once: without a network npm takes minutes to give up. */
const tried = new Set();

/** Installs what the lock of a folder says, unless that was done. */
function install(folder) {
  if (tried.has(folder)) return;
  tried.add(folder);
  const done = join(folder, "node_modules/.package-lock.json");
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(join(folder, "package-lock.json")).mtimeMs)
    return;
  // Not `npm ci`: it insists on the native parts of every platform, which not every mirror of the registry has.
  console.error(`installing packages from npm into ${folder} ...`);
  execFileSync("npm", ["install", "--no-save", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
  });
}

/** Loads a package of a folder. */
export function requireFrom(folder, name) {
  install(folder);
  return createRequire(join(folder, "package.json"))(name);
}

/** Loads a module of a folder, which may import its packages. */
export function importFrom(folder, file) {
  install(folder);
  return import(pathToFileURL(join(folder, file)).href);
}
