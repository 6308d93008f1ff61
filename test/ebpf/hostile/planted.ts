// Verifiers with a hole: the sources of the real one with one place changed, bundled and loaded.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import type { verifyProgram } from "../../../src/ebpf/verify/verify.ts";

export interface Hole {
  readonly name: string;
  /** Below src/ebpf. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** The subjects that can fall into it; all, if it is left out. */
  readonly subjects?: readonly string[];
}

export const HOLES: readonly Hole[] = [
  {
    name: "values have eight bytes more",
    file: "verify/bounds.ts",
    from: "if (least >= 0 && most + bytes <= target.size) return undefined;",
    to: "if (least >= 0 && most + bytes <= target.size + 8) return undefined;",
  },
  {
    name: "values begin a byte earlier",
    file: "verify/bounds.ts",
    from: "if (least >= 0 && most + bytes <= target.size) return undefined;",
    to: "if (least >= -1 && most + bytes <= target.size) return undefined;",
  },
  {
    name: "frames have eight bytes more",
    file: "verify/bounds.ts",
    from: "if (least >= -FRAME_BYTES && most + bytes <= 0) return undefined;",
    to: "if (least >= -FRAME_BYTES && most + bytes <= 8) return undefined;",
  },
  {
    name: "packets have four bytes more",
    file: "verify/bounds.ts",
    from: "at + bytes <= pointer.range) return undefined;",
    to: "at + bytes <= pointer.range + 4) return undefined;",
    subjects: ["parser", "moves", "pull", "options", "metadata"],
  },
  {
    name: "packets begin before their first byte",
    file: "verify/bounds.ts",
    from: "if (pointer.least + offset >= 0 && at",
    to: "if (at",
    subjects: ["parser", "options", "moves", "pull"],
  },
  {
    name: "a comparison with the end gives a byte too much",
    file: "verify/branch.ts",
    from: "if (order === JMP.JLE || order === JMP.JEQ) range = pointer.fixed;",
    to: "if (order === JMP.JLE || order === JMP.JEQ) range = pointer.fixed + 1;",
    subjects: ["parser", "moves", "pull", "metadata"],
  },
  {
    name: "a comparison with the end counts on both sides",
    file: "verify/branch.ts",
    from: "  else return;\n  const variable",
    to: "  else range = pointer.fixed;\n  const variable",
    subjects: ["parser", "moves", "pull"],
  },
  {
    name: "bounds are halved after a comparison",
    file: "verify/scalar/compare.ts",
    from: "const most = Math.min(lesser.most, strictly ? before(greater.most) : greater.most);",
    to: "const most = Math.floor(Math.min(lesser.most, strictly ? before(greater.most) : greater.most) / 2);",
    subjects: ["index", "sizes", "loop", "raw"],
  },
  {
    name: "< is taken for <=, one too few",
    file: "verify/scalar/compare.ts",
    from: "const most = Math.min(lesser.most, strictly ? before(greater.most) : greater.most);",
    to: "const most = Math.min(lesser.most, before(greater.most));",
    subjects: ["index", "sizes", "loop", "raw"],
  },
  {
    name: "nobody needs a NULL test",
    file: "verify/bounds.ts",
    from: "if (pointer.nullable) return reason ??",
    to: "if (pointer.nullable && reason !== undefined) return reason ??",
  },
  {
    name: "a NULL test holds on the other side",
    file: "verify/branch.ts",
    from: "const isNull = holds === JMP.JEQ;",
    to: "const isNull = holds === JMP.JNE;",
  },
  {
    name: "a map that may be NULL is a map",
    file: "verify/arguments.ts",
    from: "value.kind === kind && !value.nullable) return value;",
    to: "value.kind === kind) return value;",
    subjects: ["inner"],
  },
  {
    name: "helpers do not move the packet",
    file: "verify/calls.ts",
    from: "if (prototype.movesPacket) forgetPacket(state);",
    to: "",
    subjects: ["moves", "pull"],
  },
  {
    name: "skb_pull_data does not move the packet",
    file: "helpers/prototypes.ts",
    from: "38, 39, 43",
    to: "38, 43",
    subjects: ["pull"],
  },
  {
    name: "stores of bytes leave what was spilled",
    file: "verify/stack.ts",
    from: "if (!isPlain) this.set(at, withoutHalf(before, byte & 4, bit));",
    to: "if (before === undefined) this.set(at, withoutHalf(before, byte & 4, bit));",
    subjects: ["bytes", "either"],
  },
  {
    name: "helpers leave what was spilled",
    file: "verify/arguments.ts",
    from: "for (const write of written) write();",
    to: "",
    subjects: ["sizes", "queue"],
  },
  {
    name: "copies are copies for ever",
    file: "verify/scalar/arithmetic.ts",
    from: "if (b.isZero) return a.withId(0);\n  const most = roundUp",
    to: "if (b.isZero) return a.withId(0);\n  if (a.id !== 0) return a;\n  const most = roundUp",
    subjects: ["offsets"],
  },
  {
    name: "a number is inside any other",
    file: "verify/within.ts",
    from: "return scalarWithin(special, general) && ids.ofNumbers(general.id, special.id);",
    to: "return ids.ofNumbers(general.id, special.id);",
    subjects: ["rounds", "steps", "options", "loop"],
  },
  {
    name: "a state is inside another one with a smaller range",
    file: "verify/within.ts",
    from: "general.range <= special.range - shift &&",
    to: "",
    subjects: ["parser", "options", "moves"],
  },
  {
    name: "a callback runs but once",
    file: "verify/explore.ts",
    from: "if (callback !== undefined) this.#callBack(callback.site,",
    to: "if (callback !== undefined && this.#visited < 0) this.#callBack(callback.site,",
    subjects: ["steps"],
  },
  {
    name: "the lock may be touched",
    file: "verify/bounds.ts",
    from: "map.lockOffset !== undefined && overlaps(map.lockOffset, 4)",
    to: "map.lockOffset !== undefined && overlaps(map.lockOffset + 4, 0)",
    subjects: ["lock"],
  },
  {
    name: "a lock may be kept",
    file: "verify/frames.ts",
    from: 'if (state.lock !== undefined) session.invalid("bpf_spin_unlock is missing");',
    to: "",
    subjects: ["lock"],
  },
  {
    name: "a record may be used when it is given back",
    file: "verify/calls.ts",
    from: 'return isIt || (register.kind === "mixed" && mayBe(register, "record")) ? UNKNOWN : register;',
    to: 'return register.kind === "mixed" && isIt ? UNKNOWN : register;',
    subjects: ["given back"],
  },
  {
    name: ".rodata may be written",
    file: "verify/bounds.ts",
    from: 'if (!target.writable && pointer.kind !== "context" && !pointer.isPacket) {',
    to: 'if (!target.writable && pointer.kind === "memory") {',
    subjects: ["rodata", "elements"],
  },
  {
    name: "masking keeps a bit more",
    file: "verify/scalar/arithmetic.ts",
    from: "return scalar(0, Math.min(a.most, b.most), S64_MIN, S64_MAX, andBits(a.bits, b.bits));",
    to: "return scalar(0, Math.floor(Math.min(a.most, b.most) / 2));",
    subjects: ["index", "rodata", "functions", "record", "raw"],
  },
];

const SOURCES = fileURLToPath(new URL("../../../src/ebpf/", import.meta.url));

/** The verifier with a hole. */
export async function planted({ file, from, to, name }: Hole): Promise<typeof verifyProgram> {
  const source = readFileSync(`${SOURCES}${file}`, "utf8");
  if (source.split(from).length !== 2) throw new Error(`${name}: ${file} does not have "${from}" once`);
  const build = await rolldown({
    input: `${SOURCES}verify/verify.ts`,
    plugins: [
      {
        name: "hole",
        transform: (code, id) => (id.endsWith(`/ebpf/${file}`) ? code.replace(from, () => to) : undefined),
      },
    ],
  });
  const { output } = await build.generate({ format: "esm" });
  await build.close();
  const url = `data:text/javascript;base64,${Buffer.from(output[0].code).toString("base64")}`;
  return ((await import(/* @vite-ignore */ url)) as { verifyProgram: typeof verifyProgram }).verifyProgram;
}
