/**
 * The stepped core: built from assembly/ like the shared one, but at each step of its protocol it calls `env.step(point)`
 * (assembly/sync/step.ts). Planted bugs are compiled the same way from a copy of assembly/ (planted.ts).
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as abi from "../../../src/generated/abi.js";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Time limit, in ms, for hooks that compile a core. */
export const COMPILE_MS = 120_000;

/** Points where threads meet; between them they only fill their journals. */
export const MEETINGS: readonly number[] = [
  abi.STEP_LOCK,
  abi.STEP_UNLOCK,
  abi.STEP_COMMIT,
  abi.STEP_PUBLISH,
  abi.STEP_READ,
  abi.STEP_CHECK,
  abi.STEP_INDEX,
  abi.STEP_HAZARD,
];

/** Points of assembly/sync/step.ts, without their prefix. */
const NAMES = new Map<unknown, string>(
  Object.entries(abi).flatMap(([name, point]) => (name.startsWith("STEP_") ? [[point, name.slice(5)]] : [])),
);

export function pointName(point: number): string {
  return NAMES.get(point) ?? `point ${point}`;
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
