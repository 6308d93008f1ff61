// Codecs of types that clang has written down: sizes and offsets are those of C.
import { describe, expect, it } from "vitest";
import { isStruct } from "../../../src/codec/struct.ts";
import { Btf } from "../../../src/ebpf/elf/btf.ts";
import { codecOf } from "../../../src/ebpf/elf/codecs.ts";
import { ObjectError } from "../../../src/ebpf/elf/object_error.ts";
import { type ObjectFile, parseObject } from "../../../src/ebpf/elf/object_file.ts";
import { btfBytes, type WrittenType } from "../support/btf_writer.ts";
import { OBJECTS, objectBytes } from "../support/objects.ts";

const objects = new Map(OBJECTS.map((name) => [name, parseObject(objectBytes(name))]));
const object = (name: string): ObjectFile => objects.get(name)!;
const valueCodec = (name: string, map: string) => {
  const { maps, btf } = object(name);
  return codecOf(btf!, maps.find((candidate) => candidate.name === map)!.valueType!);
};

describe("maps", () => {
  it("have structs of numbers", () => {
    expect(valueCodec("counters", "counters").name).toBe(
      "struct { packets: u64, bytes: u64, last_len: u32 }",
    );
    const { maps, btf } = object("flows");
    const key = codecOf(btf!, maps.find(({ name }) => name === "flows")!.keyType!);
    expect(key.name).toBe(
      "struct { src: bytes(16), dst: bytes(16), sport: u16, dport: u16, proto: u8, version: u8, vlan: u16 }",
    );
  });

  it("have locks and timers, which are no values", () => {
    expect(valueCodec("ratelimit", "buckets")).toMatchObject({ size: 16, lockOffset: 0 });
    expect(valueCodec("ratelimit", "clients")).toMatchObject({ size: 24, timerOffset: 8 });
  });

  it("have every kind of type, where C puts it", () => {
    const codec = valueCodec("types", "types");
    if (!isStruct(codec)) throw new Error("no struct");
    expect(
      Object.entries(codec.fields).map(([name, field]) => `${name}: ${field.name} at ${codec.offsets[name]}`),
    ).toEqual([
      "count: u64 at 0",
      "balance: i64 at 8",
      "ratio: f32 at 16",
      "mean: f64 at 24",
      "color: u32 at 32",
      "wide: u64 at 40",
      // clang 14 does not say that it is signed
      "signed_wide: u64 at 48",
      "nested: array(struct { small: i16, is_set: u8 }, 3) at 56",
      "padding0: bytes(4) at 68",
      "address: bytes(16) at 72",
      "packed: bytes(5) at 88",
      "padding1: bytes(3) at 93",
      "bits: bytes(4) at 96",
      "sign: i8 at 100",
      "pointer: u64 at 104",
      "unnamed2: struct { anonymous: u32 } at 112",
    ]);
    expect(codec.size).toBe(120);
    const { maps, btf } = object("types");
    expect(codecOf(btf!, maps[0].keyType!).name).toBe(
      "struct { name: cstring(8), mac: bytes(6), ports: array(u16, 2) }",
    );
  });

  it("have unsigned long longs as numbers for who asks", () => {
    const { maps, btf } = object("counters");
    expect(codecOf(btf!, maps[0].valueType!, "number").name).toBe(
      "struct { packets: u53, bytes: u53, last_len: u32 }",
    );
  });
});

it("variables have codecs, too", () => {
  const { data, btf } = object("types");
  const codecs = data.flatMap(({ variables }) =>
    variables.map(({ name, type }) => `${name}: ${codecOf(btf!, type!).name}`),
  );
  expect(codecs).toEqual([
    "greeting: cstring(12)",
    "limits: array(i32, 4)",
    "half: f64",
    "pair: struct { small: i16, is_set: u8 }",
    "tagged: i32",
    "LINUX_KERNEL_VERSION: i32",
    "CONFIG_BPF_JIT: u8",
  ]);
});

describe("types of damaged files", () => {
  const INT: WrittenType = { kind: "int", name: "int", word: 4, behind: [32] };
  const codec = (...types: WrittenType[]) => codecOf(new Btf(btfBytes(types)), 1).name;

  it("are bytes when their members overlap, or are not whole bytes", () => {
    expect(codec({ kind: "struct", word: 4, parts: 2, behind: ["a", 2, 0, "b", 2, 8] }, INT)).toBe(
      "bytes(4)",
    );
    expect(codec({ kind: "struct", word: 8, parts: 1, behind: ["a", 2, 3] }, INT)).toBe("bytes(8)");
    expect(codec({ kind: "struct", word: 2, parts: 1, behind: ["a", 2, 0] }, INT)).toBe("bytes(2)");
    expect(codec({ kind: "int", name: "__int128", word: 16, behind: [128] })).toBe("bytes(16)");
  });

  it("are refused without a size, or with names that are none", () => {
    expect(() => codec({ kind: "fwd", name: "f" })).toThrow(new ObjectError("type 1 of BTF has no size"));
    expect(() => codec({ kind: "struct", word: 4, parts: 1, behind: ["a b", 2, 0] }, INT)).toThrow(
      new ObjectError(
        'type 1 of BTF has no codec: struct(): expected field names that are C identifiers, got string "a b"',
      ),
    );
    expect(() => codec({ kind: "struct", word: 8, parts: 2, behind: ["a", 2, 0, "a", 2, 32] }, INT)).toThrow(
      new ObjectError("BTF has two members a in one struct"),
    );
  });

  it("that hold themselves end somewhere", () => {
    expect(codec({ kind: "struct", word: 4, parts: 1, behind: ["self", 1, 0] })).toMatch(/^struct \{ self: /);
  });
});
