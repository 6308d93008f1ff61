// The objects of test/data/ebpf, which test/data/ebpf/build.sh has compiled.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../data/ebpf", import.meta.url));

/** Their names, "flows". */
export const OBJECTS = readdirSync(folder)
  .filter((file) => file.endsWith(".bpf.o"))
  .map((file) => file.replace(/\.bpf\.o$/, ""));

export function objectBytes(name: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(readFileSync(`${folder}/${name}.bpf.o`));
}
