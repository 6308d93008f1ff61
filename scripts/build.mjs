// Builds what is out of date: the two wasm cores, the modules that embed them, and dist/.
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const at = (...parts) => join(root, ...parts);

/** Newest modification time below the given files and folders. */
function newest(...paths) {
  let time = 0;
  for (const path of paths) {
    const stat = statSync(path);
    if (stat.isDirectory()) {
      for (const name of readdirSync(path)) time = Math.max(time, newest(join(path, name)));
    } else time = Math.max(time, stat.mtimeMs);
  }
  return time;
}

const outdated = (output, ...inputs) => !existsSync(output) || statSync(output).mtimeMs < newest(...inputs);

function node(script, ...args) {
  execFileSync(process.execPath, [at("node_modules", script), ...args], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
}

/** Targets with the exports for threads. */
const SHARED_TARGETS = ["shared", "shared.debug", "stepped"];

/** Compiles assembly/ to one target of asconfig.json. */
export function buildCore(target) {
  const output = at("build", target === "release" ? "core.wasm" : `core.${target}.wasm`);
  if (!outdated(output, at("assembly"), at("asconfig.json"))) return output;
  mkdirSync(at("build"), { recursive: true });
  const entry = SHARED_TARGETS.includes(target) ? "assembly/shared.ts" : "assembly/index.ts";
  node("assemblyscript/bin/asc.js", at(entry), "--config", at("asconfig.json"), "--target", target);
  return output;
}

/** Writes a module to src/generated that carries a core as base64 text. */
function embed(target, file, constant) {
  const wasm = buildCore(target);
  const output = at("src/generated", file);
  if (!outdated(output, wasm)) return;
  mkdirSync(at("src/generated"), { recursive: true });
  const base64 = readFileSync(wasm).toString("base64");
  writeFileSync(
    output,
    `// Written by scripts/build.mjs from assembly/.\nexport const ${constant}: string =\n  "${base64}";\n`,
  );
}

/** Embeds both cores that the package uses. */
export function embedCores() {
  embed("release", "core.ts", "CORE_WASM_BASE64");
  embed("shared", "core_shared.ts", "CORE_SHARED_WASM_BASE64");
}

/** Everything that the published package holds. */
export function buildPackage() {
  embedCores();
  const stamp = at("build/.package");
  const inputs = ["src", "build/core.wasm", "build/core.shared.wasm", "tsconfig.json", "tsconfig.build.json"];
  if (existsSync(at("dist")) && !outdated(stamp, ...inputs.map((path) => at(path)))) return;
  // Moved to its place when it is whole: another process may be running what is there.
  const part = at(`build/dist.${process.pid}`);
  node("typescript/bin/tsc", "-p", at("tsconfig.build.json"), "--outDir", part);
  copyFileSync(at("build/core.wasm"), join(part, "core.wasm"));
  copyFileSync(at("build/core.shared.wasm"), join(part, "core.shared.wasm"));
  rmSync(at("dist"), { recursive: true, force: true });
  renameSync(part, at("dist"));
  writeFileSync(stamp, "");
}
