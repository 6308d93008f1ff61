// The package as `npm pack` makes it.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtRoot } from "../built.ts";

interface Packed {
  readonly tarball: Uint8Array;
  /** Paths in the package. */
  readonly files: readonly string[];
}

let made: Packed | undefined;

/** npm takes a second or two: it packs once for all files of tests in a process. */
export function packed(): Packed {
  if (made === undefined) {
    const cwd = builtRoot();
    const folder = mkdtempSync(join(tmpdir(), "bpfmap-packed-"));
    try {
      const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
      const output = execFileSync("npm", pack, {
        cwd,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [{ filename, files }] = JSON.parse(output) as [{ filename: string; files: { path: string }[] }];
      made = { tarball: readFileSync(join(folder, filename)), files: files.map(({ path }) => path) };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return made;
}

/** Whether a path is a file of the package, or a folder with files of it. */
export const isPacked = (path: string) =>
  packed().files.some((file) => file === path || file.startsWith(`${path}/`));
