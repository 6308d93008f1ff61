// Builds what is out of date: the two wasm cores, the modules that embed them, and dist/. The compilers run beside each other: each
// is one thread, and none needs what another makes.
import { spawn } from "node:child_process";
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
import { fileURLToPath } from "node:url";
import { pack } from "./pack.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
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

/** Runs a program of node_modules. What it prints goes to standard error. */
function node(script, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [at("node_modules", script), ...args], {
      cwd: root,
      stdio: ["ignore", 2, 2],
    });
    child.on("error", reject);
    child.on("exit", (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`${script} ${args.join(" ")} ended with ${signal ?? code}`)),
    );
  });
}

/** Targets with the exports for threads. */
const SHARED_TARGETS = ["shared", "shared.debug", "stepped"];
/** The interpreter of bytecode, for both kinds of memory. */
const EBPF_TARGETS = ["ebpf", "ebpf.shared"];

/** The source of a target. */
function entryOf(target) {
  if (EBPF_TARGETS.includes(target)) return "assembly/ebpf/index.ts";
  return SHARED_TARGETS.includes(target) ? "assembly/shared.ts" : "assembly/index.ts";
}

/** The file that a target is built to. */
function wasmOf(target) {
  if (EBPF_TARGETS.includes(target)) return `${target}.wasm`;
  return target === "release" ? "core.wasm" : `core.${target}.wasm`;
}

/** Compiles assembly/ to one target of asconfig.json. @returns {Promise<string>} the path of the core */
export async function buildCore(target) {
  const output = at("build", wasmOf(target));
  if (!outdated(output, at("assembly"), at("asconfig.json"))) return output;
  mkdirSync(at("build"), { recursive: true });
  const entry = entryOf(target);
  // Moved to its place when it is whole: another process may be reading what is there.
  const part = `${output}.${process.pid}`;
  try {
    const args = ["--config", at("asconfig.json"), "--target", target, "--outFile", part];
    await node("assemblyscript/bin/asc.js", at(entry), ...args);
    renameSync(part, output);
  } finally {
    rmSync(part, { force: true });
  }
  return output;
}

/**
 * The wasm modules of the package. Each has a module in src/generated that embeds it as text (pack.mjs), and a core one with the names
 * of its exports. In the package the cores are files of their own, which Node does not load; the others are part of what uses them.
 */
const CORES = {
  core: { target: "release", source: "coreSource", names: "CORE_EXPORTS" },
  core_shared: { target: "shared", source: "sharedCoreSource", names: "CORE_SHARED_EXPORTS" },
};
const EMBEDDED = {
  ...CORES,
  ebpf: { target: "ebpf", source: "ebpfSource" },
  ebpf_shared: { target: "ebpf.shared", source: "sharedEbpfSource" },
};
const WRITTEN = "// Written by scripts/build.mjs from assembly/.\n";

/** Declarations of the embedded cores: all that the TypeScript compiler needs of them. */
function declareCores() {
  mkdirSync(at("src/generated"), { recursive: true });
  const declare = (name, text) => {
    const file = at("src/generated", `${name}.d.ts`);
    const declared = WRITTEN + text;
    if (!existsSync(file) || readFileSync(file, "utf8") !== declared) writeFileSync(file, declared);
  };
  for (const [name, { source, names }] of Object.entries(EMBEDDED)) {
    // Node puts src/node.ts in the place of the embedded core, which gives bytes.
    const form = name in CORES ? "string | Uint8Array<ArrayBuffer>" : "string";
    declare(name, `export declare function ${source}(): ${form};\n`);
    if (names !== undefined) declare(`${name}_exports`, `export declare const ${names}: string;\n`);
  }
}

/** Writes the constants that the core and the package both know. The TypeScript compiler needs them, so it waits for this. */
async function writeAbi() {
  const [code, types] = ["abi.js", "abi.d.ts"].map((name) => at("src/generated", name));
  if (!outdated(code, at("assembly"), at("asconfig.json"), at("scripts/abi.mjs"))) return;
  const { writtenAbi } = await import("./abi.mjs");
  const written = await writtenAbi(root);
  writeFileSync(types, written.types);
  // Last, and moved to its place when it is whole: it is what the next build looks at.
  const part = `${code}.${process.pid}`;
  writeFileSync(part, written.code);
  renameSync(part, code);
}

let abi;
/** Once, however many ask. */
function declareAbi() {
  abi ??= writeAbi();
  return abi;
}

/** Embeds one core. Another target than that of the package is for tests of a changed core. */
export async function embed(name, target = EMBEDDED[name].target) {
  declareCores();
  const [wasm] = await Promise.all([buildCore(target), declareAbi()]);
  const [output, listed] = ["", "_exports"].map((what) => at("src/generated", `${name}${what}.js`));
  if (!outdated(output, wasm, at("scripts/build.mjs"), at("scripts/pack.mjs"))) return;
  const { source, names } = EMBEDDED[name];
  const bytes = readFileSync(wasm);
  if (names !== undefined) writeExports(listed, names, bytes);
  // Last: it is what the next build looks at.
  writeFileSync(output, `${WRITTEN}export function ${source}() {\n  return "${pack(bytes)}";\n}\n`);
}

function writeExports(file, names, bytes) {
  const exports = WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map((exported) => exported.name);
  writeFileSync(file, `${WRITTEN}export const ${names} =\n  "${exports.join(" ")}";\n`);
}

/** Embeds all that the package uses. */
export async function embedCores() {
  await Promise.all(Object.keys(EMBEDDED).map((name) => embed(name)));
}

/** Everything that the published package holds. */
export async function buildPackage() {
  declareCores();
  const stamp = at("build/.package");
  const inputs = ["src", "scripts", "assembly", "asconfig.json", "tsconfig.json", "tsconfig.build.json"];
  if (existsSync(at("dist")) && !outdated(stamp, ...inputs.map((path) => at(path)))) return embedCores();
  // Moved to its place when it is whole: another process may be running what is there.
  const part = at(`build/dist.${process.pid}`);
  // Types are checked by `npm run lint`: without that, the declarations are there in less than half of the time.
  const declarations = () =>
    node("typescript/bin/tsc", "-p", at("tsconfig.build.json"), "--noCheck", "--outDir", part);
  const scripts = async () => {
    const { bundle } = await import("./bundle.mjs");
    await bundle(at("src"), part);
  };
  const abi = declareAbi();
  await Promise.all([embedCores().then(scripts), abi.then(declarations)]);
  copyFileSync(at("src/core_wasm.d.ts"), join(part, "core_wasm.d.ts"));
  mkdirSync(join(part, "generated"), { recursive: true });
  copyFileSync(at("src/generated/abi.d.ts"), join(part, "generated/abi.d.ts"));
  for (const name of Object.keys(CORES))
    copyFileSync(at("src/generated", `${name}.js`), join(part, `${name}.js`));
  for (const { target } of Object.values(EMBEDDED))
    copyFileSync(at("build", wasmOf(target)), join(part, wasmOf(target)));
  rmSync(at("dist"), { recursive: true, force: true });
  renameSync(part, at("dist"));
  writeFileSync(stamp, "");
}
