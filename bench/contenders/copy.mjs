// A second copy of the library and of some loops around it. The call sites of those that one contender has would see two cores and two
// kinds of maps if another used them, too, and both would be slower than in a program that has only one.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What the contender bpfmap imports, itself first. */
export const BPFMAP = [
  "bench/contenders/bpfmap.mjs",
  "bench/contenders/bench_host.mjs",
  "bench/contenders/bpfmap_bytes.mjs",
  "bench/data/ascend.mjs",
  "bench/data/sum.mjs",
  "bench/data/key_bytes.mjs",
  "dist",
];

/** Imports the first of some files (or folders) from a copy of all of them. */
export async function importCopy(files) {
  mkdirSync(join(root, "build"), { recursive: true });
  // Below the root, so that the library's own dependency is found.
  const folder = mkdtempSync(join(root, "build/bench-"));
  try {
    for (const file of files) cpSync(join(root, file), join(folder, file), { recursive: true });
    return await import(pathToFileURL(join(folder, files[0])).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
