// The packed package as tools of the trade see it: publint and Are The Types Wrong, what a bundle of it carries, and the report of its
// API. They are installed apart, in published/: only this file needs them.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { importFrom } from "../../scripts/packages_apart.mjs";
import { BUILD_MS, builtRoot } from "../support/built.ts";
import { type Consumer, installPackage } from "../support/package/consumer.ts";
import { packed } from "../support/package/packed.ts";

/** What is used of them, as far as types help here. */
interface Tools {
  publint(options: object): Promise<{ messages: { code: string }[] }>;
  createPackageFromTarballData(data: Uint8Array): object;
  checkPackage(
    pack: object,
    options: object,
  ): Promise<{ problems: { kind: string; resolutionKind?: string }[] }>;
  buildSync(options: object): {
    outputFiles: { contents: Uint8Array }[];
    metafile: { outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }> };
  };
  Extractor: { invoke(config: object, options: object): unknown };
  ExtractorConfig: { prepare(options: object): object };
}

const tools = await importFrom<Tools>(fileURLToPath(new URL("published/", import.meta.url)), "tools.mjs");

let consumer: Consumer;

beforeAll(() => {
  consumer = installPackage();
}, BUILD_MS);

afterAll(() => consumer.remove());

test("publint finds nothing", async () => {
  const { messages } = await tools.publint({ pkgDir: consumer.installed, level: "suggestion", strict: true });
  // What the package cannot say yet: where its repository is.
  expect(messages.map(({ code }) => code)).toEqual([]);
});

test("Are The Types Wrong finds nothing, but that the package has ES modules only", async () => {
  const pack = tools.createPackageFromTarballData(packed().tarball);
  const { problems } = await tools.checkPackage(pack, {
    excludeEntrypoints: ["./core.wasm", "./core.shared.wasm"],
  });
  const found = problems.map(({ kind, resolutionKind }) => [kind, resolutionKind].join(" "));
  // require() of an ES module works since Node 20.19, which package.json asks for; TypeScript's `node16` does not know it.
  expect(found.filter((problem) => problem !== "CJSResolvesToESM node16-cjs")).toEqual([]);
});

describe("bundles", () => {
  interface Bundle {
    readonly kilobytes: number;
    readonly files: string[];
  }

  const ONE_MAP = `import { createMap, u32 } from "bpfmap";
    console.log(createMap({ type: "hash", key: u32, value: u32, maxEntries: 9 }).set(1, 2).get(1));`;

  /** A minified bundle for browsers. */
  function bundle(source: string): Bundle {
    const { outputFiles, metafile } = tools.buildSync({
      stdin: { contents: source, resolveDir: consumer.folder },
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      metafile: true,
      write: false,
      logLevel: "error",
    });
    const [output] = Object.values(metafile.outputs);
    const files = Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
    return {
      kilobytes: gzipSync(outputFiles[0].contents, { level: 9 }).length / 1000,
      files: files.map(([file]) => file.replace(/^.*\/dist\//, "")),
    };
  }

  /** The rows of the table: the code, and the kB that it says. */
  function documented(): [string, number][] {
    const page = readFileSync(join(builtRoot(), "docs/guide/bundles.md"), "utf8");
    return [...page.matchAll(/^\| `(.+)` \| (\d+) \|/gm)].map(([, code, kilobytes]) => [
      code.replaceAll("\\|", "|"),
      Number(kilobytes),
    ]);
  }

  test("take what docs/guide/bundles.md says", () => {
    const rows = documented();
    expect(rows.length).toBeGreaterThanOrEqual(4);
    // gzip differs a little from one version of Node to the next.
    const measured = rows.map(([code, said]) => {
      const { kilobytes } = bundle(code);
      return [code, Math.abs(kilobytes - said) < 1 + 0.01 * said ? said : kilobytes];
    });
    console.log(rows.map(([code]) => `${bundle(code).kilobytes} kB: ${code}`).join("\n"));
    expect(measured).toEqual(rows);
    expect(rows[0][0]).toContain("createMap, u32");
    expect(rows[0][1]).toBeLessThanOrEqual(119);
  });

  test("one with createMap alone has nothing of shared hosts, KV stores, the syscall and the compiler", () => {
    const { files } = bundle(ONE_MAP);
    const unwanted = [
      "core_shared.js",
      ...["shared_maps", "kv", "bpf", "programs"].map((name) => `parts/${name}.js`),
    ];
    expect(files.filter((file) => unwanted.includes(file))).toEqual([]);
    // The names are those that a bundle with all of them has.
    const whole = bundle('import * as everything from "bpfmap"; console.log(everything);').files;
    expect(whole).toEqual(expect.arrayContaining(unwanted));
  });

  // Nothing of the package is beside a bundle, in Node neither.
  test.each(["browser", "node"])("for platform %s run", (platform) => {
    const outfile = join(consumer.folder, "bundle.mjs");
    const contents = `import { createHost } from "bpfmap"; createHost({ shared: true, maxMemory: 2 ** 24 }); ${ONE_MAP}`;
    tools.buildSync({
      stdin: { contents, resolveDir: consumer.folder },
      bundle: true,
      minify: true,
      format: "esm",
      platform,
      outfile,
    });
    expect(execFileSync(process.execPath, [outfile], { encoding: "utf8" })).toBe("2\n");
  });
});

// A change of the API shows in the difference of a file in etc/. To accept it:
//   npm run test:slow -- test/slow/published.test.ts -u
describe("the report of the API", () => {
  test.each([
    // The table that the names of operations come from: no type.
    ["bpfmap", "index.d.ts", ["COMMANDS"]],
    // Who has a host has "bpfmap".
    ["bpfmap-uapi", "uapi/index.d.ts", ["Host"]],
    ["bpfmap-testing", "testing/index.d.ts", ["Host", "Eviction"]],
    ["bpfmap-ebpf", "ebpf/index.d.ts", ["Host", "MapType", "EntryMap", "BpfError", "WasmModule"]],
  ])("%s", async (name, entry, unnamed) => {
    const { Extractor, ExtractorConfig } = tools;
    const { folder } = consumer;
    // Not the installed one: what stands in node_modules is of another package for it.
    const root = builtRoot();
    const off = { enabled: false };
    const compilerOptions = { module: "nodenext", strict: true };
    const files = [join(root, "dist", entry)];
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    const none = { default: { logLevel: "none" } };
    const config = ExtractorConfig.prepare({
      configObjectFullPath: undefined,
      packageJsonFullPath: join(root, "package.json"),
      configObject: {
        projectFolder: root,
        mainEntryPointFilePath: join(root, "dist", entry),
        compiler: { tsconfigFilePath: join(folder, "tsconfig.json") },
        apiReport: {
          enabled: true,
          reportFileName: `${name}.api.md`,
          reportFolder: folder,
          reportTempFolder: folder,
        },
        docModel: off,
        dtsRollup: off,
        tsdocMetadata: off,
        messages: {
          compilerMessageReporting: none,
          extractorMessageReporting: {
            ...none,
            // A name that a signature mentions and the entry does not export.
            "ae-forgotten-export": { logLevel: "warning", addToApiReportFile: true },
          },
          tsdocMessageReporting: none,
        },
      },
    });
    const messageCallback = (message: { handled: boolean }) => {
      message.handled = true;
    };
    Extractor.invoke(config, { localBuild: true, messageCallback });
    const report = readFileSync(join(folder, `${name}.api.md`), "utf8");
    const forgotten = [...report.matchAll(/\(ae-forgotten-export\) The symbol "(\w+)"/g)];
    expect(forgotten.map(([, symbol]) => symbol)).toEqual(unnamed);
    await expect(report).toMatchFileSnapshot(join(root, `etc/${name}.api.md`));
  });
});
