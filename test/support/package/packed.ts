// What `npm pack` puts into the package, without packing it.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

let files: readonly string[] | undefined;

/** Paths in the package. npm takes a second to list them: it does so once for all files of tests in a process. */
export function packedFiles(): readonly string[] {
  if (files === undefined) {
    const pack = ["pack", "--dry-run", "--json", "--ignore-scripts"];
    const cwd = fileURLToPath(new URL("../../../", import.meta.url));
    const output = execFileSync("npm", pack, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const [listed] = JSON.parse(output) as [{ files: { path: string }[] }];
    files = listed.files.map(({ path }) => path);
  }
  return files;
}

/** Whether a path is a file of the package, or a folder with files of it. */
export const isPacked = (path: string) =>
  packedFiles().some((file) => file === path || file.startsWith(`${path}/`));
