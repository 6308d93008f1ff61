// scripts/raw_memory.mjs: host memory that is read or written by the index of a word, outside of core/ and of the files that may.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { HOT, problemsOf, rawLines } from "../scripts/raw_memory.mjs";

let root = "";
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("only core/ and the hot files of src/ index the views", () => {
  expect(problemsOf(fileURLToPath(new URL("../src", import.meta.url)), HOT)).toEqual([]);
});

test.each([
  "host.u32[address >>> 2]",
  "this.#host.i32[at] = 1",
  "u8[address + 1]++",
  "map.host.f64[0]",
  "host.view.getUint16(address, true)",
  "this.#host.view.setFloat64(address, 1, true)",
])("%s indexes a view", (code) => {
  expect(rawLines(`const a = 1;\n${code};`)).toEqual([2]);
});

test.each(["host.word(address)", "keys[0]", "host.u8.subarray(1, 2)", "view.getUint8(0)", "// host.u32[0]"])(
  "%s indexes none",
  (code) => {
    expect(rawLines(code)).toEqual([]);
  },
);

test("a file that is not in the list is found, and one that is in it for nothing", () => {
  root = mkdtempSync(join(tmpdir(), "bpfmap-raw-"));
  const raw = "\nhost.u32[0] = 1;";
  for (const folder of ["core", "cli", "maps"]) mkdirSync(join(root, folder));
  for (const file of ["core/a.ts", "cli/a.ts", "maps/hot.ts", "maps/other.ts"])
    writeFileSync(join(root, file), raw);
  writeFileSync(join(root, "maps/cold.ts"), "host.word(0);");
  expect(problemsOf(root, ["maps/hot.ts", "maps/cold.ts"])).toEqual([
    "maps/other.ts:2 indexes a view of host memory: use host.word()",
    "maps/cold.ts need not be in the list of hot files",
  ]);
});
