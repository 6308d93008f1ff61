/**
 * The stepped core: built from assembly/ like the shared one, but at each step of its protocol it calls `env.step(point)`
 * (assembly/sync/step.ts). Planted bugs are compiled the same way from a copy of assembly/ (planted.ts).
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Time limit, in ms, for hooks that compile a core. */
export const COMPILE_MS = 120_000;

/** Points of assembly/sync/step.ts. */
export const LOCK = 1;
export const LOCKED = 2;
export const UNLOCK = 3;
export const STORE = 4;
export const COMMIT = 5;
export const PUBLISH = 6;
export const READ = 7;
export const CHECK = 8;
export const INDEX = 9;
export const HAZARD = 10;
export const COUNT = 11;
export const UNDO = 12;
export const BLOCKED = 13;

/** Points where threads meet; between them they only fill their journals. */
export const MEETINGS: readonly number[] = [LOCK, UNLOCK, COMMIT, PUBLISH, READ, CHECK, INDEX, HAZARD];

const NAMES = "LOCK LOCKED UNLOCK STORE COMMIT PUBLISH READ CHECK INDEX HAZARD COUNT UNDO BLOCKED".split(" ");

export function pointName(point: number): string {
  return NAMES[point - 1] ?? `point ${point}`;
}

/** Compiles the stepped core of the project at `folder` to `output`. Two test files may do it at the same time. */
export function compileStepped(folder: string, output: string): void {
  const part = `${output}.${process.pid}`;
  const asc = join(ROOT, "node_modules/assemblyscript/bin/asc.js");
  const args = ["assembly/shared.ts", "--config", "asconfig.json", "--target", "stepped", "--outFile", part];
  try {
    execFileSync(process.execPath, [asc, ...args], { cwd: folder, stdio: ["ignore", 2, 2] });
    renameSync(part, output);
  } finally {
    rmSync(part, { force: true });
  }
}

function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(...readdirSync(path).map((name) => newest(join(path, name))));
}

/** The stepped core of the project as it is: `TEST_STEPPED_CORE` names another file. */
export function steppedCore(): WebAssembly.Module {
  const given = process.env.TEST_STEPPED_CORE;
  const output = given ?? join(ROOT, "build/core.stepped.wasm");
  const sources = ["assembly", "asconfig.json"].map((name) => join(ROOT, name));
  if (
    given === undefined &&
    !(existsSync(output) && statSync(output).mtimeMs > Math.max(...sources.map(newest)))
  ) {
    mkdirSync(join(ROOT, "build"), { recursive: true });
    compileStepped(ROOT, output);
  }
  return new WebAssembly.Module(readFileSync(output));
}
