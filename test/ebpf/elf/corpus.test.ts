// Objects of public collections: BPF_CORPUS=/path/to/ebpf-samples:/path/to/cilium/ebpf names checkouts. Each little-endian object is
// read, and each of its programs can be linked and keeps the kernel's rules of structure.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseObject } from "../../../src/ebpf/elf/object_file.ts";
import { decode, encode } from "../../../src/ebpf/isa/decode.ts";
import { structureProblem } from "../../../src/ebpf/isa/structure.ts";

const roots = process.env.BPF_CORPUS?.split(":") ?? [];
if (roots.length === 0) console.log("corpus: skipped, BPF_CORPUS does not name checkouts with BPF objects");

/** What is no object for this loader, by the message. */
const EXPECTED = /big-endian objects|is for machine|the symbol table has no names/;

/** Programs that are wrong, one of them on purpose. */
const WRONG = ["build/byteswap.o: func: unreachable insn 6", "invalid/invalid-lddw.o: func: R15 is invalid"];

function objectsBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return objectsBelow(path);
    return /\.(o|elf)$/.test(entry.name) ? [path] : [];
  });
}

describe.skipIf(roots.length === 0)("the corpus", () => {
  it.each(roots)("%s", (root) => {
    const problems: string[] = [];
    let [objects, programs] = [0, 0];
    for (const file of objectsBelow(root)) {
      try {
        const object = parseObject(readFileSync(file));
        objects++;
        for (const program of [...object.programs, ...object.functions]) {
          const { code } = program.link();
          expect(Buffer.compare(encode(decode(code)), code)).toBe(0);
          const problem = structureProblem(code, "kernel");
          if (problem !== undefined) problems.push(`${file}: ${program.name}: ${problem.text}`);
          programs++;
        }
      } catch (error) {
        if (!EXPECTED.test(String(error))) problems.push(`${file}: ${error}`);
      }
    }
    console.log(`corpus: ${root}: ${objects} objects, ${programs} programs and functions`);
    expect(problems.filter((problem) => !WRONG.some((known) => problem.endsWith(known)))).toEqual([]);
    expect(programs).toBeGreaterThan(0);
  });
});
