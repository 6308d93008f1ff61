// The published types in every setting that docs/guide/typescript.md promises: every example of README.md, of docs/ and
// of the docstrings compiles with the packed package. test/types.test.ts has the most common of them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireFrom } from "../../scripts/packages_apart.mjs";
import { BUILD_MS } from "../support/built.ts";
import { type Consumer, installPackage } from "../support/package/consumer.ts";
import { writeExamples } from "../support/package/package_examples.ts";
import { TypedProject, type TypeOptions, type TypeScript } from "../support/package/type_check.ts";

const NODENEXT = { module: "NodeNext" };
const BUNDLER = { module: "ESNext", moduleResolution: "Bundler" };
const LEAST_FOLDER = fileURLToPath(new URL("least_typescript/", import.meta.url));
const LEAST = requireFrom<TypeScript>(LEAST_FOLDER, "typescript");

const SETTINGS: [string, TypeScript, TypeOptions][] = [
  ["6.0, bundler", ts, BUNDLER],
  ["5.7, nodenext", LEAST, NODENEXT],
  ["5.7, bundler", LEAST, BUNDLER],
  ["5.7 without skipLibCheck", LEAST, { ...NODENEXT, skipLibCheck: false }],
  ["6.0 without skipLibCheck", ts, { ...NODENEXT, skipLibCheck: false }],
  ["6.0 without the DOM", ts, { ...NODENEXT, lib: ["ES2023", "ESNext.Disposable"], skipLibCheck: false }],
  [
    "6.0, as strict as it gets",
    ts,
    { ...NODENEXT, exactOptionalPropertyTypes: true, noImplicitOverride: true },
  ],
];

let consumer: Consumer;
let examples: Map<string, string>;

beforeAll(async () => {
  consumer = installPackage();
  examples = await writeExamples(consumer);
  const entries = ["bpfmap", "bpfmap/ebpf", "bpfmap/uapi", "bpfmap/testing"].map(
    (entry, i) => `export * as e${i} from "${entry}";`,
  );
  writeFileSync(join(consumer.folder, "entries.ts"), entries.join("\n"));
  writeFileSync(
    join(consumer.folder, "core.ts"),
    `import { useWasm } from "bpfmap";
     import core from "bpfmap/core.wasm";
     import shared from "bpfmap/core.shared.wasm";
     useWasm(core);
     useWasm(shared);`,
  );
}, BUILD_MS);

afterAll(() => consumer.remove());

describe("every example compiles", () => {
  it.each(SETTINGS)("TypeScript %s", (_, version, options) => {
    const files = [...examples.keys(), "entries.ts", "core.ts"];
    const errors = Object.entries(new TypedProject(version, consumer.folder, files, options).errors());
    expect(errors.map(([file, problems]) => [examples.get(file) ?? file, problems])).toEqual([]);
    expect(examples.size).toBeGreaterThan(100);
  });
});

describe("the declarations need", () => {
  it.each([["5.7", LEAST] as const, ["6.0", ts] as const])(
    "nothing but ES2022, TypeScript %s",
    (_, version) => {
      const options = { ...NODENEXT, lib: ["ES2022"], types: [], skipLibCheck: false };
      expect(new TypedProject(version, consumer.folder, ["entries.ts", "core.ts"], options).errors()).toEqual(
        {},
      );
    },
  );

  it("no exports of the package's manifest: moduleResolution node10", () => {
    const options = {
      module: "ESNext",
      moduleResolution: "node10",
      lib: ["ES2022"],
      types: [],
      skipLibCheck: false,
    };
    expect(new TypedProject(LEAST, consumer.folder, ["entries.ts", "core.ts"], options).errors()).toEqual({});
  });
});
