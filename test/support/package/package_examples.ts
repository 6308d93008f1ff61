// The examples as files of a consumer's project.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Consumer } from "./consumer.ts";
import { codecExamples, examples } from "./examples.ts";

/** Writes every example as a module of its own; what each file is an example of. */
export async function writeExamples({ folder, load }: Consumer): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const write = (code: string, where: string) => {
    const file = `example-${files.size + 1}.mts`;
    writeFileSync(join(folder, file), `${code}\nexport {};\n`);
    files.set(file, where);
  };
  for (const { code, where } of examples) write(code, where);
  const names = Object.keys(await load("bpfmap")).join(", ");
  for (const { of, lines } of codecExamples) {
    write(`import { ${names}, type Infer } from "bpfmap"; ${lines.join("\n")}`, `src/codec ${of}`);
  }
  return files;
}
