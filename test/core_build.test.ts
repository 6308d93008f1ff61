// What every build of the core must look like, and that instances of it share nothing.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createHost, u32 } from "../src/index.ts";
import { BUILD_MS, builtRoot } from "./support/built.ts";
import { readSections, type WasmSections } from "./support/core/wasm_sections.ts";

const bytes: Record<string, Buffer<ArrayBuffer>> = {};
const sections: Record<string, WasmSections> = {};

beforeAll(() => {
  const root = builtRoot();
  for (const name of ["core", "core.shared", "ebpf", "ebpf.shared"]) {
    bytes[name] = readFileSync(join(root, `build/${name}.wasm`));
    sections[name] = readSections(bytes[name]);
  }
}, BUILD_MS);

describe.each(["core", "core.shared"])("%s.wasm", (name) => {
  test("is a module", () => {
    expect(WebAssembly.validate(bytes[name])).toBe(true);
  });

  test("the section reader and the engine see the same imports and exports", () => {
    const module = new WebAssembly.Module(bytes[name]);
    const { imports, exports } = sections[name];
    expect(imports.map(({ module, name, kind }) => ({ module, name, kind }))).toEqual(
      WebAssembly.Module.imports(module),
    );
    expect(exports.map(({ name, kind }) => ({ name, kind }))).toEqual(WebAssembly.Module.exports(module));
  });

  // They would overwrite the memory of a running host when a second thread instantiates the core on it.
  test("has no active data segments", () => {
    expect(sections[name].activeData).toBe(0);
  });

  // State in a global belongs to one instance, so other threads would not see it.
  test("has no mutable globals", () => {
    expect(sections[name].globals.length).toBeGreaterThan(0);
    expect(sections[name].globals.filter((global) => global.mutable)).toEqual([]);
  });

  // An i64 crosses to JavaScript as a bigint, which is allocated.
  test("exports no function with an i64", () => {
    const { exports, functions } = sections[name];
    const exported = exports.filter((entry) => entry.kind === "function");
    expect(exported.length).toBeGreaterThan(20);
    const types = exported.map((entry) => {
      const { parameters, results } = functions[entry.index];
      return [entry.name, ...new Set([...parameters, ...results])];
    });
    const wide = (type: string) => type !== "i32" && type !== "f64";
    expect(types.filter(([, ...used]) => used.some(wide))).toEqual([]);
  });

  test("imports what it needs, and defines no memory", () => {
    const { imports, memories } = sections[name];
    const shared = name === "core.shared";
    expect(memories).toEqual([]);
    expect(imports.filter((entry) => entry.kind === "memory")).toMatchObject([
      { module: "env", name: "memory", memory: { shared } },
    ]);
    // The address of the thread's CPU slot, a clock, and who knows of dead threads. The abort of assertions is in debug builds only.
    expect(imports.map((entry) => `${entry.kind} ${entry.name}`).toSorted()).toEqual(
      shared ? ["function isGone", "function now", "global slot", "memory memory"] : ["memory memory"],
    );
  });

  test("carries no names or debug information", () => {
    expect(sections[name].custom).toEqual([]);
  });
});

describe.each(["ebpf", "ebpf.shared"])("%s.wasm", (name) => {
  test("keeps its state in the memory of a host", () => {
    const { activeData, globals, imports, memories } = sections[name];
    expect([activeData, globals, memories]).toEqual([0, [], []]);
    expect(imports.map((entry) => `${entry.kind} ${entry.name}`).toSorted()).toEqual([
      "function helper",
      "memory memory",
    ]);
    expect(imports.filter((entry) => entry.kind === "memory")).toMatchObject([
      { memory: { shared: name === "ebpf.shared" } },
    ]);
  });

  test("exports one function, of words", () => {
    const { exports, functions } = sections[name];
    expect(
      exports.filter((entry) => entry.kind === "function").map((entry) => functions[entry.index]),
    ).toEqual([{ parameters: ["i32", "i32"], results: ["i32"] }]);
  });
});

/** Exports by their names: what they are, and the types of functions. */
function signatures({ exports, functions }: WasmSections): Map<string, unknown> {
  return new Map(
    exports.map(({ name, kind, index }) => [name, kind === "function" ? functions[index] : kind]),
  );
}

test("the shared build exports what the plain build does, the same way", () => {
  const [plain, shared] = [signatures(sections.core), signatures(sections["core.shared"])];
  expect(new Map([...shared].filter(([name]) => plain.has(name)))).toEqual(plain);
});

test("beyond that, the shared build exports what assembly/shared.ts names", () => {
  const source = readFileSync(new URL("../assembly/shared.ts", import.meta.url), "utf8");
  const named = [...source.matchAll(/^export \{([^}]*)\} from/gm)].flatMap(([, list]) =>
    list
      .split(",")
      .map((item) => item.trim().replace(/.* as /, ""))
      .filter((item) => item !== ""),
  );
  expect(named.length).toBeGreaterThan(20);
  const plain = signatures(sections.core);
  const more = [...signatures(sections["core.shared"]).keys()].filter((name) => !plain.has(name));
  expect(more.toSorted()).toEqual(named.toSorted());
});

test("the section reader finds what the rules forbid", () => {
  // (memory 1) (global (mut i32) i32.const 5) (data (i32.const 0) "ab") and an exported function (param i64).
  const module = Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 5, 1, 0x60, 1, 0x7e, 0],
    ...[3, 2, 1, 0],
    ...[5, 3, 1, 0, 1],
    ...[6, 6, 1, 0x7f, 1, 0x41, 5, 0x0b],
    ...[7, 5, 1, 1, 0x66, 0, 0],
    ...[10, 4, 1, 2, 0, 0x0b],
    ...[11, 8, 1, 0, 0x41, 0, 0x0b, 2, 0x61, 0x62],
  );
  expect(WebAssembly.validate(module)).toBe(true);
  expect(readSections(module)).toEqual({
    imports: [],
    functions: [{ parameters: ["i64"], results: [] }],
    memories: [{ minimum: 1, maximum: undefined, shared: false }],
    globals: [{ type: "i32", mutable: true }],
    exports: [{ name: "f", kind: "function", index: 0 }],
    activeData: 1,
    custom: [],
  });
});

test("two hosts share nothing", () => {
  const spec = { type: "rhash", key: u32, value: u32, maxEntries: 5000 } as const;
  const [first, second] = [createHost({ seed: 1 }), createHost({ seed: 1 })];
  expect(first.u8.buffer).not.toBe(second.u8.buffer);
  const [one, two] = [first.createMap(spec), second.createMap(spec)];
  for (let key = 0; key < 5000; key++) one.set(key, key);
  expect([one.size, two.size]).toEqual([5000, 0]);
  two.set(1, 100);
  expect([one.get(1), two.get(1)]).toEqual([1, 100]);
  one.clear();
  expect([one.size, two.size]).toEqual([0, 1]);
  first.close();
  expect(() => one.get(1)).toThrow("closed");
  expect(two.get(1)).toBe(100);
});

test("the same seed and the same calls give the same order, another seed another", () => {
  const order = (seed: number) => {
    const map = createHost({ seed }).createMap({ type: "rhash", key: u32, value: u32, maxEntries: 1000 });
    for (let key = 0; key < 1000; key++) map.set(key, key);
    return [...map.keys()];
  };
  expect(order(7)).toEqual(order(7));
  expect(order(8)).not.toEqual(order(7));
});
