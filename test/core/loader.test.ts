// The core is an ordinary module of AssemblyScript: the loader of the project instantiates it as the package does by itself, without
// the runtime whose help the loader offers (strings, arrays, garbage collection).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { instantiateSync } from "@assemblyscript/loader";
import { expect, test } from "vitest";
import { CORE_EXPORTS } from "../../src/generated/core_exports.js";
import { builtRoot } from "../support/built.ts";

test("the loader instantiates the core, with every export that the package calls", () => {
  const bytes = readFileSync(join(builtRoot(), "dist/core.wasm"));
  const { exports, instance } = instantiateSync(bytes, {
    env: { memory: new WebAssembly.Memory({ initial: 40 }) },
  });
  for (const name of CORE_EXPORTS.split(" ")) expect(instance.exports, name).toHaveProperty(name);
  // The loader's strings want a runtime that the core has not.
  expect(() => exports.__newString?.("text")).toThrow(/exportRuntime/);
});
