import { mkdirSync, renameSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const build = fileURLToPath(new URL("../../build/", import.meta.url));

/**
 * A file of build/, made when it is older than what it is made of.
 *
 * @param {string} name
 * @param {string[]} sources paths
 * @param {(output: string) => void} compile makes it; the file gets its name afterwards, as another process may be about to open it
 * @returns {string} its path
 */
export function make(name, sources, compile) {
  const target = `${build}${name}`;
  const made = statSync(target, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (sources.some((source) => statSync(source).mtimeMs >= made)) {
    mkdirSync(build, { recursive: true });
    const output = `${target}.${process.pid}`;
    compile(output);
    renameSync(output, target);
  }
  return target;
}

/** What a compiler said, or why there is none. */
export function reasonOf(error) {
  return String(error.stderr ?? "").trim() || error.message;
}
