// The codecs against a C compiler: sizes, alignments, offsets and the bytes of values.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { endianness, tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  array,
  bytes,
  type Codec,
  cstring,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  spinLock,
  struct,
  u8,
  u16,
  u32,
  u53,
  u64,
} from "../../src/codec/index.ts";
import { seeded, structs } from "./codec_layouts.ts";

const usable = endianness() === "LE" && spawnSync("gcc", ["--version"]).status === 0;
if (!usable) console.warn("codec_c_layout: skipped: needs gcc on a little-endian machine");

const endpoint = struct({ address: u32, port: u16 });
const record = struct({
  kind: u8,
  lock: spinLock,
  total: u64,
  comm: cstring(16),
  src: endpoint,
  hops: array(endpoint, 2),
  delta: i64,
  small: i8,
  medium: i16,
  large: i32,
  ratio: f32,
  mean: f64,
  count: u53,
  mac: bytes(6),
  last: u8,
});

const STRUCTS: Record<
  string,
  { c: string; codec: Codec<unknown> & { offsets: Readonly<Record<string, number>> } }
> = {
  endpoint: { c: "uint32_t address; uint16_t port;", codec: endpoint },
  byte_first: { c: "uint8_t a; uint64_t b;", codec: struct({ a: u8, b: u64 }) },
  trailing: { c: "uint64_t a; uint32_t b; uint8_t c;", codec: struct({ a: u64, b: u32, c: u8 }) },
  bytes_only: { c: "char a[16]; uint8_t b[3];", codec: struct({ a: cstring(16), b: bytes(3) }) },
  zigzag: {
    c: "uint8_t a; uint16_t b; uint8_t c; uint32_t d; uint8_t e; uint64_t f; uint8_t g;",
    codec: struct({ a: u8, b: u16, c: u8, d: u32, e: u8, f: u64, g: u8 }),
  },
  locked: {
    c: "uint8_t a; struct bpf_spin_lock lock; uint16_t b;",
    codec: struct({ a: u8, lock: spinLock, b: u16 }),
  },
  nested: {
    c: "uint8_t a; struct { uint8_t x; struct endpoint y[3]; uint8_t z; } b[2]; uint8_t c; float d; double e[2][3];",
    codec: struct({
      a: u8,
      b: array(struct({ x: u8, y: array(endpoint, 3), z: u8 }), 2),
      c: u8,
      d: f32,
      e: array(array(f64, 3), 2),
    }),
  },
  record: {
    c: `uint8_t kind; struct bpf_spin_lock lock; uint64_t total; char comm[16]; struct endpoint src, hops[2];
      int64_t delta; int8_t small; int16_t medium; int32_t large; float ratio; double mean; uint64_t count;
      uint8_t mac[6]; uint8_t last;`,
    codec: record,
  },
};

/** The value that C writes below. */
const VALUE = {
  kind: 200,
  total: 0xfedc_ba98_7654_3210n,
  comm: "größe",
  src: { address: 0xc0a8_0001, port: 65535 },
  hops: [
    { address: 1, port: 2 },
    { address: 3, port: 4 },
  ],
  delta: -(2n ** 63n),
  small: -128,
  medium: -2,
  large: -2147483648,
  ratio: Math.fround(0.3),
  mean: -1e-300,
  count: 9007199254740991,
  mac: Uint8Array.of(0xde, 0xad, 0xbe, 0xef, 0, 1),
  last: 255,
};

const C_VALUE = `static struct record value; /* static: padding is zero */
  value.kind = 200; value.total = 0xfedcba9876543210ull; strcpy(value.comm, "gr\\303\\266\\303\\237e");
  value.src.address = 0xc0a80001u; value.src.port = 65535;
  value.hops[0].address = 1; value.hops[0].port = 2; value.hops[1].address = 3; value.hops[1].port = 4;
  value.delta = INT64_MIN; value.small = -128; value.medium = -2; value.large = INT32_MIN;
  value.ratio = 0.3f; value.mean = -1e-300; value.count = 9007199254740991ull;
  memcpy(value.mac, "\\xde\\xad\\xbe\\xef\\x00\\x01", 6); value.last = 255;
  printf("bytes");
  for (size_t i = 0; i < sizeof value; i++) printf(" %u", ((unsigned char *)&value)[i]);
  printf("\\n");`;

/** The line that C prints of a struct, from the codec: its name, size, alignment and offsets. */
function line(name: string, codec: Codec<unknown>, offsets: readonly number[]): string {
  return [name, codec.size, codec.align, ...offsets].join(" ");
}

function printLine(name: string, type: string, fields: readonly string[]): string {
  const values = [
    `sizeof(${type})`,
    `_Alignof(${type})`,
    ...fields.map((field) => `offsetof(${type}, ${field})`),
  ];
  return `printf("${name}${" %zu".repeat(values.length)}\\n", ${values.join(", ")});`;
}

describe.skipIf(!usable)("layouts as gcc makes them", () => {
  const random = fc.sample(structs, { numRuns: 200, ...seeded });
  let folder = "";
  let lines: string[] = [];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "bpfmap-codec-"));
    const named = Object.entries(STRUCTS);
    const source = `#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
struct bpf_spin_lock { uint32_t val; };
${named.map(([name, { c }]) => `struct ${name} { ${c} };`).join("\n")}
${random.map((layout, i) => `typedef ${layout.declare(`random${i}`)};`).join("\n")}
int main(void) {
  ${named.map(([name, { codec }]) => printLine(name, `struct ${name}`, Object.keys(codec.offsets))).join("\n  ")}
  ${random.map(({ fields = [] }, i) => printLine(`random${i}`, `random${i}`, fields)).join("\n  ")}
  ${C_VALUE}
  return 0;
}
`;
    writeFileSync(join(folder, "layout.c"), source);
    execFileSync("gcc", [
      "-std=c11",
      "-Wall",
      "-Werror",
      "-o",
      join(folder, "layout"),
      join(folder, "layout.c"),
    ]);
    lines = execFileSync(join(folder, "layout"), { encoding: "utf8" }).trimEnd().split("\n");
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(Object.entries(STRUCTS))("struct %s", (name, { codec }) => {
    const printed = lines.find((text) => text.startsWith(`${name} `));
    expect(line(name, codec, Object.values(codec.offsets))).toBe(printed);
  });

  it(`${random.length} random structs`, () => {
    expect(random.length).toBe(200);
    random.forEach(({ codec, declare }, i) => {
      const offsets = (codec as unknown as { offsets: Record<string, number> }).offsets;
      expect(line(`random${i}`, codec, Object.values(offsets)), declare("x")).toBe(
        lines[Object.keys(STRUCTS).length + i],
      );
    });
  });

  it("a value written by C is read, and written the same", () => {
    const printed = lines.find((text) => text.startsWith("bytes "));
    const fromC = Uint8Array.from(printed?.split(" ").slice(1) ?? [], Number);
    expect(fromC.length).toBe(record.size);
    expect(record.decode(new DataView(fromC.buffer), 0)).toStrictEqual(VALUE);
    const fromJs = new Uint8Array(record.size).fill(0xff);
    record.encode(VALUE, new DataView(fromJs.buffer), 0);
    expect(fromJs).toEqual(fromC);
  });
});
