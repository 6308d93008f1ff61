// bpfmap on a host that other threads could attach to, used by this thread alone: what the locks cost that nobody else takes.
//
// The library and the loops of the contender bpfmap are loaded from a copy: the call sites of those that the other contender has would
// see two cores and two kinds of maps, and both would be slower than in a program that has only one.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const name = "bpfmap-shared";
export const title = "bpfmap, as the contender bpfmap, on a shared host that has no other thread";
export const anyKeySize = true;

const root = fileURLToPath(new URL("../..", import.meta.url));
/** What the contender imports, itself included. */
const FILES = [
  "dist",
  "bench/contenders/bpfmap.mjs",
  "bench/contenders/bpfmap_bytes.mjs",
  "bench/data/sum.mjs",
  "bench/data/key_bytes.mjs",
];

export async function load(context) {
  mkdirSync(join(root, "build"), { recursive: true });
  // Below the root, so that the library's own dependency is found.
  const folder = mkdtempSync(join(root, "build/bench-"));
  try {
    for (const file of FILES) cpSync(join(root, file), join(folder, file), { recursive: true });
    const copy = await import(pathToFileURL(join(folder, FILES[1])).href);
    return await copy.load({ ...context, shared: true });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
