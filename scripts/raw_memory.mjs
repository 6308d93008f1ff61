// Which files of src/ read and write host memory by the index of a word or byte, `host.u32[address >>> 2]`: those of core/, and a
// closed list of hot ones. All others name an address, `host.word(address)`. Part of `npm run lint`. The program in cli/ is a user of the
// package: it has the views, as all users do.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";

/** Where every nanosecond counts, or a loop goes over words: a call more would be seen. */
export const HOT = [
  "entries/accessor.ts",
  "kv/plain_store.ts",
  "kv/store/copy.ts",
  "kv/store/store_handle.ts",
  "maps/array/array_map.ts",
  "maps/array/shared_array.ts",
  "maps/array/shared_percpu_array.ts",
  "maps/hash/map16.ts",
  "maps/hash/map4.ts",
  "maps/hash/map4_filtered.ts",
  "maps/hash/numbers/f32.ts",
  "maps/hash/numbers/f64.ts",
  "maps/hash/numbers/filtered.ts",
  "maps/hash/numbers/i32.ts",
  "maps/hash/numbers/noted.ts",
  "maps/hash/noted/map4.ts",
  "maps/hash/map4_number.ts",
  "maps/hash/noted/map4_number.ts",
  "maps/hash/numbers/u32.ts",
  "maps/hash/numbers/u53.ts",
  "maps/hash/map8.ts",
  "maps/hash/noted/map8.ts",
  "maps/hash/map_any.ts",
  "maps/hash/map_text.ts",
  "maps/hash/shared_map4.ts",
  "maps/hash/shared_noted/map4.ts",
  "maps/hash/shared_map4_number.ts",
  "maps/hash/shared_noted/map4_number.ts",
  "maps/hash/shared_map8.ts",
  "maps/hash/shared_noted/map8.ts",
  "maps/hash/shared_numbers/f32.ts",
  "maps/hash/shared_numbers/f64.ts",
  "maps/hash/shared_numbers/i32.ts",
  "maps/hash/shared_numbers/noted.ts",
  "maps/hash/shared_numbers/u32.ts",
  "maps/hash/shared_numbers/u53.ts",
  "programs/evaluate/evaluate.ts",
  "programs/evaluate/evaluate_boolean.ts",
  "runs/run.ts",
];

/** The typed arrays of HostViews, by the end of what is indexed: `host.u32`, `this.#host.u32`, `u32`. */
const VIEW = /(^|\.)(u8|u16|u32|i32|f32|f64)$/;
/** The DataView of a host. Others are of buffers of the caller's. */
const DATA_VIEW = /\bhost\.view\.[gs]et\w+$/i;

/** The lines of a source text that index a view. */
export function rawLines(text) {
  const source = ts.createSourceFile("", text, ts.ScriptTarget.Latest, true);
  const lines = [];
  const visit = (node) => {
    const raw =
      (ts.isElementAccessExpression(node) && VIEW.test(node.expression.getText())) ||
      (ts.isCallExpression(node) && DATA_VIEW.test(node.expression.getText()));
    if (raw) lines.push(source.getLineAndCharacterOfPosition(node.getStart()).line + 1);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return lines;
}

/** What is wrong below a folder, a sentence each. */
export function problemsOf(root, hot) {
  const problems = [];
  const needed = new Set();
  for (const name of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    const file = name.replaceAll("\\", "/");
    if (!/(?<!\.d)\.ts$/.test(file) || /^(core|cli)\//.test(file)) continue;
    const lines = rawLines(readFileSync(join(root, name), "utf8"));
    if (lines.length > 0) needed.add(file);
    if (hot.includes(file)) continue;
    for (const line of lines) problems.push(`${file}:${line} indexes a view of host memory: use host.word()`);
  }
  for (const file of hot)
    if (!needed.has(file)) problems.push(`${file} need not be in the list of hot files`);
  return problems;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const problem of problemsOf(fileURLToPath(new URL("../src", import.meta.url)), HOT)) {
    console.error(`src: ${problem}`);
    process.exitCode = 1;
  }
}
