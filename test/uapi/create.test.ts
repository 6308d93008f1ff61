// MAP_CREATE: tables 1.2, 1.3, 1.4 and 1.6 of the semantics study. C.* are its rows, seen on Linux 6.18.
import { describe, expect, it } from "vitest";
import {
  BPF_ATTR_BYTES,
  BPF_ATTR_INFO,
  BPF_ATTR_MAP_CREATE,
  BPF_MAP_CREATE,
  BPF_MAP_INFO,
  BPF_OBJ_GET_INFO_BY_FD,
  errnoName,
  readStruct,
  writeStruct,
} from "../../src/uapi/index.ts";
import { AT, type CreateInput, Machine, type TypeName } from "./machine.ts";

const COLUMNS = [
  "HASH",
  "ARRAY",
  "PERCPU_HASH",
  "PERCPU_ARRAY",
  "LRU_HASH",
  "LRU_PERCPU_HASH",
] as const satisfies TypeName[];
/** One result for all types, or one for each column. */
type Row = readonly [name: string, input: CreateInput, ...results: string[]];

function check(type: TypeName | number, input: CreateInput, expected: string): void {
  const machine = new Machine();
  const fd = machine.create(type, input);
  expect(fd < 0 ? errnoName(fd) : "OK").toBe(expected);
  if (fd >= 0) {
    expect(fd).toBe(3);
    expect(machine.host.closeFd(fd)).toBe(0);
  }
  expect(machine.host.memoryUsage().bytes).toBe(0);
}

function cases(
  rows: readonly Row[],
  columns: readonly TypeName[],
): [string, TypeName, CreateInput, string][] {
  return rows.flatMap(([name, input, ...results]) =>
    columns.map((type, i): [string, TypeName, CreateInput, string] => [
      `${name}.${type}`,
      type,
      input,
      results.length === 1 ? results[0] : results[i],
    ]),
  );
}

const SINGLE_FLAGS: Row[] = [
  ["C.NONE", { map_flags: 0 }, "OK"],
  ["C.NO_PREALLOC", { map_flags: 0x1 }, "OK", "EINVAL", "OK", "EINVAL", "ENOTSUPP", "ENOTSUPP"],
  ["C.NO_COMMON_LRU", { map_flags: 0x2 }, "EINVAL", "EINVAL", "EINVAL", "EINVAL", "OK", "OK"],
  ["C.NUMA_NODE", { map_flags: 0x4 }, "OK", "OK", "EINVAL", "EINVAL", "OK", "EINVAL"],
  ["C.RDONLY", { map_flags: 0x8 }, "OK"],
  ["C.WRONLY", { map_flags: 0x10 }, "OK"],
  ["C.STACK_BUILD_ID", { map_flags: 0x20 }, "EINVAL"],
  ["C.ZERO_SEED", { map_flags: 0x40 }, "OK", "EINVAL", "OK", "EINVAL", "OK", "OK"],
  ["C.RDONLY_PROG", { map_flags: 0x80 }, "OK"],
  ["C.WRONLY_PROG", { map_flags: 0x100 }, "OK"],
  ["C.CLONE", { map_flags: 0x200 }, "EINVAL"],
  ["C.MMAPABLE", { map_flags: 0x400 }, "EINVAL", "OK", "EINVAL", "EINVAL", "EINVAL", "EINVAL"],
  ["C.PRESERVE_ELEMS", { map_flags: 0x800 }, "EINVAL"],
  ["C.INNER_MAP", { map_flags: 0x1000 }, "EINVAL", "OK", "EINVAL", "EINVAL", "EINVAL", "EINVAL"],
  ["C.LINK", { map_flags: 0x2000 }, "EINVAL"],
  ["C.PATH_FD", { map_flags: 0x4000 }, "EINVAL"],
  ["C.VTYPE_BTF_OBJ_FD", { map_flags: 0x8000 }, "EINVAL"],
  ["C.TOKEN_FD", { map_flags: 0x10000 }, "EINVAL"],
  ["C.SEGV_ON_FAULT", { map_flags: 0x20000 }, "EINVAL"],
  ["C.NO_USER_CONV", { map_flags: 0x40000 }, "EINVAL"],
  ["C.bit19", { map_flags: 0x80000 }, "EINVAL"],
  ["C.bit20", { map_flags: 1 << 20 }, "EINVAL"],
  ["C.bit31", { map_flags: 2 ** 31 }, "EINVAL"],
  ["C.tokfd: map_token_fd without the flag", { map_token_fd: 99 }, "OK"],
  ["C.vtobj: value_type_btf_obj_fd without the flag", { value_type_btf_obj_fd: 99 }, "OK"],
];

const COMBINATIONS: Row[] = [
  ["RDONLY+WRONLY", { map_flags: 0x18 }, "EINVAL"],
  ["RDONLY_PROG+WRONLY_PROG", { map_flags: 0x180 }, "EINVAL"],
  ["NO_PREALLOC+ZERO_SEED", { map_flags: 0x41 }, "OK", "EINVAL", "OK", "EINVAL", "ENOTSUPP", "ENOTSUPP"],
  [
    "NO_PREALLOC+NO_COMMON_LRU",
    { map_flags: 0x3 },
    "EINVAL",
    "EINVAL",
    "EINVAL",
    "EINVAL",
    "ENOTSUPP",
    "ENOTSUPP",
  ],
  ["NO_COMMON_LRU+NUMA_NODE", { map_flags: 0x6 }, "EINVAL"],
  ["NUMA_NODE+NO_PREALLOC", { map_flags: 0x5 }, "OK", "EINVAL", "EINVAL", "EINVAL", "ENOTSUPP", "ENOTSUPP"],
  ["MMAPABLE+NUMA_NODE", { map_flags: 0x404 }, "EINVAL", "OK", "EINVAL", "EINVAL", "EINVAL", "EINVAL"],
  ["MMAPABLE+RDONLY_PROG", { map_flags: 0x480 }, "EINVAL", "OK", "EINVAL", "EINVAL", "EINVAL", "EINVAL"],
  ["MMAPABLE+INNER_MAP", { map_flags: 0x1400 }, "EINVAL", "OK", "EINVAL", "EINVAL", "EINVAL", "EINVAL"],
  ["RDONLY+RDONLY_PROG", { map_flags: 0x88 }, "OK"],
];

const BIG = 4 * 1024 * 1024 - 48;
const SIZES: Row[] = [
  ["C.arg key_size 0", { key_size: 0 }, "EINVAL"],
  ["C.arg value_size 0", { value_size: 0 }, "EINVAL"],
  ["C.arg max_entries 0", { max_entries: 0 }, "EINVAL"],
  ["C.arg key_size 1", { key_size: 1 }, "OK", "EINVAL", "OK", "EINVAL", "OK", "OK"],
  ["C.arg key_size 3", { key_size: 3 }, "OK", "EINVAL", "OK", "EINVAL", "OK", "OK"],
  ["C.arg key_size 8", { key_size: 8 }, "OK", "EINVAL", "OK", "EINVAL", "OK", "OK"],
  ["C.lim key_size 513", { key_size: 513 }, "OK", "EINVAL", "OK", "EINVAL", "OK", "OK"],
  ["C.lim key_size 65536", { key_size: 65536 }, "OK", "EINVAL", "OK", "EINVAL", "OK", "OK"],
  ["C.lim key_size 2^32-1", { key_size: 0xffffffff }, "E2BIG", "EINVAL", "E2BIG", "EINVAL", "E2BIG", "E2BIG"],
  ["C.lim value_size 1", { value_size: 1 }, "OK"],
  ["C.lim value_size 32761", { value_size: 32761 }, "OK"],
  ["C.lim value_size 32768", { value_size: 32768 }, "OK"],
  ["C.lim value_size 32769", { value_size: 32769 }, "OK", "OK", "E2BIG", "E2BIG", "OK", "E2BIG"],
  // An array of that size is ENOMEM in the 64 MiB of this host.
  [
    "C.lim value_size 2^31-1",
    { value_size: 0x7fffffff, max_entries: 1 },
    "E2BIG",
    "ENOMEM",
    "E2BIG",
    "E2BIG",
    "E2BIG",
    "E2BIG",
  ],
  ["C.lim value_size 2^31", { value_size: 0x80000000 }, "E2BIG"],
  ["C.lim value_size 2^32-1", { value_size: 0xffffffff }, "E2BIG"],
  [
    "C.max max_entries 2^32-1",
    { max_entries: 0xffffffff },
    "E2BIG",
    "ENOMEM",
    "E2BIG",
    "ENOMEM",
    "E2BIG",
    "E2BIG",
  ],
  [
    "C.maxo 2^32-1 x 1 MiB",
    { max_entries: 0xffffffff, value_size: 1 << 20 },
    "E2BIG",
    "ENOMEM",
    "E2BIG",
    "E2BIG",
    "E2BIG",
    "E2BIG",
  ],
  ["C.arg numa_node 1", { map_flags: 4, numa_node: 1 }, "EINVAL"],
  ["C.arg NUMA_NO_NODE", { map_flags: 4, numa_node: 0xffffffff }, "OK"],
  ["C.arg numa_node without the flag", { numa_node: 999 }, "OK"],
  ["C.arg map_extra", { map_extra: 1 }, "EINVAL"],
  ["C.arg map_extra, high word", { map_extra: 1n << 40n }, "EINVAL"],
  ["C.arg inner_map_fd", { inner_map_fd: 5 }, "OK"],
  ["C.arg btf_key_type_id", { btf_key_type_id: 1 }, "EINVAL"],
  ["C.arg btf_value_type_id, btf_fd 0", { btf_value_type_id: 1 }, "EINVAL"],
  ["C.arg both type ids, btf_fd 0", { btf_key_type_id: 1, btf_value_type_id: 1 }, "EINVAL"],
  ["C.arg btf_fd bad", { btf_value_type_id: 1, btf_fd: 99 }, "EBADF"],
  ["C.arg btf_fd bad, no type ids", { btf_fd: 99 }, "OK"],
  ["C.arg btf_vmlinux_value_type_id", { btf_vmlinux_value_type_id: 1 }, "EINVAL"],
  [
    "C.arg map_ifindex 1",
    { map_ifindex: 1 },
    "EOPNOTSUPP",
    "EOPNOTSUPP",
    "EINVAL",
    "EINVAL",
    "EINVAL",
    "EINVAL",
  ],
  ["C.arg map_ifindex 999", { map_ifindex: 999 }, "EINVAL"],
  ["C.arg map_name a-b", { map_name: "a-b" }, "EINVAL"],
  ["C.arg map_name ©", { map_name: "©" }, "EINVAL"],
  ["C.arg map_name of 16", { map_name: "abcdefghijklmnop" }, "EINVAL"],
  ["C.arg map_name of 15", { map_name: "aZ09_.abcdefghi" }, "OK"],
  ["C.arg map_name, junk after the NUL", { map_name: "ab\0-é" }, "OK"],
  ["C.arg excl_prog_hash_size without pointer", { excl_prog_hash_size: 32 }, "EINVAL"],
  ["C.arg excl_prog_hash of another size", { excl_prog_hash: AT.keys, excl_prog_hash_size: 31 }, "EINVAL"],
  ["C.arg excl_prog_hash unreadable", { excl_prog_hash: 1 << 20, excl_prog_hash_size: 32 }, "EFAULT"],
  ["C.arg excl_prog_hash", { excl_prog_hash: AT.keys, excl_prog_hash_size: 32 }, "OK"],
];

describe("1.2 flags, alone", () => {
  it.each(cases(SINGLE_FLAGS, COLUMNS))("%s", (_name, type, input, expected) => check(type, input, expected));
});

describe("1.3 flag combinations", () => {
  it.each(cases(COMBINATIONS, COLUMNS))("%s", (_name, type, input, expected) => check(type, input, expected));
});

describe("1.4 sizes and scalar fields", () => {
  it.each(cases(SIZES, COLUMNS))("%s", (_name, type, input, expected) => check(type, input, expected));

  it.each<[string, CreateInput, string]>([
    ["C.limp key + value = 4 MiB - 49", { key_size: BIG - 9, max_entries: 1 }, "OK"],
    ["C.limp key + value = 4 MiB - 48", { key_size: BIG - 8, max_entries: 1 }, "E2BIG"],
    ["C.max 2^27 + 1", { max_entries: 2 ** 27 + 1 }, "E2BIG"],
  ])("%s", (_name, input, expected) => {
    for (const type of ["HASH", "PERCPU_HASH", "LRU_HASH", "LRU_PERCPU_HASH"] as const) {
      check(type, input, expected);
    }
  });

  it.each(["LRU_HASH", "LRU_PERCPU_HASH"] as const)("C.nocommon max_entries, %s", (type) => {
    const machine = new Machine(3);
    const { cpus } = machine.host;
    const entriesOf = (flags: number, wanted: number): number => {
      const bpf_fd = machine.create(type, { map_flags: flags, max_entries: wanted });
      const attr = { bpf_fd, info_len: BPF_MAP_INFO.size, info: AT.values };
      machine.bytes.fill(0, AT.values, AT.values + BPF_MAP_INFO.size);
      expect(machine.call(BPF_OBJ_GET_INFO_BY_FD, writeStruct(BPF_ATTR_INFO, attr))).toBe("OK");
      return readStruct(BPF_MAP_INFO, machine.bytes.subarray(AT.values)).max_entries;
    };
    const wanted = [1, cpus, cpus + 1, 100];
    expect(wanted.map((entries) => entriesOf(0, entries))).toEqual(wanted);
    expect(wanted.map((entries) => entriesOf(2, entries))).toEqual([3, 3, 6, 102]);
  });

  it("C.nocommon, what is rounded up may be too many", () => {
    const create = (flags: number) =>
      new Machine(3).create("LRU_HASH", { map_flags: flags, max_entries: 2 ** 27 });
    expect(errnoName(create(0))).toBe("ENOMEM"); // of 64 MiB
    expect(errnoName(create(2))).toBe("E2BIG");
  });

  it.each([0, 3, 4, 7, 8, 11, 22, 33, 34, 36, 37, 100, 0xffffffff])("map type %i is EINVAL", (type) =>
    check(type, {}, "EINVAL"),
  );

  const attr = () =>
    writeStruct(BPF_ATTR_MAP_CREATE, { map_type: 1, key_size: 4, value_size: 4, max_entries: 4 });
  it.each([
    [0, "EINVAL"],
    [4, "EINVAL"],
    [12, "EINVAL"],
    [16, "OK"],
    [92, "OK"],
    [BPF_ATTR_BYTES, "OK"],
    [200, "OK"],
    [4096, "OK"],
    [4097, "E2BIG"],
  ])("attr size %i", (size, expected) => {
    const bytes = new Uint8Array(size);
    bytes.set(attr().subarray(0, Math.min(size, 92)));
    expect(new Machine().call(BPF_MAP_CREATE, bytes)).toBe(expected);
  });

  it.each([
    [92, "EINVAL"],
    [167, "EINVAL"],
    [168, "E2BIG"],
    [4095, "E2BIG"],
  ])("byte %i of attr not zero", (at, expected) => {
    const bytes = new Uint8Array(4096);
    bytes.set(attr());
    bytes[at] = 1;
    expect(new Machine().call(BPF_MAP_CREATE, bytes)).toBe(expected);
  });

  it.each([5, 16, 23, 28, 37, 999, -1, Number.NaN])(
    "command %d is EINVAL, after the size of attr",
    (command) => {
      const machine = new Machine();
      expect(machine.call(command, attr())).toBe("EINVAL");
      expect(machine.call(command, new Uint8Array(4097))).toBe("E2BIG");
    },
  );
});

describe("1.6 RHASH", () => {
  it.each<[string, CreateInput, string]>([
    ["as it should be", {}, "OK"],
    ["NO_PREALLOC missing", { map_flags: 0 }, "EINVAL"],
    ["ZERO_SEED", { map_flags: 0x41 }, "EINVAL"],
    ["key_size 65535", { key_size: 65535 }, "OK"],
    ["key_size 65536", { key_size: 65536 }, "E2BIG"],
    ["map_extra, high word", { map_extra: 1n << 32n, max_entries: 100_000 }, "EINVAL"],
    ["map_extra 65536", { map_extra: 65536, max_entries: 100_000 }, "E2BIG"],
    ["map_extra 65535", { map_extra: 65535, max_entries: 100_000 }, "OK"],
    ["map_extra above max_entries", { map_extra: 5 }, "EINVAL"],
    ["NO_COMMON_LRU", { map_flags: 0x3 }, "EINVAL"],
    ["MMAPABLE", { map_flags: 0x401 }, "EINVAL"],
    ["max_entries 2^31", { max_entries: 2 ** 31 }, "OK"],
    ["max_entries 2^31 + 1", { max_entries: 2 ** 31 + 1 }, "E2BIG"],
    ["map_ifindex", { map_ifindex: 1 }, "EINVAL"],
  ])("%s", (_name, input, expected) => check("RHASH", input, expected));
});

// Pairs of mistakes with different errnos, each seen on Linux 6.18.
describe("the first failing check decides", () => {
  const tooLarge = { key_size: 0xffffffff };
  const tooMany = { max_entries: 0xffffffff };
  it.each<[string, TypeName, CreateInput, string]>([
    ["RDONLY+WRONLY before sizes", "HASH", { map_flags: 0x18, ...tooLarge }, "EINVAL"],
    ["the node before sizes", "HASH", { map_flags: 4, numa_node: 99, ...tooLarge }, "EINVAL"],
    ["a key type alone before sizes", "HASH", { btf_key_type_id: 1, ...tooLarge }, "EINVAL"],
    ["a key type alone before btf_fd", "HASH", { btf_key_type_id: 1, btf_fd: 99 }, "EINVAL"],
    ["map_extra before sizes", "HASH", { map_extra: 1, ...tooLarge }, "EINVAL"],
    ["NO_PREALLOC of LRU before sizes", "LRU_HASH", { map_flags: 1, ...tooLarge }, "ENOTSUPP"],
    ["NO_PREALLOC of LRU before the node", "LRU_PERCPU_HASH", { map_flags: 5, ...tooLarge }, "ENOTSUPP"],
    ["unknown flags before NO_PREALLOC of LRU", "LRU_HASH", { map_flags: 0x21 }, "EINVAL"],
    ["the node of NO_COMMON_LRU before sizes", "LRU_HASH", { map_flags: 6, ...tooLarge }, "EINVAL"],
    ["flags before sizes", "HASH", { map_flags: 0x8000, ...tooLarge }, "EINVAL"],
    ["sizes before the name", "HASH", { map_name: "a b", ...tooLarge }, "E2BIG"],
    ["sizes before btf_fd", "HASH", { btf_value_type_id: 1, btf_fd: 99, ...tooLarge }, "E2BIG"],
    ["sizes before the token", "HASH", { map_flags: 0x10000, map_token_fd: 99, ...tooLarge }, "E2BIG"],
    ["the token before max_entries", "HASH", { map_flags: 0x10000, map_token_fd: 99, ...tooMany }, "EBADF"],
    ["the token before the name", "HASH", { map_flags: 0x10000, map_token_fd: 99, map_name: "a b" }, "EBADF"],
    [
      "the token before the device",
      "HASH",
      { map_flags: 0x10000, map_token_fd: 99, map_ifindex: 1 },
      "EBADF",
    ],
    ["the device before max_entries", "HASH", { map_ifindex: 1, ...tooMany }, "EOPNOTSUPP"],
    ["max_entries before the name", "HASH", { map_name: "a b", ...tooMany }, "E2BIG"],
    ["max_entries before excl_prog_hash", "HASH", { excl_prog_hash_size: 32, ...tooMany }, "E2BIG"],
    ["the name before btf_fd", "HASH", { map_name: "a b", btf_value_type_id: 1, btf_fd: 99 }, "EINVAL"],
    [
      "btf_fd before excl_prog_hash",
      "HASH",
      { excl_prog_hash_size: 1, btf_value_type_id: 1, btf_fd: 99 },
      "EBADF",
    ],
    ["memory before the name", "ARRAY", { map_name: "a b", value_size: 1 << 20, ...tooMany }, "ENOMEM"],
    [
      "key_size of an array before its value_size",
      "ARRAY",
      { key_size: 3, value_size: 0xffffffff },
      "EINVAL",
    ],
    ["flags before a per-CPU value", "PERCPU_ARRAY", { map_flags: 1, value_size: 32769 }, "EINVAL"],
    ["the key of an rhash before its flags", "RHASH", { map_flags: 0x21, key_size: 65536 }, "E2BIG"],
  ])("%s", (_name, type, input, expected) => check(type, input, expected));
});

it("leaves nothing behind when it fails late, and the other maps alone", () => {
  const machine = new Machine();
  const fd = machine.create("HASH");
  const before = machine.host.memoryUsage().bytes;
  expect(machine.create("HASH", { map_name: "a b" })).toBe(-22);
  expect(machine.host.memoryUsage().bytes).toBe(before);
  expect(machine.create("HASH")).toBe(fd + 1);
});
