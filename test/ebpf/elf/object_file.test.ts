// What is read of objects that clang has compiled: maps, variables, programs, and what their instructions refer to.
import { describe, expect, it } from "vitest";
import { type LinkedProgram, lineAt } from "../../../src/ebpf/elf/link.ts";
import { ObjectError } from "../../../src/ebpf/elf/object_error.ts";
import { type ObjectFile, parseObject } from "../../../src/ebpf/elf/object_file.ts";
import { decode } from "../../../src/ebpf/isa/decode.ts";
import { printInstruction } from "../../../src/ebpf/isa/print.ts";
import { structureProblem } from "../../../src/ebpf/isa/structure.ts";
import { OBJECTS, objectBytes } from "../support/objects.ts";

const objects = new Map(OBJECTS.map((name) => [name, parseObject(objectBytes(name))]));
const object = (name: string): ObjectFile => objects.get(name)!;

function linked(name: string, program: string): LinkedProgram {
  const { programs, functions } = object(name);
  return [...programs, ...functions].find((candidate) => candidate.name === program)!.link();
}

it("every program of every object keeps the kernel's rules of structure", () => {
  for (const { programs, functions } of objects.values()) {
    for (const program of [...programs, ...functions]) {
      expect(structureProblem(program.link().code, "kernel"), program.name).toBeUndefined();
    }
  }
});

describe("programs", () => {
  it("are the global functions of sections, with the type that the section says", () => {
    const found = (name: string) =>
      object(name).programs.map(({ name, section, type, attach, autoload }) => [
        name,
        section,
        type,
        attach,
        autoload,
      ]);
    expect(found("counters")).toEqual([["count", "xdp", "xdp", "", true]]);
    expect(found("dump")).toEqual([
      ["dump_text", "iter/bpf_map_elem", "iter", "bpf_map_elem", true],
      ["dump_binary", "iter/bpf_map_elem", "iter", "bpf_map_elem", true],
    ]);
    expect(found("subprog")).toEqual([
      ["finish", "tc", "sched_cls", "", true],
      ["start", "tc", "sched_cls", "", true],
      ["spare", "?tc", "sched_cls", "", false],
    ]);
    expect(found("legacy")).toEqual([
      ["ingress", "classifier/ingress", "sched_cls", "ingress", true],
      ["drop", "xdp_prog", "xdp", "", true],
    ]);
  });

  it("and what they call are functions", () => {
    expect(object("subprog").functions.map(({ name }) => name)).toEqual(["weigh", "step", "mix"]);
    expect(object("evict").functions.map(({ name }) => name)).toEqual(["visit"]);
  });

  it("have a license", () => {
    expect([object("counters").license, object("types").license]).toEqual(["GPL", "Dual MIT/GPL"]);
  });
});

describe("linking", () => {
  it("puts functions behind the program, each once, and counts calls anew", () => {
    const { code, functions } = linked("subprog", "start");
    expect(functions.map(({ name, start, isGlobal }) => [name, start, isGlobal])).toEqual([
      ["start", 0, true],
      ["step", 88, false],
      ["weigh", 99, true],
      ["mix", 108, false],
    ]);
    const instructions = decode(code);
    const calls = instructions.flatMap((instruction, slot) =>
      instruction?.opcode === 0x85 && instruction.src === 1 ? [[slot, slot + 1 + instruction.imm]] : [],
    );
    expect(calls).toEqual([
      [21, 99],
      [92, 108],
    ]);
    expect(printInstruction(instructions[9]!)).toBe("(18) r2 = subprog[+78]");
  });

  it("says what instructions refer to", () => {
    const { relocations } = linked("subprog", "start");
    expect(relocations).toContainEqual({
      slot: 9,
      kind: "callback",
      name: "step",
      offset: 88,
      isWeak: false,
    });
    expect(relocations).toContainEqual({ slot: 36, kind: "map", name: "outer", offset: 0, isWeak: false });
    // static __u64 hidden, behind __u64 results[16]: by the symbol of its section
    expect(relocations).toContainEqual({ slot: 75, kind: "data", name: ".bss", offset: 128, isWeak: false });
    // of weigh() and mix(), which were in other sections
    expect(relocations).toContainEqual({
      slot: 103,
      kind: "data",
      name: ".rodata",
      offset: 0,
      isWeak: false,
    });
    expect(relocations).toContainEqual({ slot: 109, kind: "data", name: ".data", offset: 0, isWeak: false });
  });

  it("leaves zeros where addresses will be, and the offset in data", () => {
    const { code } = linked("subprog", "start");
    const at = (slot: number) => printInstruction(decode(code)[slot]!);
    expect([at(36), at(75)]).toEqual(["(18) r1 = map[fd:0]", "(18) r1 = map[fd:0][0]+128"]);
  });

  it("knows what the loader sets, and what the kernel has", () => {
    const { relocations } = linked("types", "look");
    expect(relocations.filter(({ name }) => name === ".kconfig").map(({ offset }) => offset)).toEqual([0, 8]);
    expect(
      relocations.filter(({ name }) => name === "kernel_function").map(({ kind, isWeak }) => [kind, isWeak]),
    ).toEqual([
      ["ksym", true],
      ["kfunc", true],
    ]);
  });

  it("keeps the lines of the source", () => {
    const { lines } = linked("subprog", "start");
    expect(lines[0]).toEqual({
      slot: 0,
      file: "./subprog.bpf.c",
      line: 61,
      column: 0,
      text: 'SEC("tc") int start(struct __sk_buff *skb)',
    });
    expect(lines.find(({ slot }) => slot === 108)?.text).toBe(
      "static __noinline __u64 mix(__u64 a, __u64 b)",
    );
    expect(lines.map(({ slot }) => slot)).toEqual(lines.map(({ slot }) => slot).toSorted((a, b) => a - b));
    expect(lines.every(({ line }) => line > 0)).toBe(true);
    expect(linked("legacy", "drop").lines).toEqual([]);
  });

  it("finds the line of any instruction", () => {
    const program = linked("subprog", "start");
    expect(lineAt(program, 1)?.line).toBe(63);
    // between two that are named
    expect(lineAt(program, 110)).toEqual(lineAt(program, 109));
    expect(lineAt(program, 110)?.text).toBe("calls++;");
    expect(lineAt(linked("legacy", "drop"), 3)).toBeUndefined();
  });
});

describe("maps", () => {
  const plain = { flags: 0, mapExtra: 0, numaNode: 0, pinned: false, values: [] };

  it("are as their types say", () => {
    expect(object("counters").maps).toMatchObject([
      { ...plain, name: "counters", type: 1, keySize: 4, valueSize: 24, maxEntries: 10240, flags: 1 },
    ]);
    expect(object("types").maps).toMatchObject([{ type: 35, keySize: 18, valueSize: 120, mapExtra: 5 }]);
    expect(object("ratelimit").maps.map(({ name, pinned }) => [name, pinned])).toEqual([
      ["buckets", false],
      ["clients", true],
    ]);
  });

  it("may hold maps and programs", () => {
    const maps = ["events", "stages", "queue", "inner", "outer"];
    const [events, stages, queue, inner, outer] = maps.map((name) =>
      object("subprog").maps.find((map) => map.name === name),
    );
    expect(events).toMatchObject({
      ...plain,
      name: "events",
      type: 27,
      keySize: 0,
      valueSize: 0,
      maxEntries: 4096,
    });
    expect(stages).toMatchObject({
      type: 3,
      keySize: 4,
      valueSize: 4,
      values: [{ index: 1, name: "finish" }],
    });
    expect(queue).toMatchObject({ type: 22, keySize: 0, valueSize: 8 });
    expect(inner).toMatchObject({ name: "inner", type: 2 });
    expect(outer).toMatchObject({
      type: 12,
      keySize: 4,
      valueSize: 4,
      values: [{ index: 0, name: "inner" }],
      inner: { name: "outer.inner", type: 2, keySize: 4, valueSize: 8, maxEntries: 1 },
    });
  });

  it("of old objects are five numbers", () => {
    expect(object("legacy").btf).toBeUndefined();
    expect(object("legacy").maps).toEqual([
      { ...plain, name: "first", type: 1, keySize: 4, valueSize: 8, maxEntries: 100, flags: 1 },
      { ...plain, name: "second", type: 2, keySize: 4, valueSize: 16, maxEntries: 7 },
    ]);
  });
});

describe("global variables", () => {
  const variables = (name: string) =>
    object(name).data.map(({ name, size, isReadOnly, variables }) => ({
      name,
      size,
      isReadOnly,
      variables: variables.map(({ name, offset, size }) => [name, offset, size]),
    }));

  it("are in the sections that hold them", () => {
    expect(variables("counters")).toEqual([
      { name: ".rodata", size: 4, isReadOnly: true, variables: [["min_len", 0, 4]] },
      {
        name: ".bss",
        size: 16,
        isReadOnly: false,
        variables: [
          ["total", 0, 8],
          ["missed", 8, 8],
        ],
      },
    ]);
    expect(variables("types").map(({ name, size }) => [name, size])).toEqual([
      [".rodata", 30],
      [".data.limits", 16],
      [".data", 8],
      [".bss.pair", 4],
      [".bss", 4],
      [".kconfig", 16],
    ]);
    expect(variables("types").at(-1)!.variables).toEqual([
      ["LINUX_KERNEL_VERSION", 0, 4],
      ["CONFIG_BPF_JIT", 8, 1],
    ]);
  });

  it("begin as the source says", () => {
    const [rodata, limits] = object("types").data;
    expect([...rodata.bytes.subarray(0, 6)]).toEqual([104, 101, 108, 108, 111, 0]);
    expect([...new Uint32Array(limits.bytes.slice().buffer)]).toEqual([1, 2, 3, 4]);
    expect(object("counters").data[1].bytes.length).toBe(0);
  });

  it("have types", () => {
    const { data, btf } = object("counters");
    expect(data.flatMap(({ variables }) => variables.map(({ type }) => btf!.sizeOf(type!)))).toEqual([
      4, 8, 8,
    ]);
  });
});

describe("refuses", () => {
  const whole = objectBytes("counters");
  const changed = (at: number, ...bytes: number[]) => {
    const copy = whole.slice();
    copy.set(bytes, at);
    return copy;
  };

  it.each([
    ["nothing", new Uint8Array(0), "this is no ELF file"],
    ["text", new TextEncoder().encode("int main() {}".repeat(10)), "this is no ELF file"],
    ["32 bits", changed(4, 1), "the ELF file is not 64-bit"],
    ["big-endian", changed(5, 2), "big-endian objects are not supported: compile with -target bpfel"],
    [
      "x86",
      changed(18, 62, 0),
      "the ELF file is for machine 62, not for BPF: compile with clang -target bpf",
    ],
    ["a file that is cut off", whole.subarray(0, 2000), "the section headers are outside of the file"],
  ])("%s", (_, bytes, message) => {
    expect(() => parseObject(bytes)).toThrow(new ObjectError(message));
  });
});
