import { execFileSync } from "node:child_process";
import os from "node:os";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What git says, or null where there is no git or no repository. */
function git(...args) {
  try {
    return execFileSync("git", ["-C", root, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return null;
  }
}

/** Where, when and of what a result was measured: the head of a result file. */
export function environment(seed) {
  const changes = git("status", "--porcelain");
  return {
    node: process.version,
    v8: process.versions.v8,
    cpu: os.cpus()[0]?.model.trim() ?? "unknown",
    cores: os.availableParallelism(),
    kernel: `${os.type()} ${os.release()}`,
    commit: git("rev-parse", "HEAD"),
    dirty: changes === null ? null : changes !== "",
    date: new Date().toISOString(),
    seed,
  };
}
