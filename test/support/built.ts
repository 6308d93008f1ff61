import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Time limit, in ms, for hooks that call {@link builtRoot}. */
export const BUILD_MS = 120_000;

const root = fileURLToPath(new URL("../..", import.meta.url));
let built = false;

/** Path of the repository, once what `npm run build` makes is up to date: `npm test` has built it, `npx vitest` has not. */
export function builtRoot(): string {
  // Once for all files that share a process.
  if (!built) {
    const script = join(root, "scripts/run.mjs");
    // Standard output goes to standard error, where the error messages of the compilers belong.
    execFileSync(process.execPath, [script, "build"], { stdio: ["ignore", 2, 2] });
    built = true;
  }
  return root;
}
