// What the four batch commands check before they look at an entry: table 2.7 of the semantics study, row names as in
// batch.test.ts.
import { describe, expect, it } from "vitest";
import {
  BPF_ATTR_BATCH,
  BPF_MAP_DELETE_BATCH as DB,
  BPF_MAP_LOOKUP_BATCH as LB,
  BPF_MAP_UPDATE_BATCH as UB,
  writeStruct,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH as XB,
} from "../../src/uapi/index.ts";
import {
  COMMAND_NAMES,
  COMMANDS,
  type Command,
  expectPairs,
  isArray,
  present,
  UNTOUCHED_U32,
  upTo,
  withMap,
} from "./batches.ts";
import { ARRAYS, AT, HASHES, MEMORY_BYTES, NULL, OUTSIDE, TYPE_NAMES } from "./machine.ts";

describe("2.7 support and argument checks", () => {
  it.each(COMMAND_NAMES)("B.%s.badfd", (command) => {
    const { machine } = withMap("HASH", 4);
    expect(machine.batch(COMMANDS[command], 99, 4)).toEqual(["EBADF", 4]);
    expect(machine.batch(COMMANDS[command], 0, 4)).toEqual(["EINVAL", 4]);
  });

  it.each(COMMAND_NAMES)("B.%s.tail: a byte behind flags", (command) => {
    const { machine, fd } = withMap("HASH", 4);
    const attr = new Uint8Array(64);
    attr.set(writeStruct(BPF_ATTR_BATCH, { map_fd: fd, count: 4, keys: AT.keys, values: AT.values }));
    attr[56] = 1;
    expect(machine.call(COMMANDS[command], attr)).toBe("EINVAL");
    expect(attr[32]).toBe(4);
  });

  it.each(["XB", "DB"] as const)("B.%s.unsup: arrays have it not, and leave count alone", (command) => {
    for (const type of ARRAYS) {
      const { machine, fd } = withMap(type, 4);
      expect(machine.batch(COMMANDS[command], fd, 4)).toEqual(["ENOTSUPP", 4]);
      expect(machine.batch(COMMANDS[command], fd, 4, { elem_flags: 1, flags: 1 })).toEqual(["ENOTSUPP", 4]);
      expect(machine.batch(COMMANDS[command], fd, 0)).toEqual(["ENOTSUPP", 0]);
      expect(machine.call(22, Uint8Array.of(fd, 0, 0, 0))).toBe("OK");
      expect(machine.batch(COMMANDS[command], fd, 4)).toEqual(["EPERM", 4]);
    }
  });

  it.each<[Command, string, string, string]>([
    ["LB", "OK", "EPERM", "OK"],
    ["XB", "EPERM", "EPERM", "EPERM"],
    ["UB", "EPERM", "OK", "EPERM"],
    ["DB", "EPERM", "OK", "EPERM"],
  ])("B.%s.rdonly is %s, .wronly %s, E.z.batch %s", (command, readOnly, writeOnly, frozen) => {
    for (const type of HASHES) {
      const { machine, fd, bytes } = withMap(type, 4);
      for (const [open_flags, expected] of [
        [8, readOnly],
        [16, writeOnly],
        [0, frozen],
      ] as const) {
        const other = machine.host.bpf(14, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, open_flags));
        if (open_flags === 0) machine.call(22, Uint8Array.of(fd, 0, 0, 0));
        machine.fill(upTo(4), bytes);
        const [result, count] = machine.batch(COMMANDS[command], other, 4);
        // An empty map's first batch is its last.
        expect(result === "ENOENT" ? "OK" : result).toBe(expected);
        expect(count).toBe(4);
        if (expected === "OK" && command === "DB") {
          machine.fill(upTo(4), bytes);
          expect(machine.batch(UB, fd, 4)).toEqual(["OK", 4]);
        }
      }
    }
  });

  it.each(COMMAND_NAMES)("B.%s.c0: count 0 does nothing, and the flags are looked at first", (command) => {
    for (const type of TYPE_NAMES) {
      if (isArray(type) && (command === "XB" || command === "DB")) continue;
      const { machine, fd } = withMap(type, 4);
      const nowhere = { keys: NULL, values: NULL, out_batch: NULL, in_batch: 2n ** 63n };
      expect(machine.batch(COMMANDS[command], fd, 0, nowhere)).toEqual(["OK", 0]);
      expect(machine.batch(COMMANDS[command], fd, 0, { ...nowhere, elem_flags: 1 })).toEqual(["EINVAL", 0]);
    }
  });

  it.each(COMMAND_NAMES)("B.%s.eflags, B.UB.noex, B.UB.ex: elem_flags", (command) => {
    for (const type of TYPE_NAMES) {
      if (isArray(type) && (command === "XB" || command === "DB")) continue;
      const { machine, fd } = withMap(type, 4);
      for (const elem_flags of [1, 2, 3, 4, 5, 8, 16, 2n ** 32n, 2n ** 63n]) {
        expect(machine.batch(COMMANDS[command], fd, 4, { elem_flags })).toEqual(["EINVAL", 4]);
      }
      expect(present(machine, fd).length).toBe(isArray(type) ? 64 : 4);
    }
  });

  it.each<[Command, string, string]>([
    ["LB", "EINVAL", "OK"],
    ["XB", "EINVAL", ""],
    ["UB", "OK", "OK"],
    ["DB", "OK", ""],
  ])("B.%s.flags: batch.flags are %s for hashes, %s for arrays", (command, hash, array) => {
    for (const type of TYPE_NAMES) {
      if (isArray(type) && array === "") continue;
      for (const flags of [1, 7, 2n ** 40n]) {
        const { machine, fd, bytes } = withMap(type, 4);
        machine.fill(upTo(4), bytes);
        expect(machine.batch(COMMANDS[command], fd, 4, { flags })).toEqual([isArray(type) ? array : hash, 4]);
      }
    }
  });

  it.each(COMMAND_NAMES)("B.%s.nullk: keys NULL or outside", (command) => {
    for (const type of TYPE_NAMES) {
      if (isArray(type) && (command === "XB" || command === "DB")) continue;
      for (const keys of [NULL, ...OUTSIDE, MEMORY_BYTES - 1]) {
        const { machine, fd } = withMap(type, 40);
        expect(machine.batch(COMMANDS[command], fd, 64, { keys })).toEqual(["EFAULT", 0]);
        expect(machine.u32(AT.next)).toBe(UNTOUCHED_U32);
        const left = present(machine, fd).length;
        // The first bucket is lost, and here it is one entry.
        expect(left).toBe(isArray(type) ? 64 : command === "XB" ? 39 : 40);
      }
    }
  });

  it.each(["LB", "XB", "UB"] as const)("B.%s.nullv: values NULL or outside", (command) => {
    for (const type of TYPE_NAMES) {
      if (isArray(type) && command === "XB") continue;
      for (const values of [NULL, ...OUTSIDE, MEMORY_BYTES - 1]) {
        const { machine, fd } = withMap(type, 40);
        expect(machine.batch(COMMANDS[command], fd, 64, { values })).toEqual(["EFAULT", 0]);
        expect(present(machine, fd).length).toBe(isArray(type) ? 64 : command === "XB" ? 39 : 40);
        // The key was written before.
        if (command !== "UB") expect(machine.u32(AT.keys)).not.toBe(UNTOUCHED_U32);
      }
    }
  });

  it("B.DB.vals: DELETE_BATCH ignores values", () => {
    for (const type of HASHES) {
      const { machine, fd, bytes } = withMap(type, 4);
      machine.fill(upTo(4), bytes);
      expect(machine.batch(DB, fd, 4, { values: 2n ** 63n })).toEqual(["OK", 4]);
    }
  });

  it("B.LB.nullo, B.XB.nullo: out_batch NULL or outside; B.UB.inout, B.DB.inout: ignored", () => {
    for (const type of TYPE_NAMES) {
      for (const out_batch of [NULL, ...OUTSIDE, MEMORY_BYTES - 3]) {
        for (const count of [3, 40]) {
          const { machine, fd, bytes } = withMap(type, 40);
          // An RHASH writes it after `count`, and at the end not at all (7.2).
          const expected =
            type === "RHASH" && count === 40
              ? ["ENOENT", 40]
              : ["EFAULT", isArray(type) || type === "RHASH" ? count : 0];
          expect(machine.batch(LB, fd, count, { out_batch })).toEqual(expected);
          expectPairs(machine, count, bytes);
          if (isArray(type)) continue;
          machine.wipe();
          expect(machine.batch(XB, fd, count, { out_batch })).toEqual(expected);
          expectPairs(machine, count, bytes);
          expect(present(machine, fd).length).toBe(40 - count);
          machine.fill(upTo(40), bytes);
          expect(machine.batch(UB, fd, 40, { out_batch, in_batch: 2n ** 63n })).toEqual(["OK", 40]);
          expect(machine.batch(DB, fd, 40, { out_batch, in_batch: 2n ** 63n })).toEqual(["OK", 40]);
        }
      }
    }
  });

  it("B.LB.inbad, B.XB.inbad: in_batch unreadable, count zeroed already", () => {
    for (const type of TYPE_NAMES) {
      const { machine, fd } = withMap(type, 4);
      for (const in_batch of [...OUTSIDE, MEMORY_BYTES - 3]) {
        expect(machine.batch(LB, fd, 4, { in_batch })).toEqual(["EFAULT", 0]);
        if (!isArray(type)) expect(machine.batch(XB, fd, 4, { in_batch })).toEqual(["EFAULT", 0]);
      }
      expect(present(machine, fd).length).toBe(isArray(type) ? 64 : 4);
    }
  });
});
