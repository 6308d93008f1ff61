// The scripts of the package (scripts/bundle.mjs): which of them a program loads, and that nothing is in them twice.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BUILD_MS, builtRoot } from "./support/built.ts";

/** A copy of the package. A module that runs in it gets it by its name. */
let copy: string;

beforeAll(() => {
  const root = builtRoot();
  copy = mkdtempSync(join(tmpdir(), "bpfmap-parts-"));
  for (const name of ["package.json", "dist"])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
}, BUILD_MS);
afterAll(() => rmSync(copy, { recursive: true }));

/** Runs a module in the copy, without some files of dist/. */
function run(without: readonly string[], source: string, ...flags: string[]): string {
  const files = without.map((file) => join(copy, "dist", file));
  for (const file of files) renameSync(file, `${file}.away`);
  try {
    const args = [...flags, "--input-type=module", "--eval", source];
    return execFileSync(process.execPath, args, { cwd: copy, encoding: "utf8", stdio: "pipe" });
  } finally {
    for (const file of files) renameSync(`${file}.away`, file);
  }
}

const PLAIN = `
  import { createMap, u32 } from "bpfmap";
  const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 9 });
  console.log(map.set(1, 2).get(1));`;
const SHARED = `
  import { createHost } from "bpfmap";
  console.log(createHost({ shared: true, maxMemory: 2 ** 24 }).share().module !== undefined);`;

it("Node reads a core when a host needs it, and loads neither of the embedded ones", () => {
  expect(run(["core.js", "core_shared.js", "random.js", "core.shared.wasm"], PLAIN)).toBe("2\n");
  expect(run(["core.js", "core_shared.js", "random.js", "core.wasm"], SHARED)).toBe("true\n");
  expect(() => run(["core.shared.wasm"], SHARED)).toThrow("core.shared.wasm");
});

it("anything else has the embedded cores", () => {
  // What no bundler knows, either: the condition of Node that package.json goes by.
  const files = ["core.wasm", "core.shared.wasm"];
  expect(run(files, PLAIN, "--no-addons")).toBe("2\n");
  expect(run(files, SHARED, "--no-addons")).toBe("true\n");
});

it("each module of src/ is in one script", () => {
  const dist = join(copy, "dist");
  const scripts = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((file) =>
    /\.js$/.test(file),
  );
  const modules = scripts.flatMap(
    (file) => readFileSync(join(dist, file), "utf8").match(/^\/\/ src\/\S+$/gm) ?? [],
  );
  expect(modules.length).toBeGreaterThan(150);
  expect(modules.filter((name, i) => modules.indexOf(name) !== i)).toEqual([]);
});

it("the entry points have one default host, and one class of errors", () => {
  const source = `
    import { BpfError, createMap, defaultHost, u32 } from "bpfmap";
    import { openSubject } from "bpfmap/testing";
    import { bpf_obj_get } from "bpfmap/uapi";
    defaultHost().pin("/hits", createMap({ type: "hash", key: u32, value: u32, maxEntries: 9 }));
    const fd = bpf_obj_get(defaultHost(), "/hits");
    try {
      openSubject(defaultHost(), { type: "hash", keySize: 4, valueSize: 4, maxEntries: 0 });
    } catch (error) {
      console.log(fd, error instanceof BpfError, error.code);
    }`;
  expect(run([], source)).toBe("3 true EINVAL\n");
});
