// The commands on maps as a whole: table 2.11 of the semantics study. E.* are its rows; the results without one
// were seen on Linux 6.18 as well.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { spinLock, struct, u32 } from "../../src/index.ts";
import {
  BPF_ATTR_INFO,
  BPF_ATTR_OBJ,
  BPF_MAP_FREEZE,
  BPF_MAP_INFO,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_ELEM,
  BPF_OBJ_GET,
  BPF_OBJ_GET_INFO_BY_FD,
  readStruct,
  writeStruct,
} from "../../src/uapi/index.ts";
import {
  AT,
  type CreateInput,
  Machine,
  MEMORY_BYTES,
  NULL,
  OUTSIDE,
  TYPE_NAMES,
  TYPES,
  UNTOUCHED,
} from "./machine.ts";

const INFO = 0x200;

const freeze = (machine: Machine, fd: number) => machine.call(BPF_MAP_FREEZE, Uint8Array.of(fd, 0, 0, 0));

/** OBJ_GET_INFO_BY_FD with what is in memory; the result and info_len afterwards. */
function info(
  machine: Machine,
  fd: number,
  info_len = 104,
  pointer: number | bigint = INFO,
): [string, number] {
  const attr = writeStruct(BPF_ATTR_INFO, { bpf_fd: fd, info_len, info: pointer });
  const result = machine.call(BPF_OBJ_GET_INFO_BY_FD, attr);
  return [result, readStruct(BPF_ATTR_INFO, attr).info_len];
}

const zeroed = (input: CreateInput = {}, type: (typeof TYPE_NAMES)[number] = "HASH") => {
  const machine = new Machine();
  const fd = machine.create(type, input);
  machine.bytes.fill(0);
  return { machine, fd };
};

describe("2.11 FREEZE", () => {
  it("E.z.ok, E.z.again, E.perm.frz*", () => {
    for (const type of TYPE_NAMES) {
      const base = type === "RHASH" ? 1 : 0;
      const machine = new Machine();
      const fd = machine.create(type);
      expect(freeze(machine, fd)).toBe("OK");
      expect(freeze(machine, fd)).toBe("EPERM");
      expect(freeze(machine, machine.create(type, { map_flags: base | 8 }))).toBe("EPERM");
      expect(freeze(machine, machine.create(type, { map_flags: base | 16 }))).toBe("OK");
      expect(freeze(machine, 99)).toBe("EBADF");
      expect(freeze(machine, 2)).toBe("EINVAL");
    }
  });

  it("E.z.flags: a byte behind map_fd", () => {
    const { machine, fd } = zeroed();
    expect(machine.call(BPF_MAP_FREEZE, Uint8Array.of(fd, 0, 0, 0, 1))).toBe("EINVAL");
    expect(machine.call(BPF_MAP_FREEZE, Uint8Array.of(99, 0, 0, 0, 1))).toBe("EINVAL");
  });

  it("P.lk.frz: a map of the typed API with a lock in its value; BPF_F_LOCK is for it", () => {
    const machine = new Machine();
    const value = struct({ lock: spinLock, count: u32 });
    const map = machine.host.createMap({ type: "hash", key: u32, value, maxEntries: 4 });
    machine.host.pin("/m", map);
    machine.bytes.set([47, 109, 0]);
    machine.bytes.copyWithin(AT.key, 0, 3);
    const fd = machine.host.bpf(
      BPF_OBJ_GET,
      writeStruct(BPF_ATTR_OBJ, { pathname: AT.key }),
      machine.bytes.buffer,
    );
    expect(freeze(machine, fd)).toBe("ENOTSUPP");
    expect(machine.elem(BPF_MAP_UPDATE_ELEM, fd, 1, { flags: 4 })).toBe("OK");
    expect(machine.elem(BPF_MAP_UPDATE_ELEM, fd, 1, { flags: 5 })).toBe("EEXIST");
    expect(machine.elem(BPF_MAP_UPDATE_ELEM, fd, 2, { flags: 6 })).toBe("ENOENT");
    expect(machine.elem(BPF_MAP_LOOKUP_ELEM, fd, 1, { flags: 4 })).toBe("OK");
    // P.lk.lkp, P.lk.lkp2: the lock reads 0, and what was written to it is not there.
    expect(machine.value(AT.value, 8)).toEqual([0, 0, 0, 0, ...Array(4).fill(UNTOUCHED)]);
    expect(machine.batch(24, fd, 4, { elem_flags: 4 })).toEqual(["ENOENT", 1]);
    machine.bytes.fill(UNTOUCHED, AT.values, AT.values + 8);
    expect(machine.batch(26, fd, 1, { elem_flags: 4 })).toEqual(["OK", 1]);
    expect(machine.batch(24, fd, 4)).toEqual(["ENOENT", 1]);
    expect(machine.value(AT.values, 8)).toEqual([0, 0, 0, 0, ...Array(4).fill(UNTOUCHED)]);
    expect(map.get(1)).toEqual({ count: 0xaaaaaaaa });
  });
});

describe("2.11 OBJ_GET_INFO_BY_FD", () => {
  it("has the attributes of each type", () => {
    for (const type of TYPE_NAMES) {
      const input = { key_size: 4, value_size: 12, max_entries: 9, map_name: "abcDEF_019.xyzw" };
      const map_flags = type === "RHASH" ? 1 : 0x80;
      const { machine, fd } = zeroed(
        { ...input, map_flags: map_flags | 8, map_extra: type === "RHASH" ? 5 : 0 },
        type,
      );
      expect(info(machine, fd)).toEqual(["OK", 104]);
      const { name, ...numbers } = readStruct(BPF_MAP_INFO, machine.bytes.subarray(INFO, INFO + 104));
      expect(name).toBe(input.map_name);
      expect(numbers).toEqual({
        type: TYPES[type],
        id: 1,
        key_size: 4,
        value_size: 12,
        max_entries: 9,
        // Not RDONLY, which belongs to the descriptor.
        map_flags,
        ifindex: 0,
        btf_vmlinux_value_type_id: 0,
        netns_dev: 0n,
        netns_ino: 0n,
        btf_id: 0,
        btf_key_type_id: 0,
        btf_value_type_id: 0,
        btf_vmlinux_id: 0,
        map_extra: type === "RHASH" ? 5n : 0n,
        hash: 0n,
        hash_size: 0,
      });
      expect(machine.bytes[INFO + 104]).toBe(0);
    }
  });

  it.each([
    ["E.info.len", 88, 88],
    ["E.info.short", 12, 12],
    ["E.info.zero", 0, 0],
    ["E.info.big", 200, 104],
    ["E.info.big", 4096, 104],
  ])("%s: info_len %i gives %i", (_row, asked, given) => {
    const { machine, fd } = zeroed({ map_name: "name" });
    machine.bytes.fill(0, INFO, INFO + 104);
    expect(info(machine, fd, asked)).toEqual(["OK", given]);
    expect(machine.value(INFO, Math.min(given, 12))).toEqual(
      [1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0].slice(0, given),
    );
    if (given === 12) expect(machine.value(INFO + 12, 92)).toEqual(Array(92).fill(0));
  });

  it("E.info.bignz: what is behind the last field must be 0", () => {
    const { machine, fd } = zeroed();
    for (const at of [100, 103, 104, 199]) {
      machine.bytes.fill(0, INFO, INFO + 200);
      machine.bytes[INFO + at] = 1;
      expect(info(machine, fd, 200)).toEqual(["E2BIG", 200]);
    }
    expect(info(machine, fd, 4097)).toEqual(["E2BIG", 4097]);
  });

  it("E.info.badfd is EBADFD, E.info.notbpf EINVAL, a tail of attr EINVAL before both", () => {
    const { machine, fd } = zeroed();
    expect(info(machine, 99)).toEqual(["EBADFD", 104]);
    expect(info(machine, 0)).toEqual(["EINVAL", 104]);
    for (const target of [fd, 99]) {
      const attr = new Uint8Array(20);
      attr.set(writeStruct(BPF_ATTR_INFO, { bpf_fd: target, info_len: 104, info: INFO }));
      attr[16] = 1;
      expect(machine.call(BPF_OBJ_GET_INFO_BY_FD, attr)).toBe("EINVAL");
    }
  });

  it("keeps what the caller passed in fields that it has no answer for", () => {
    const { machine, fd } = zeroed();
    machine.bytes.fill(0xff, INFO, INFO + 80);
    expect(info(machine, fd, 80)).toEqual(["OK", 80]);
    const kept = [...Array(80).keys()].filter((at) => machine.bytes[INFO + at] === 0xff);
    // ifindex; then netns_dev to btf_vmlinux_id
    expect(kept).toEqual([40, 41, 42, 43, ...Array.from({ length: 32 }, (_, i) => 48 + i)]);
  });

  it("an info that cannot be read or written is EFAULT; of length 0 it is not looked at", () => {
    const { machine, fd } = zeroed();
    for (const pointer of [NULL, ...OUTSIDE, MEMORY_BYTES - 103]) {
      expect(info(machine, fd, 104, pointer)).toEqual(["EFAULT", 104]);
      expect(info(machine, fd, 0, pointer)).toEqual(["OK", 0]);
    }
  });

  it("E.info.frozen, E.info.id: no frozen state; ids increase and are not given twice", () => {
    const machine = new Machine();
    machine.bytes.fill(0);
    const ids = [0, 1, 2].map(() => {
      const fd = machine.create("HASH");
      info(machine, fd);
      const before = machine.value(INFO, 104);
      freeze(machine, fd);
      info(machine, fd);
      expect(machine.value(INFO, 104)).toEqual(before);
      machine.host.closeFd(fd);
      return machine.u32(INFO + 4);
    });
    expect(ids).toEqual([1, 2, 3]);
  });

  it("info.hash is the SHA-256 of a frozen array's elements", () => {
    const machine = new Machine();
    machine.bytes.fill(0);
    const HASH = 0x600;
    const ask = (fd: number, hash: number | bigint, size: number): string => {
      machine.bytes.fill(0, INFO, INFO + 104);
      machine.view.setBigUint64(INFO + 88, BigInt(hash), true);
      machine.putU32(INFO + 96, size);
      return info(machine, fd)[0];
    };
    for (const [value_size, max_entries] of [
      [5, 4],
      [8, 7],
      [55, 1],
      [56, 1],
      [64, 3],
      [1000, 9],
    ]) {
      const fd = machine.create("ARRAY", { value_size, max_entries });
      const stride = Math.ceil(value_size / 8) * 8;
      const bytes = new Uint8Array(stride * max_entries);
      for (let i = 0; i < max_entries; i++) {
        const value = Uint8Array.from({ length: value_size }, (_, j) => 7 * i + j);
        bytes.set(value, i * stride);
        machine.bytes.set(value, AT.keys);
        expect(machine.elem(BPF_MAP_UPDATE_ELEM, fd, i, { value: AT.keys })).toBe("OK");
      }
      expect(ask(fd, HASH, 32)).toBe("EPERM");
      expect(ask(fd, HASH, 31)).toBe("EINVAL");
      expect(ask(fd, 0, 32)).toBe("EINVAL");
      freeze(machine, fd);
      expect(ask(fd, HASH, 32)).toBe("OK");
      expect(machine.value(HASH, 32)).toEqual([...createHash("sha256").update(bytes).digest()]);
      expect(ask(fd, MEMORY_BYTES - 8, 32)).toBe("EFAULT");
    }
    for (const type of ["HASH", "PERCPU_ARRAY"] as const) {
      const fd = machine.create(type);
      freeze(machine, fd);
      expect(ask(fd, HASH, 32)).toBe("EINVAL");
      expect(ask(fd, HASH, 0)).toBe("EINVAL");
    }
  });
});
