// The package as a consumer gets it: packed, installed in an empty project, and used from there.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { unpack } from "../../src/core/wasm/unpack.ts";
import { BUILD_MS, builtRoot } from "../support/built.ts";
import { readSections } from "../support/core/wasm_sections.ts";

/**
 * Bytes of all files together. Each of the two cores is in it as it is and as text, some 350 kB and 740 kB; the library and its
 * types are 1.2 MB, documents, published results and examples 0.5 MB.
 */
const UNPACKED_MAX = 3_650_000;

let root = "";
let consumer = "";
let installed = "";
/** paths in the package, with `/` */
let files: string[] = [];

/** Runs a program in the consumer's folder and gives what it printed. */
function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { cwd: consumer, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function runModule(source: string): string {
  return run(process.execPath, "--input-type=module", "--eval", source);
}

const read = (file: string) => readFileSync(join(installed, file), "utf8");

beforeAll(() => {
  root = builtRoot();
  consumer = mkdtempSync(join(tmpdir(), "bpfmap-consumer-"));
  const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", consumer];
  execFileSync("npm", pack, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  const [tarball] = readdirSync(consumer);
  // The one dependency comes from this repository, so that nothing is fetched.
  const dependencies = {
    bpfmap: `file:${tarball}`,
    "@assemblyscript/loader": `file:${join(root, "node_modules/@assemblyscript/loader")}`,
  };
  const manifest = { name: "consumer", version: "1.0.0", private: true, dependencies };
  writeFileSync(join(consumer, "package.json"), JSON.stringify(manifest));
  run("npm", "install", "--offline", "--no-audit", "--no-fund");
  installed = join(consumer, "node_modules/bpfmap");
  files = readdirSync(installed, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => statSync(join(installed, file)).isFile());
}, BUILD_MS);

afterAll(() => {
  rmSync(consumer, { recursive: true, force: true });
});

const USE =
  "const m = createMap({ type: 'rhash', key: u32, value: u32, maxEntries: 9 }); console.log(m.set(1, 2).get(1));";

describe("entry points", () => {
  test("import", () => {
    expect(runModule(`import { createMap, u32 } from "bpfmap"; ${USE}`)).toBe("2\n");
  });

  // Node refuses to require() a module graph with a top-level await.
  test("require()", () => {
    expect(run(process.execPath, "--eval", `const { createMap, u32 } = require("bpfmap"); ${USE}`)).toBe(
      "2\n",
    );
  });

  test("bpfmap/testing, by import and by require()", () => {
    const use = `
      const spec = { type: "rhash", keySize: 4, valueSize: 8, maxEntries: 100 };
      const operations = generateOperations({ seed: 1, steps: 2000, keys: 200, maxEntries: 100 });
      console.log(replayAndShrink(operations, () => openSubject(createHost({ seed: 1 }), spec)).steps);`;
    const names = "{ generateOperations, openSubject, replayAndShrink }";
    const imports = `import { createHost } from "bpfmap"; import ${names} from "bpfmap/testing";`;
    expect(runModule(imports + use)).toBe("2000\n");
    const requires = `const { createHost } = require("bpfmap"); const ${names} = require("bpfmap/testing");`;
    expect(run(process.execPath, "--eval", requires + use)).toBe("2000\n");
  });

  test.each([
    ["bpfmap/core.wasm", false],
    ["bpfmap/core.shared.wasm", true],
  ])("%s", (specifier, shared) => {
    const url = runModule(`console.log(import.meta.resolve("${specifier}"))`).trim();
    const binary = readFileSync(new URL(url));
    expect(WebAssembly.validate(binary)).toBe(true);
    const { imports, exports } = readSections(binary);
    expect(imports.find((entry) => entry.kind === "memory")?.memory?.shared).toBe(shared);
    expect(exports.map((entry) => entry.name)).toContain("createTable");
  });

  test.each([
    ["core.wasm", "core.js", "coreSource", ""],
    ["core.shared.wasm", "core_shared.js", "sharedCoreSource", "{ shared: true, maxMemory: 2 ** 24 }"],
  ])("%s is what is embedded, and useWasm takes it", (file, module, source, options) => {
    const embedded = runModule(
      `import { ${source} as core } from "./node_modules/bpfmap/dist/${module}"; console.log(JSON.stringify(core()))`,
    );
    const wasm = readFileSync(join(installed, "dist", file));
    expect(wasm.equals(unpack(JSON.parse(embedded)))).toBe(true);
    const use = `
      import { readFileSync } from "node:fs";
      import { createHost, u32, useWasm } from "bpfmap";
      useWasm(readFileSync(new URL(import.meta.resolve("bpfmap/${file}"))));
      const createMap = (spec) => createHost(${options}).createMap(spec);
      ${USE}`;
    expect(runModule(use)).toBe("2\n");
  });

  test("package.json names files that exist", () => {
    const { exports, imports, bin, types, main } = JSON.parse(read("package.json")) as Record<
      string,
      unknown
    >;
    const named: string[] = [];
    JSON.stringify({ exports, imports, bin, types, main }, (_key, value) => {
      if (typeof value === "string") named.push(value);
      return value as unknown;
    });
    expect(named.length).toBeGreaterThan(6);
    expect(named.filter((file) => !existsSync(join(installed, file)))).toEqual([]);
  });

  test("what is not exported cannot be imported", () => {
    expect(() => runModule('import "bpfmap/dist/parts/maps.js"')).toThrow("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });

  test("the command runs", () => {
    const { version } = JSON.parse(read("package.json")) as { version: string };
    expect(run("npx", "--offline", "--no-install", "bpfmap", "--version").trim()).toBe(version);
    expect(run(join(consumer, "node_modules/.bin/bpfmap"), "--help")).toContain("Usage: bpfmap");
  });
});

/** Every module that a JavaScript file of the package names, and whether it waits at its top level. */
function analyse(file: string): { readonly modules: string[]; readonly waits: boolean } {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.ESNext, false, ts.ScriptKind.JS);
  const modules: string[] = [];
  let waits = false;
  const visit = (node: ts.Node, top: boolean): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier !== undefined
    ) {
      modules.push((node.moduleSpecifier as ts.StringLiteral).text);
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      modules.push(ts.isStringLiteral(node.arguments[0]) ? node.arguments[0].text : "(computed)");
    }
    if (
      top &&
      (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined))
    ) {
      waits = true;
    }
    const inside = top && !ts.isFunctionLike(node);
    ts.forEachChild(node, (child) => visit(child, inside));
  };
  visit(source, true);
  return { modules, waits };
}

describe("files", () => {
  const scripts = () => files.filter((file) => file.endsWith(".js"));

  test("only the library, its types, the cores, documents and examples are shipped", () => {
    const expected =
      /^(package\.json|LICENSE|[A-Z]+\.md|dist\/(.*\.(js|d\.ts)|(core|ebpf)(\.shared)?\.wasm)|(docs|examples)\/.*\.(md|mjs|sh)|bench\/results\/[\w-]+\.(md|svg))$/;
    expect(files.filter((file) => !expected.test(file))).toEqual([]);
    expect(scripts().length).toBeGreaterThan(10);
  });

  test("no tests, and no source maps", () => {
    expect(
      files.filter((file) =>
        /\.map$|\.test\.|(^|\/)(test|assembly|src)\/|^bench\/(?!results\/[\w-]+\.(md|svg)$)/.test(file),
      ),
    ).toEqual([]);
    expect(scripts().filter((file) => read(file).includes("sourceMappingURL"))).toEqual([]);
  });

  test("every declaration belongs to a source file that exists", () => {
    const declarations = files.filter((file) => file.endsWith(".d.ts"));
    expect(declarations.length).toBeGreaterThan(100);
    const stale = declarations.filter((file) => {
      const source = join(root, file.replace(/^dist/, "src"));
      // What the build writes has its declarations in src/, too.
      return !existsSync(source.replace(/\.d\.ts$/, ".ts")) && !existsSync(source);
    });
    expect(stale).toEqual([]);
  });

  test("only the command line uses modules of Node", () => {
    const users = scripts().filter((file) => analyse(file).modules.some((name) => /^node:/.test(name)));
    expect(users).not.toEqual([]);
    expect(users.filter((file) => !file.startsWith("dist/cli/"))).toEqual([]);
  });

  test("nothing is imported but files of the package, and it depends on nothing", () => {
    const names = new Set(
      scripts()
        .flatMap((file) => analyse(file).modules)
        .filter((name) => !/^(\.|node:)/.test(name)),
    );
    const { dependencies, imports } = JSON.parse(read("package.json")) as Record<string, object>;
    expect(dependencies).toBeUndefined();
    expect([...names].sort()).toEqual(Object.keys(imports!).sort());
  });

  test("no module waits at its top level", () => {
    expect(scripts().filter((file) => analyse(file).waits)).toEqual([]);
  });

  test(`at most ${UNPACKED_MAX} bytes unpacked`, () => {
    const sizes = files.map((file) => [statSync(join(installed, file)).size, file] as const);
    const total = sizes.reduce((sum, [size]) => sum + size, 0);
    const largest = [...sizes].sort(([a], [b]) => b - a).slice(0, 5);
    expect(total, `largest files: ${JSON.stringify(largest)}`).toBeLessThanOrEqual(UNPACKED_MAX);
  });
});
