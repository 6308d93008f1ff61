// Layouts against the kernel's own headers, the writer and reader of structs, the memory that pointers lead to, and libbpf's
// functions.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createHost, ERRNO, struct, u32 } from "../../src/index.ts";
import { Random } from "../../src/testing/index.ts";
import * as uapi from "../../src/uapi/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { Machine, TYPE_NAMES } from "./machine.ts";

const HEADER = "/usr/include/linux/bpf.h";

function hasCompiler(): boolean {
  try {
    execFileSync("gcc", ["--version"], { stdio: "ignore" });
    return existsSync(HEADER);
  } catch {
    return false;
  }
}

/** Prints values of C expressions. */
function compile(expressions: string[]): number[] {
  const folder = mkdtempSync(join(tmpdir(), "bpfmap-layout-"));
  try {
    const prints = expressions.map((expression) => `printf("%lld\\n", (long long)(${expression}));`);
    const source = `#include <linux/bpf.h>\n#include <stddef.h>\n#include <stdio.h>\nint main(void){${prints.join("")}}`;
    writeFileSync(join(folder, "layout.c"), source);
    execFileSync("gcc", ["-o", join(folder, "layout"), join(folder, "layout.c")]);
    return execFileSync(join(folder, "layout"), { encoding: "utf8" }).trim().split("\n").map(Number);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("layouts", () => {
  const STRUCTS: [string, string, uapi.UapiStruct][] = [
    ["union bpf_attr", "", uapi.BPF_ATTR_MAP_CREATE],
    ["union bpf_attr", "", uapi.BPF_ATTR_ELEM],
    ["union bpf_attr", "batch.", uapi.BPF_ATTR_BATCH],
    ["union bpf_attr", "", uapi.BPF_ATTR_OBJ],
    ["union bpf_attr", "", uapi.BPF_ATTR_ID],
    ["union bpf_attr", "info.", uapi.BPF_ATTR_INFO],
    ["struct bpf_map_info", "", uapi.BPF_MAP_INFO],
  ];

  it.skipIf(!hasCompiler())("are those of linux/bpf.h (skipped without gcc and the header)", () => {
    const header = readFileSync(HEADER, "utf8");
    const expressions: string[] = [];
    const expected: number[] = [];
    for (const [type, prefix, { fields }] of STRUCTS) {
      for (const [name, [kind, offset]] of Object.entries(fields)) {
        // An older header has fewer fields.
        const declaration = new RegExp(`\\b${name}(\\[[A-Z_]+\\])?;`);
        const body =
          type === "union bpf_attr" ? header : header.slice(header.indexOf("struct bpf_map_info {"));
        const end = type === "union bpf_attr" ? body.length : body.indexOf("\n}");
        if (!declaration.test(body.slice(0, end))) continue;
        const member = `${prefix}${name}`;
        expressions.push(`offsetof(${type}, ${member})`, `sizeof(((${type} *)0)->${member})`);
        expected.push(offset, { u32: 4, s32: 4, u64: 8, name: 16 }[kind]);
      }
    }
    expect(expressions.length).toBeGreaterThan(80);
    const found = compile(expressions);
    expect(expressions.map((expression, i) => `${expression} = ${found[i]}`)).toEqual(
      expressions.map((expression, i) => `${expression} = ${expected[i]}`),
    );
  });

  it.skipIf(!hasCompiler())("constants are those of linux/bpf.h (skipped without gcc and the header)", () => {
    const header = readFileSync(HEADER, "utf8");
    const known = Object.entries(uapi).filter(
      ([name, value]) => typeof value === "number" && new RegExp(`\\b${name}\\b`).test(header),
    );
    expect(known.length).toBeGreaterThan(35);
    const values = compile(known.map(([name]) => name));
    expect(known.map(([name], i) => [name, values[i]])).toEqual(known);
  });

  it("A.cmd, A.flags: what the header may not have yet", () => {
    const { BPF_MAP_TYPE_RHASH, BPF_F_PATH_FD, BPF_F_TOKEN_FD, BPF_ATTR_BYTES } = uapi;
    expect([BPF_MAP_TYPE_RHASH, BPF_F_PATH_FD, BPF_F_TOKEN_FD, BPF_ATTR_BYTES]).toEqual([
      35, 0x4000, 0x10000, 168,
    ]);
    const { fields } = uapi.BPF_ATTR_MAP_CREATE;
    expect([
      fields.value_type_btf_obj_fd,
      fields.map_token_fd,
      fields.excl_prog_hash,
      fields.excl_prog_hash_size,
    ]).toEqual([
      ["s32", 72],
      ["s32", 76],
      ["u64", 80],
      ["u32", 88],
    ]);
    expect(uapi.BPF_MAP_INFO.fields.hash).toEqual(["u64", 88]);
    expect(uapi.BPF_MAP_INFO.fields.hash_size).toEqual(["u32", 96]);
    expect(uapi.BPF_ATTR_OBJ.fields.path_fd).toEqual(["s32", 16]);
  });
});

describe("writeStruct and readStruct", () => {
  it("are inverse for every field alone, and touch no other byte", () => {
    const structs: uapi.UapiStruct[] = [
      uapi.BPF_ATTR_MAP_CREATE,
      uapi.BPF_ATTR_BATCH,
      uapi.BPF_ATTR_OBJ,
      uapi.BPF_MAP_INFO,
    ];
    for (const struct of structs) {
      for (const [name, [kind, offset]] of Object.entries(struct.fields)) {
        const value = { u32: 0xfedcba98, s32: -2, u64: 0xfedcba9876543210n, name: "sixteen_bytes_16" }[kind];
        const bytes = uapi.writeStruct(struct, { [name]: value } as Record<string, never>);
        expect(bytes.length).toBe(struct.size);
        expect((uapi.readStruct(struct, bytes) as Record<string, unknown>)[name]).toBe(value);
        const size = { u32: 4, s32: 4, u64: 8, name: 16 }[kind];
        bytes.fill(0, offset, offset + size);
        expect(bytes.every((byte) => byte === 0)).toBe(true);
      }
    }
  });

  it("refuse fields that do not exist and names that do not fit", () => {
    const wrong = { keys_size: 4 } as uapi.StructInput<typeof uapi.BPF_ATTR_MAP_CREATE>;
    expect(caught(() => uapi.writeStruct(uapi.BPF_ATTR_MAP_CREATE, wrong)).message).toContain("keys_size");
    const long = { map_name: "seventeen_bytes_1" };
    expect(caught(() => uapi.writeStruct(uapi.BPF_ATTR_MAP_CREATE, long))).toBeInstanceOf(RangeError);
    const wide = { map_name: "a\u0100" };
    expect(caught(() => uapi.writeStruct(uapi.BPF_ATTR_MAP_CREATE, wide)).message).toContain("Latin-1");
    const latin = { map_name: "\xe9\xff" };
    const bytes = uapi.writeStruct(uapi.BPF_ATTR_MAP_CREATE, latin);
    expect([bytes[28], bytes[29]]).toEqual([0xe9, 0xff]);
    expect(uapi.readStruct(uapi.BPF_ATTR_MAP_CREATE, bytes)).toMatchObject(latin);
  });

  it("read what ends early as zeroes", () => {
    const { map_fd, key } = uapi.readStruct(uapi.BPF_ATTR_ELEM, Uint8Array.of(1, 2, 3, 4, 0, 0, 0, 0, 5));
    expect([map_fd, key]).toEqual([0x04030201, 5n]);
  });
});

describe("errnoName", () => {
  it("knows both signs, success, and what has no name", () => {
    expect([14, -14, 0, -524, -77, -36, 200].map(uapi.errnoName)).toEqual([
      "EFAULT",
      "EFAULT",
      "OK",
      "ENOTSUPP",
      "EBADFD",
      "ENAMETOOLONG",
      "E200",
    ]);
  });
});

describe("memory", () => {
  it("may be shared memory, and is the host's own by default", () => {
    const machine = new Machine();
    const { host } = machine;
    const fd = machine.create("HASH");
    const shared = new SharedArrayBuffer(256);
    new Uint8Array(shared).fill(5);
    const attr = uapi.writeStruct(uapi.BPF_ATTR_ELEM, { map_fd: fd, key: 8, value: 16 });
    expect(host.bpf(uapi.BPF_MAP_UPDATE_ELEM, attr, shared)).toBe(0);
    const map = host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 4 });
    const batch = map.createBatch(4);
    batch.keys.fill(5, 0, 4);
    const own = { map_fd: fd, key: batch.keys.byteOffset, value: batch.values.byteOffset };
    expect(host.bpf(uapi.BPF_MAP_LOOKUP_ELEM, uapi.writeStruct(uapi.BPF_ATTR_ELEM, own))).toBe(0);
    expect([...batch.values.subarray(0, 9)]).toEqual([5, 5, 5, 5, 5, 5, 5, 5, 0]);
    expect(
      host.bpf(uapi.BPF_MAP_LOOKUP_ELEM, uapi.writeStruct(uapi.BPF_ATTR_ELEM, { ...own, value: 2 ** 32 })),
    ).toBe(-ERRNO.EFAULT);
  });

  it("of the host may grow during a call that has its attributes and buffers there", () => {
    const host = createHost({ seed: 1 });
    const fd = uapi.bpf_map_create(host, uapi.BPF_MAP_TYPE_HASH, null, 4, 4096, 100_000, { map_flags: 1 });
    const map = host.createMap({ type: "array", key: u32, value: u32, maxEntries: 600_000 });
    // An address of the first element: the values of an array are one block.
    const at = map.lookup(0);
    const entries = 500;
    const batch = { map_fd: fd, keys: at + 512, values: at + 4096, count: entries };
    const before = host.u8;
    let attr = before;
    for (let round = 0; before.length > 0; round++) {
      expect(round).toBeLessThan(100);
      for (let i = 0; i < entries; i++) host.u32[(at + 512 + 4 * i) >>> 2] = round * entries + i;
      attr = host.u8.subarray(at, at + 56);
      attr.set(uapi.writeStruct(uapi.BPF_ATTR_BATCH, batch));
      expect(host.bpf(uapi.BPF_MAP_UPDATE_BATCH, attr)).toBe(0);
    }
    // The view is gone, and the count stands where it was.
    expect(attr.length).toBe(0);
    expect(host.u32[(at + 32) >>> 2]).toBe(entries);
    host.u32[(at + 32) >>> 2] = 3;
    expect(host.bpf(uapi.BPF_MAP_DELETE_BATCH, host.u8.subarray(at, at + 56), host.u8.buffer)).toBe(0);
  });

  it("that is none, and attributes that are none, are EFAULT: host.bpf never throws", () => {
    const machine = new Machine();
    const fd = machine.create("HASH");
    const attr = uapi.writeStruct(uapi.BPF_ATTR_ELEM, { map_fd: fd, key: 8, value: 16 });
    const wrong = [new Uint8Array(64), new DataView(new ArrayBuffer(64)), 64, {}, null, "memory"];
    for (const memory of wrong as unknown as ArrayBuffer[]) {
      expect(machine.host.bpf(uapi.BPF_MAP_UPDATE_ELEM, attr, memory)).toBe(-ERRNO.EFAULT);
    }
    for (const none of [undefined, null, 5, {}, new ArrayBuffer(32)] as unknown as Uint8Array[]) {
      expect(machine.host.bpf(uapi.BPF_MAP_UPDATE_ELEM, none)).toBe(-ERRNO.EFAULT);
    }
    const detached = new ArrayBuffer(64);
    structuredClone(detached, { transfer: [detached] });
    expect(machine.host.bpf(uapi.BPF_MAP_UPDATE_ELEM, attr, detached)).toBe(-ERRNO.EFAULT);
  });

  it("random attributes neither throw nor trap, whatever they point at", () => {
    const machine = new Machine();
    const { host } = machine;
    for (const type of TYPE_NAMES) machine.create(type);
    const source = new Random(1);
    const random = () => source.next();
    const results = new Set<number>();
    for (let i = 0; i < 30_000; i++) {
      const attr = new Uint8Array(random() % 180);
      for (let at = 0; at < attr.length; at++) if (random() % 3 === 0) attr[at] = random() >>> 20;
      if (attr.length > 56 && random() % 2 === 0) attr.fill(0, 56);
      if (attr.length > 40) attr.set([3 + (random() % 8), 0, 0, 0], 36);
      if (attr.length > 4) attr.set([3 + (random() % 8), 0, 0, 0], 0);
      const command = [1, 2, 3, 4, 6, 7, 12, 14, 15, 21, 22, 24, 25, 26, 27][random() % 15];
      results.add(host.bpf(command, attr, machine.bytes.buffer));
    }
    for (const result of results) expect(Number.isInteger(result)).toBe(true);
    for (const errno of [ERRNO.EINVAL, ERRNO.EFAULT, ERRNO.EBADF, ERRNO.E2BIG])
      expect(results).toContain(-errno);
    expect(Object.is(host.bpf(uapi.BPF_MAP_FREEZE, Uint8Array.of(machine.create("HASH"))), 0)).toBe(true);
  });
});

describe("libbpf's functions", () => {
  const one = Uint8Array.of(1, 0, 0, 0);
  const two = Uint8Array.of(2, 0, 0, 0);

  it("cover a map's life", () => {
    const host = createHost({ seed: 1 });
    const fd = uapi.bpf_map_create(host, uapi.BPF_MAP_TYPE_HASH, "life", 4, 2, 4, {
      map_flags: uapi.BPF_F_NO_PREALLOC,
    });
    expect(fd).toBe(3);
    const value = new Uint8Array(2);
    expect(uapi.bpf_map_update_elem(host, fd, one, Uint8Array.of(7, 8), uapi.BPF_NOEXIST)).toBe(0);
    expect(uapi.bpf_map_update_elem(host, fd, one, value, uapi.BPF_NOEXIST)).toBe(-ERRNO.EEXIST);
    expect(uapi.bpf_map_lookup_elem(host, fd, one, value)).toBe(0);
    expect([...value]).toEqual([7, 8]);
    expect(uapi.bpf_map_lookup_elem(host, fd, one, value, 1n)).toBe(-ERRNO.EINVAL);
    const next = new Uint8Array(4);
    expect(uapi.bpf_map_get_next_key(host, fd, null, next)).toBe(0);
    expect(next).toEqual(one);
    expect(uapi.bpf_map_get_next_key(host, fd, next, next)).toBe(-ERRNO.ENOENT);
    expect(uapi.bpf_map_lookup_and_delete_elem(host, fd, one, value.fill(0))).toBe(0);
    expect([...value]).toEqual([7, 8]);
    expect(uapi.bpf_map_delete_elem(host, fd, one)).toBe(-ERRNO.ENOENT);

    expect(uapi.bpf_obj_pin(host, fd, "/life")).toBe(0);
    expect(uapi.bpf_obj_get(host, "/life", { file_flags: uapi.BPF_F_RDONLY })).toBe(4);
    expect(uapi.bpf_map_update_elem(host, 4, one, value, 0)).toBe(-ERRNO.EPERM);
    const id = new Uint32Array(1);
    expect([uapi.bpf_map_get_next_id(host, 0, id), id[0]]).toEqual([0, 1]);
    expect([uapi.bpf_map_get_next_id(host, 1, id), id[0]]).toEqual([-ERRNO.ENOENT, 1]);
    expect(uapi.bpf_map_get_fd_by_id(host, 1, { open_flags: uapi.BPF_F_WRONLY })).toBe(5);
    expect(uapi.bpf_map_freeze(host, 4)).toBe(-ERRNO.EPERM);
    expect(uapi.bpf_map_freeze(host, 5)).toBe(0);

    const info = new Uint8Array(200);
    const length = Uint32Array.of(200);
    expect(uapi.bpf_obj_get_info_by_fd(host, fd, info, length)).toBe(0);
    expect(length[0]).toBe(104);
    expect(uapi.readStruct(uapi.BPF_MAP_INFO, info)).toMatchObject({
      name: "life",
      value_size: 2,
      map_flags: 1,
    });
  });

  it("batches", () => {
    const host = createHost({ seed: 1, cpus: 2 });
    const fd = uapi.bpf_map_create(host, uapi.BPF_MAP_TYPE_PERCPU_HASH, null, 4, 4, 8);
    const keys = Uint8Array.from([...one, ...two]);
    const values = Uint8Array.from({ length: 32 }, (_, i) => i);
    const count = Uint32Array.of(2);
    expect(uapi.bpf_map_update_batch(host, fd, keys, values, count)).toBe(0);
    const out = { keys: new Uint8Array(8), values: new Uint8Array(32), cursor: new Uint8Array(4) };
    expect(uapi.bpf_map_lookup_batch(host, fd, null, out.cursor, out.keys, out.values, count)).toBe(
      -ERRNO.ENOENT,
    );
    expect(count[0]).toBe(2);
    expect([...out.values].toSorted((a, b) => a - b)).toEqual([...values]);
    count[0] = 1;
    expect(uapi.bpf_map_delete_batch(host, fd, one, count)).toBe(0);
    count[0] = 2;
    const { cursor } = out;
    expect(uapi.bpf_map_lookup_and_delete_batch(host, fd, null, cursor, out.keys, out.values, count)).toBe(
      -ERRNO.ENOENT,
    );
    expect([count[0], out.keys[0], ...out.values.subarray(0, 3)]).toEqual([1, 2, 16, 17, 18]);
    count[0] = 2;
    expect(uapi.bpf_map_update_batch(host, fd, keys, values, count, { elem_flags: 1 })).toBe(-ERRNO.EINVAL);
    expect(count[0]).toBe(2);
    expect(uapi.bpf_map_delete_batch(host, 99, keys, count)).toBe(-ERRNO.EBADF);
  });

  it("refuse buffers that a C program would be read or written beyond", () => {
    const host = createHost({ seed: 1 });
    const fd = uapi.bpf_map_create(host, uapi.BPF_MAP_TYPE_HASH, null, 4, 8, 8);
    const value = new Uint8Array(8);
    const count = Uint32Array.of(2);
    for (const call of [
      () => uapi.bpf_map_lookup_elem(host, fd, one.subarray(1), value),
      () => uapi.bpf_map_update_elem(host, fd, one, value.subarray(1), 0),
      () => uapi.bpf_map_lookup_batch(host, fd, null, one.subarray(1), one, value, Uint32Array.of(1)),
      () => uapi.bpf_map_delete_batch(host, fd, one, count),
      () => uapi.bpf_obj_get_info_by_fd(host, fd, value, count.fill(9)),
    ]) {
      expect(caught(call)).toBeInstanceOf(RangeError);
    }
    expect(caught(() => uapi.bpf_map_delete_elem(host, fd, [1] as unknown as Uint8Array))).toBeInstanceOf(
      TypeError,
    );
  });
});

it("a getter that calls host.bpf while the typed API encodes is found out", () => {
  const machine = new Machine();
  const fd = machine.create("HASH");
  const pair = struct({ a: u32, b: u32 });
  const map = machine.host.createMap({ type: "hash", key: u32, value: pair, maxEntries: 4 });
  const sly = {
    a: 1,
    get b() {
      expect(machine.elem(uapi.BPF_MAP_UPDATE_ELEM, fd, 9)).toBe("OK");
      return 2;
    },
  };
  expectErrno(() => map.set(1, sly), "EBUSY");
  expect(map.size).toBe(0);
});
