// BTF: every kind of type, and what leads nowhere.
import { describe, expect, it } from "vitest";
import { Btf } from "../../../src/ebpf/elf/btf.ts";
import { BtfExt } from "../../../src/ebpf/elf/btf_ext.ts";
import { ObjectError } from "../../../src/ebpf/elf/object_error.ts";
import { btfBytes, type WrittenType } from "../support/btf_writer.ts";

const INT: WrittenType = { kind: "int", name: "int", word: 4, behind: [(1 << 24) | 32] };
const read = (...types: WrittenType[]) => new Btf(btfBytes(types));

describe("types", () => {
  it.each<[WrittenType, object]>([
    [INT, { kind: "int", name: "int", size: 4, bits: 32, isSigned: true, isChar: false, isBool: false }],
    [
      { kind: "int", name: "_Bool", word: 1, behind: [(4 << 24) | 8] },
      { kind: "int", name: "_Bool", size: 1, bits: 8, isSigned: false, isChar: false, isBool: true },
    ],
    [
      { kind: "ptr", word: 2 },
      { kind: "ptr", type: 2 },
    ],
    [
      { kind: "array", behind: [2, 3, 7] },
      { kind: "array", type: 2, count: 7 },
    ],
    [
      { kind: "struct", name: "s", word: 8, parts: 2, behind: ["a", 2, 0, "b", 2, 32] },
      {
        kind: "struct",
        name: "s",
        size: 8,
        members: [
          { name: "a", type: 2, bitOffset: 0, bits: 0 },
          { name: "b", type: 2, bitOffset: 32, bits: 0 },
        ],
      },
    ],
    [
      { kind: "struct", word: 4, flag: true, parts: 1, behind: ["bits", 2, (3 << 24) | 5] },
      { kind: "struct", name: "", size: 4, members: [{ name: "bits", type: 2, bitOffset: 5, bits: 3 }] },
    ],
    [
      { kind: "union", name: "u", word: 4, parts: 1, behind: ["a", 2, 0] },
      { kind: "union", name: "u", size: 4, members: [{ name: "a", type: 2, bitOffset: 0, bits: 0 }] },
    ],
    [
      { kind: "enum", name: "e", word: 4, parts: 1, behind: ["MOST", 0xffff_ffff] },
      { kind: "enum", name: "e", size: 4, isSigned: false, values: [{ name: "MOST", value: 0xffff_ffffn }] },
    ],
    [
      { kind: "enum", name: "e", word: 4, flag: true, parts: 1, behind: ["LEAST", 0xffff_ffff] },
      { kind: "enum", name: "e", size: 4, isSigned: true, values: [{ name: "LEAST", value: -1n }] },
    ],
    [
      { kind: "enum64", name: "e", word: 8, parts: 1, behind: ["FAR", 2, 1] },
      {
        kind: "enum64",
        name: "e",
        size: 8,
        isSigned: false,
        values: [{ name: "FAR", value: 0x1_0000_0002n }],
      },
    ],
    [
      { kind: "fwd", name: "f", flag: true },
      { kind: "fwd", name: "f", isUnion: true },
    ],
    [
      { kind: "typedef", name: "t", word: 2 },
      { kind: "typedef", name: "t", type: 2 },
    ],
    [
      { kind: "volatile", word: 2 },
      { kind: "volatile", name: "", type: 2 },
    ],
    [
      { kind: "const", word: 2 },
      { kind: "const", name: "", type: 2 },
    ],
    [
      { kind: "restrict", word: 2 },
      { kind: "restrict", name: "", type: 2 },
    ],
    [
      { kind: "type_tag", name: "user", word: 2 },
      { kind: "type_tag", name: "user", type: 2 },
    ],
    [
      { kind: "func", name: "f", word: 3, parts: 1 },
      { kind: "func", name: "f", type: 3, linkage: 1 },
    ],
    [
      { kind: "func_proto", word: 2, parts: 1, behind: ["ctx", 2] },
      { kind: "func_proto", type: 2, parameters: [{ name: "ctx", type: 2 }] },
    ],
    [
      { kind: "var", name: "v", word: 2, behind: [1] },
      { kind: "var", name: "v", type: 2, linkage: 1 },
    ],
    [
      { kind: "datasec", name: ".bss", word: 8, parts: 1, behind: [2, 4, 4] },
      { kind: "datasec", name: ".bss", size: 8, variables: [{ type: 2, offset: 4, size: 4 }] },
    ],
    [
      { kind: "float", name: "double", word: 8 },
      { kind: "float", name: "double", size: 8 },
    ],
    [
      { kind: "decl_tag", name: "tag", word: 2, behind: [0xffff_ffff] },
      { kind: "decl_tag", name: "tag", type: 2, component: -1 },
    ],
  ])("$0.kind", (written, type) => {
    const btf = read(written, INT);
    expect(btf.type(1)).toEqual(type);
    // The one behind it begins where it must.
    expect(btf.type(2)).toMatchObject({ kind: "int", name: "int" });
    expect(btf.type(0)).toEqual({ kind: "void" });
  });

  it("have sizes, through typedefs and qualifiers", () => {
    const btf = read(
      INT,
      { kind: "typedef", name: "t", word: 3 },
      { kind: "const", word: 4 },
      { kind: "array", behind: [5, 1, 3] },
      { kind: "array", behind: [1, 1, 5] },
      { kind: "ptr", word: 0 },
      { kind: "func_proto", word: 0 },
    );
    expect([1, 2, 4, 6, 7, 0].map((id) => btf.sizeOf(id))).toEqual([4, 60, 60, 8, 0, 0]);
    expect(btf.resolve(2)).toBe(4);
  });

  it("are found by the name of their section", () => {
    const btf = read(INT, { kind: "datasec", name: ".maps", word: 0 });
    expect([btf.section(".maps")?.name, btf.section(".bss")]).toEqual([".maps", undefined]);
  });
});

describe("refuses", () => {
  const failing = (read: () => unknown, message: string) => expect(read).toThrow(new ObjectError(message));

  it("types that lead to themselves", () => {
    const circle = read({ kind: "typedef", name: "a", word: 2 }, { kind: "const", word: 1 });
    failing(() => circle.resolve(1), "type 1 of BTF leads to itself");
    const array = read({ kind: "array", behind: [1, 1, 2] });
    failing(() => array.sizeOf(1), "type 1 of BTF contains itself");
  });

  it("types that there are not", () => {
    failing(() => read(INT).type(2), "BTF has no type 2");
    const wrong = btfBytes([INT]);
    wrong[24 + 7] = 31;
    failing(() => new Btf(wrong), "type 1 of BTF is of kind 31, which there is not");
    failing(() => read({ kind: "void" }), "type 1 of BTF is of kind 0, which there is not");
  });

  it("types that are larger than memory", () => {
    const btf = read(INT, { kind: "array", behind: [1, 1, 0x4000_0000] });
    failing(() => btf.sizeOf(2), "type 2 of BTF has 4294967296 bytes");
  });

  it("what is no BTF, or ends too early", () => {
    failing(() => new Btf(new Uint8Array(24)), "section .BTF does not begin with the mark of BTF");
    failing(
      () => new Btf(btfBytes([INT]).subarray(0, 30)),
      "the types of BTF is outside of section .BTF: 24 + 16 > 30",
    );
    failing(
      () => read({ kind: "struct", word: 4, parts: 9, behind: ["a", 1, 0] }).type(1),
      "the types of BTF is too short: 4 bytes at 32 are needed, it has 24",
    );
    failing(
      () => new BtfExt(new Uint8Array(32), read(INT)),
      "section .BTF.ext does not begin with the mark of BTF",
    );
  });
});
