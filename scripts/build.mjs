// Builds what is out of date: the two wasm cores, the module that embeds them, and dist/.
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

/** Compiles assembly/ to one target of asconfig.json. */
export function buildCore(target) {
  const output = at("build", target === "release" ? "core.wasm" : `core.${target}.wasm`);
  if (!outdated(output, at("assembly"), at("asconfig.json"))) return output;
  mkdirSync(at("build"), { recursive: true });
  node("assemblyscript/bin/asc.js", "--config", at("asconfig.json"), "--target", target);
  return output;
}

/** Writes src/generated/core.ts, which carries the release core as base64 text. */
export function embedCore() {
  const wasm = buildCore("release");
  const output = at("src/generated/core.ts");
  if (!outdated(output, wasm)) return;
  mkdirSync(at("src/generated"), { recursive: true });
  const base64 = readFileSync(wasm).toString("base64");
  writeFileSync(
    output,
    `// Written by scripts/build.mjs from assembly/.\nexport const CORE_WASM_BASE64: string =\n  "${base64}";\n`,
  );
}

/** Everything that the published package holds. */
export function buildPackage() {
  embedCore();
  const shared = buildCore("shared");
  const stamp = at("build/.package");
  const inputs = ["src", "build/core.wasm", "build/core.shared.wasm", "tsconfig.json", "tsconfig.build.json"];
  if (existsSync(at("dist")) && !outdated(stamp, ...inputs.map((path) => at(path)))) return;
  // Moved to its place when it is whole: another process may be running what is there.
  const part = at(`build/dist.${process.pid}`);
  node("typescript/bin/tsc", "-p", at("tsconfig.build.json"), "--outDir", part);
  copyFileSync(at("build/core.wasm"), join(part, "core.wasm"));
  copyFileSync(shared, join(part, "core.shared.wasm"));
  rmSync(at("dist"), { recursive: true, force: true });
  renameSync(part, at("dist"));
  writeFileSync(stamp, "");
}
