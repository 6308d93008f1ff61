// Writes src/generated/abi.js and its types: the constants that the core and JavaScript both know, from the core's source. assembly/abi.ts
// names them. It is compiled, not parsed, so that sums and what differs between the builds are the compiler's work.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const WRITTEN = "// Written by scripts/abi.mjs from assembly/abi.ts.\n";

/** Stands in for what a core imports: no function of it is called, and no constant depends on it. */
function stub({ name, kind }, memory) {
  if (name === "memory") return memory;
  return kind === "global" ? new WebAssembly.Global({ value: "i32", mutable: false }, 0) : () => 0;
}

/** The values of the exported constants of one build, by name. */
async function constantsOf(asc, root, target) {
  const args = ["assembly/abi.ts", "--config", "asconfig.json", "--target", target, "--outFile", "abi.wasm"];
  let binary;
  const { error, stderr } = await asc.main([...args, "--baseDir", root], {
    writeFile: (name, contents) => {
      if (name.endsWith("abi.wasm")) binary = contents;
    },
  });
  if (error !== null) throw new Error(`assembly/abi.ts: ${error.message}\n${stderr.toString()}`);
  const module = new WebAssembly.Module(binary);
  const shared = target === "shared";
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared });
  const env = Object.fromEntries(
    WebAssembly.Module.imports(module).map((wanted) => [wanted.name, stub(wanted, memory)]),
  );
  const { exports } = new WebAssembly.Instance(module, { env });
  const globals = Object.entries(exports).filter(([, value]) => value instanceof WebAssembly.Global);
  // Words come as i32, and none of them is negative. Only an f64 has a fraction.
  return new Map(globals.map(([name, { value }]) => [name, Number.isInteger(value) ? value >>> 0 : value]));
}

/** The invariants: name, number, and the text in the comment behind it. */
function invariantsOf(file) {
  const text = readFileSync(file, "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  return source.statements.filter(ts.isVariableStatement).map((statement) => {
    const { name, initializer } = statement.declarationList.declarations[0];
    const [comment] = ts.getTrailingCommentRanges(text, statement.end) ?? [];
    if (comment === undefined) throw new Error(`${file}: ${name.text} does not say what holds`);
    const words = text.slice(comment.pos + 2, comment.end).trim();
    return { name: name.text, code: Number(initializer.text), words };
  });
}

/** The texts of both files. @param {string} root of the project */
export async function writtenAbi(root) {
  const asc = await import("assemblyscript/asc");
  const plain = await constantsOf(asc, root, "quick");
  const shared = await constantsOf(asc, root, "shared");
  const code = [WRITTEN];
  const types = [WRITTEN];
  const add = (name, value) => {
    code.push(`export const ${name} = ${value};\n`);
    types.push(`export declare const ${name} = ${value};\n`);
  };
  for (const [name, value] of plain) {
    if (shared.get(name) === value) add(name, value);
    else {
      add(`PLAIN_${name}`, value);
      add(`SHARED_${name}`, shared.get(name));
    }
  }
  const invariants = invariantsOf(join(root, "assembly/verify/invariants.ts"));
  code.push("export const INVARIANTS = {\n");
  types.push("export declare const INVARIANTS: {\n");
  for (const { name, code: number, words } of invariants) {
    code.push(`  ${name}: { code: ${number}, text: ${JSON.stringify(words)} },\n`);
    types.push(`  readonly ${name}: { readonly code: ${number}; readonly text: string };\n`);
  }
  code.push("};\n");
  types.push("};\n");
  return { code: code.join(""), types: types.join("") };
}
