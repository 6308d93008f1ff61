import { describe, expect, it } from "vitest";
import { ERRNO, struct, u32 } from "../../src/index.ts";
import {
  BPF_ATTR_ID,
  BPF_ATTR_OBJ,
  BPF_MAP_GET_FD_BY_ID,
  BPF_MAP_GET_NEXT_ID,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_ELEM,
  BPF_OBJ_GET,
  BPF_OBJ_PIN,
  readStruct,
  type StructInput,
  writeStruct,
} from "../../src/uapi/index.ts";
import { AT, type CreateInput, Machine, MEMORY_BYTES, NULL, type TYPE_NAMES, UNTOUCHED } from "./machine.ts";

const u32Pair = struct({ a: u32, b: u32 });

const zeroed = (input: CreateInput = {}, type: (typeof TYPE_NAMES)[number] = "HASH") => {
  const machine = new Machine();
  const fd = machine.create(type, input);
  machine.bytes.fill(0);
  return { machine, fd };
};

describe("OBJ_PIN and OBJ_GET", () => {
  const PATH = 0x800;
  const call = (
    machine: Machine,
    command: number,
    input: StructInput<typeof BPF_ATTR_OBJ>,
    path?: string,
  ) => {
    if (path !== undefined) machine.bytes.set(new TextEncoder().encode(`${path}\0`), PATH);
    return machine.call(command, writeStruct(BPF_ATTR_OBJ, { pathname: PATH, ...input }));
  };
  const pin = (machine: Machine, input: StructInput<typeof BPF_ATTR_OBJ>, path?: string) =>
    call(machine, BPF_OBJ_PIN, input, path);
  const get = (machine: Machine, input: StructInput<typeof BPF_ATTR_OBJ>, path?: string) =>
    call(machine, BPF_OBJ_GET, input, path);

  it("a pinned map outlives its descriptors, and is the one of host.open", () => {
    const { machine, fd } = zeroed();
    machine.elem(BPF_MAP_UPDATE_ELEM, fd, 7);
    expect(pin(machine, { bpf_fd: fd }, "/sys/fs/bpf/é")).toBe("OK");
    expect(pin(machine, { bpf_fd: fd }, "/sys/fs/bpf/é")).toBe("EEXIST");
    machine.host.closeFd(fd);
    expect(get(machine, {}, "/sys/fs/bpf/é")).toBe("OK");
    expect(machine.elem(BPF_MAP_LOOKUP_ELEM, fd, 7)).toBe("OK");
    machine.host.closeFd(fd);
    expect(machine.host.memoryUsage().maps.length).toBe(1);
    machine.host.unpin("/sys/fs/bpf/é");
    expect(machine.host.memoryUsage().bytes).toBe(0);
    expect(get(machine, {}, "/sys/fs/bpf/é")).toBe("ENOENT");
  });

  it("the flags of OBJ_GET are the rights of the descriptor", () => {
    const { machine, fd } = zeroed();
    pin(machine, { bpf_fd: fd }, "/m");
    expect(get(machine, { file_flags: 8 }, "/m")).toBe("OK");
    expect(machine.elem(BPF_MAP_UPDATE_ELEM, fd + 1, 7)).toBe("EPERM");
    expect(get(machine, { file_flags: 16 }, "/m")).toBe("OK");
    expect(machine.elem(BPF_MAP_UPDATE_ELEM, fd + 2, 7)).toBe("OK");
    expect(machine.elem(BPF_MAP_LOOKUP_ELEM, fd + 2, 7)).toBe("EPERM");
  });

  it.each<[string, StructInput<typeof BPF_ATTR_OBJ>, string]>([
    ["flags", { file_flags: 8 }, "EINVAL"],
    ["path_fd without its flag", { path_fd: 5 }, "EINVAL"],
    ["a descriptor that is not open", { bpf_fd: 99 }, "EINVAL"],
    ["a descriptor of no map", { bpf_fd: 1 }, "EINVAL"],
    ["a descriptor that is not open, path NULL", { bpf_fd: 99, pathname: NULL }, "EINVAL"],
    ["path NULL", { pathname: NULL }, "EFAULT"],
    ["path outside", { pathname: 2n ** 63n }, "EFAULT"],
    [
      "relative to a folder that is not open",
      { file_flags: 0x4000, path_fd: 99, pathname: PATH + 1 },
      "EBADF",
    ],
    ["absolute, with a folder that is not open", { file_flags: 0x4000, path_fd: 99 }, "OK"],
    ["relative to where it is", { file_flags: 0x4000, path_fd: -100, pathname: PATH + 1 }, "OK"],
  ])("OBJ_PIN: %s", (_name, input, expected) => {
    const { machine, fd } = zeroed();
    expect(pin(machine, { bpf_fd: fd, ...input }, "/m")).toBe(expected);
  });

  it.each<[string, StructInput<typeof BPF_ATTR_OBJ>, string]>([
    ["absent", {}, "ENOENT"],
    ["bpf_fd set", { bpf_fd: 1 }, "EINVAL"],
    ["RDONLY+WRONLY", { file_flags: 0x18 }, "EINVAL"],
    ["RDONLY+WRONLY, path NULL", { file_flags: 0x18, pathname: NULL }, "EINVAL"],
    ["other flags", { file_flags: 0x80 }, "EINVAL"],
    ["path_fd without its flag", { path_fd: 5 }, "EINVAL"],
    ["path NULL", { pathname: NULL }, "EFAULT"],
    [
      "relative to a folder that is not open",
      { file_flags: 0x4000, path_fd: 99, pathname: PATH + 1 },
      "EBADF",
    ],
    ["absolute, with a folder that is not open", { file_flags: 0x4000, path_fd: 99 }, "ENOENT"],
  ])("OBJ_GET: %s", (_name, input, expected) => {
    const { machine } = zeroed();
    expect(get(machine, input, "/m")).toBe(expected);
  });

  it("paths that are empty, too long or without an end", () => {
    const { machine, fd } = zeroed();
    for (const [command, input] of [
      [BPF_OBJ_PIN, { bpf_fd: fd }],
      [BPF_OBJ_GET, {}],
    ] as const) {
      expect(call(machine, command, input, "")).toBe("ENOENT");
      expect(call(machine, command, input, `/${"a".repeat(4095)}`)).toBe("ENAMETOOLONG");
      machine.bytes.fill(97, MEMORY_BYTES - 3);
      expect(call(machine, command, { ...input, pathname: MEMORY_BYTES - 3 })).toBe("EFAULT");
      expect(call(machine, command, input, `/${"a".repeat(4094)}`)).toBe(
        command === BPF_OBJ_PIN ? "OK" : "OK",
      );
    }
  });

  it("a byte behind path_fd", () => {
    const { machine, fd } = zeroed();
    const attr = new Uint8Array(24);
    attr.set(writeStruct(BPF_ATTR_OBJ, { pathname: PATH, bpf_fd: fd }));
    attr[20] = 1;
    expect(machine.call(BPF_OBJ_PIN, attr)).toBe("EINVAL");
    expect(machine.call(BPF_OBJ_GET, attr)).toBe("EINVAL");
  });
});

describe("MAP_GET_NEXT_ID and MAP_GET_FD_BY_ID", () => {
  const nextId = (machine: Machine, start_id: number): string | number => {
    const attr = writeStruct(BPF_ATTR_ID, { start_id });
    const result = machine.call(BPF_MAP_GET_NEXT_ID, attr);
    return result === "OK" ? readStruct(BPF_ATTR_ID, attr).next_id : result;
  };

  it("walks the maps of the host, those of the typed API too", () => {
    const machine = new Machine();
    expect(nextId(machine, 0)).toBe("ENOENT");
    const first = machine.create("HASH");
    machine.host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 4 });
    machine.create("ARRAY");
    machine.host.closeFd(first);
    expect([0, 1, 2, 3].map((id) => nextId(machine, id))).toEqual([2, 2, 3, "ENOENT"]);
    expect(nextId(machine, 0x7ffffffe)).toBe("ENOENT");
    expect(nextId(machine, 0x7fffffff)).toBe("EINVAL");
    expect(machine.call(BPF_MAP_GET_NEXT_ID, writeStruct(BPF_ATTR_ID, { open_flags: 1 }))).toBe("EINVAL");
  });

  it("opens by id with the rights of open_flags", () => {
    const { machine, fd } = zeroed();
    const open = (map_id: number, open_flags = 0) =>
      machine.host.bpf(BPF_MAP_GET_FD_BY_ID, writeStruct(BPF_ATTR_ID, { map_id, open_flags }));
    expect(open(1)).toBe(fd + 1);
    expect(open(1, 8)).toBe(fd + 2);
    expect(machine.elem(BPF_MAP_UPDATE_ELEM, fd + 2, 7)).toBe("EPERM");
    for (const [id, flags, errno] of [
      [2, 0, ERRNO.ENOENT],
      [0, 0, ERRNO.ENOENT],
      [0x90000000, 8, ERRNO.ENOENT],
      [1, 0x18, ERRNO.EINVAL],
      [1, 1, ERRNO.EINVAL],
      [2, 1, ERRNO.EINVAL],
    ]) {
      expect(open(id, flags)).toBe(-errno);
    }
    const attr = new Uint8Array(16);
    attr.set(writeStruct(BPF_ATTR_ID, { map_id: 1 }));
    attr[12] = 1;
    expect(machine.host.bpf(BPF_MAP_GET_FD_BY_ID, attr)).toBe(-ERRNO.EINVAL);
    attr[12] = 0;
    attr[4] = 1; // next_id is not looked at
    expect(machine.host.bpf(BPF_MAP_GET_FD_BY_ID, attr)).toBe(fd + 3);
  });
});

describe("file descriptors", () => {
  it("are the lowest free ones from 3 on, and close once", () => {
    const machine = new Machine();
    expect([0, 1, 2, 3].map(() => machine.create("HASH"))).toEqual([3, 4, 5, 6]);
    const { host } = machine;
    expect([4, 3, 4, 0, 2, 7, -1, 1.5, 2 ** 40].map((fd) => host.closeFd(fd))).toEqual([
      0,
      0,
      ...Array(7).fill(-9),
    ]);
    expect([0, 1, 2].map(() => machine.create("ARRAY"))).toEqual([3, 4, 7]);
  });

  it("keep a map alive, as handles of the typed API do", () => {
    const { machine, fd } = zeroed();
    const { host } = machine;
    host.bpf(
      BPF_OBJ_PIN,
      writeStruct(BPF_ATTR_OBJ, { bpf_fd: fd, pathname: 0x800 }),
      machine.bytes.fill(97, 0x800, 0x802).buffer,
    );
    const map = host.open("aa", { key: u32, value: u32Pair });
    host.unpin("aa");
    map.set(7, { a: 1, b: 2 });
    host.closeFd(fd);
    expect(map.get(7)).toEqual({ a: 1, b: 2 });
    const again = host.bpf(BPF_MAP_GET_FD_BY_ID, writeStruct(BPF_ATTR_ID, { map_id: map.info.id }));
    map.close();
    expect(machine.elem(BPF_MAP_LOOKUP_ELEM, again, 7)).toBe("OK");
    expect(machine.value(AT.value, 9)).toEqual([1, 0, 0, 0, 2, 0, 0, 0, 0]);
    host.closeFd(again);
    expect(host.memoryUsage().bytes).toBe(0);
  });

  it("of a closed host are EBADF", () => {
    const { machine, fd } = zeroed();
    machine.host.close();
    expect(machine.elem(BPF_MAP_LOOKUP_ELEM, fd, 7)).toBe("EBADF");
    expect(machine.create("HASH")).toBe(-ERRNO.EBADF);
    expect(machine.host.closeFd(fd)).toBe(-ERRNO.EBADF);
    expect(machine.bytes[AT.value]).not.toBe(UNTOUCHED);
  });
});
