// The commands on one element: tables 2.0 to 2.6 of the semantics study. E.* are its rows, seen on Linux 6.18.
import { describe, expect, it } from "vitest";
import {
  BPF_ATTR_ELEM,
  BPF_MAP_DELETE_ELEM as DELETE,
  BPF_MAP_FREEZE as FREEZE,
  BPF_MAP_LOOKUP_ELEM as LOOKUP,
  BPF_MAP_GET_NEXT_KEY as NEXT,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM as TAKE,
  BPF_MAP_UPDATE_ELEM as UPDATE,
  writeStruct,
} from "../../src/uapi/index.ts";
import {
  ARRAYS,
  AT,
  type ElemInput,
  EVICTING,
  HASHES,
  Machine,
  MEMORY_BYTES,
  NULL,
  OUTSIDE,
  TYPE_NAMES,
  type TypeName,
  UNTOUCHED,
} from "./machine.ts";

/** A map of 4 elements, with keys 0..entries-1 that have their key plus 1 in every byte of the value. */
function withMap(type: TypeName, entries = 0, input = {}): { machine: Machine; fd: number; bytes: number } {
  const machine = new Machine();
  const fd = machine.create(type, input);
  const bytes = machine.valueBytes(type);
  for (let key = 0; key < entries; key++) {
    machine.bytes.fill(key + 1, AT.value, AT.value + bytes);
    expect(machine.elem(UPDATE, fd, key)).toBe("OK");
  }
  machine.wipe();
  return { machine, fd, bytes };
}

const COMMANDS = { LOOKUP, UPDATE, DELETE, NEXT, TAKE } as const;
type Command = keyof typeof COMMANDS;
const COMMAND_NAMES = Object.keys(COMMANDS) as Command[];
const isArray = (type: TypeName) => type.endsWith("ARRAY");

describe("2.0 common to all", () => {
  it.each(COMMAND_NAMES)("E.fd.bad, E.fd.notmap: %s", (command) => {
    const { machine } = withMap("HASH", 1);
    expect(machine.elem(COMMANDS[command], 99, 0)).toBe("EBADF");
    expect(machine.elem(COMMANDS[command], 0xffffffff, 0)).toBe("EBADF");
    for (const fd of [0, 1, 2]) expect(machine.elem(COMMANDS[command], fd, 0)).toBe("EINVAL");
  });

  it.each<[string, Command, number]>([
    ["E.l.tail", "LOOKUP", 32],
    ["E.u.tail", "UPDATE", 32],
    ["E.x.tail", "TAKE", 32],
    ["E.d.val", "DELETE", 16],
    ["E.d.fl", "DELETE", 24],
    ["E.n.fl", "NEXT", 24],
  ])("%s: a byte behind the last field", (_row, command, at) => {
    const { machine, fd } = withMap("HASH", 1);
    machine.putU32(AT.key, 0);
    const input: ElemInput = {
      map_fd: fd,
      key: AT.key,
      ...(command === "DELETE" ? {} : { value: AT.value }),
    };
    for (const end of [at, 167]) {
      const attr = new Uint8Array(168);
      attr.set(writeStruct(BPF_ATTR_ELEM, input));
      expect(attr[end]).toBe(0);
      attr[end] = 1;
      expect(machine.call(COMMANDS[command], attr)).toBe("EINVAL");
      // It is found before the descriptor is looked at.
      attr[0] = 99;
      expect(machine.call(COMMANDS[command], attr)).toBe("EINVAL");
    }
  });

  it.each<[Command, "OK" | "EPERM", "OK" | "EPERM", "OK" | "EPERM"]>([
    ["LOOKUP", "OK", "EPERM", "OK"],
    ["NEXT", "OK", "EPERM", "OK"],
    ["UPDATE", "EPERM", "OK", "EPERM"],
    ["DELETE", "EPERM", "OK", "EPERM"],
    ["TAKE", "EPERM", "EPERM", "EPERM"],
  ])("E.perm, E.z.ops: %s on RDONLY %s, on WRONLY %s, frozen %s", (command, readOnly, writeOnly, frozen) => {
    for (const type of TYPE_NAMES) {
      for (const [flag, expected] of [
        [8, readOnly],
        [16, writeOnly],
        [0, frozen],
      ] as const) {
        const base = type === "RHASH" ? 1 : 0;
        const { machine, fd } = withMap(type, 0, { map_flags: base | flag });
        // An element by way of a descriptor with all rights.
        const other = machine.host.bpf(14, Uint8Array.of(1, 0, 0, 0));
        expect(machine.elem(UPDATE, other, 0)).toBe("OK");
        if (flag === 0) expect(machine.call(FREEZE, Uint8Array.of(fd, 0, 0, 0))).toBe("OK");
        const attr: ElemInput = command === "DELETE" ? { value: 0 } : command === "NEXT" ? { key: 0 } : {};
        const result = machine.elem(COMMANDS[command], fd, 0, attr);
        if (expected === "OK" && isArray(type) && command === "DELETE") expect(result).toBe("EINVAL");
        else expect(result).toBe(expected);
      }
    }
  });

  it.each(COMMAND_NAMES)("E.*.nullk: %s with key NULL, outside or across the end", (command) => {
    for (const type of TYPE_NAMES) {
      const { machine, fd } = withMap(type, 2);
      const value = command === "DELETE" ? 0 : AT.value;
      const expected = command === "NEXT" ? "OK" : "EFAULT";
      expect(machine.elem(COMMANDS[command], fd, null, { value, key: NULL })).toBe(expected);
      for (const key of [...OUTSIDE, MEMORY_BYTES - 3, MEMORY_BYTES - 1]) {
        expect(machine.elem(COMMANDS[command], fd, null, { value, key })).toBe("EFAULT");
      }
      expect(machine.elem(LOOKUP, fd, 1)).toBe("OK");
      expect(machine.bytes[AT.value]).toBe(2);
    }
  });

  it("takes a key and a value that end with the memory", () => {
    for (const type of TYPE_NAMES) {
      const { machine, fd, bytes } = withMap(type);
      machine.putU32(MEMORY_BYTES - 4, 1);
      expect(machine.elem(UPDATE, fd, null, { key: MEMORY_BYTES - 4, value: MEMORY_BYTES - bytes })).toBe(
        "OK",
      );
      expect(machine.elem(UPDATE, fd, 1, { value: MEMORY_BYTES - bytes + 1 })).toBe("EFAULT");
    }
  });
});

describe("2.1 value size seen by user space", () => {
  it.each<[string, TypeName, number, number]>([
    ["E.hash5", "HASH", 5, 5],
    ["E.arr5", "ARRAY", 5, 5],
    ["E.hash5", "RHASH", 5, 5],
    ["E.stride", "PERCPU_HASH", 5, 24],
    ["E.stride", "PERCPU_ARRAY", 5, 24],
    ["E.stride", "PERCPU_HASH", 9, 48],
    ["E.stride", "PERCPU_ARRAY", 16, 48],
  ])("%s: %s of %i bytes takes %i", (_row, type, value_size, expected) => {
    const machine = new Machine(3);
    const fd = machine.create(type, { value_size });
    for (let i = 0; i < 64; i++) machine.bytes[AT.value + i] = i + 1;
    expect(machine.elem(UPDATE, fd, 1)).toBe("OK");
    machine.wipe();
    expect(machine.elem(LOOKUP, fd, 1)).toBe("OK");
    // Padding inside a slot comes back as it was written, as on Linux 6.18.
    const written = Array.from({ length: expected }, (_, i) => i + 1);
    expect(machine.value(AT.value, expected + 2)).toEqual([...written, UNTOUCHED, UNTOUCHED]);
    machine.wipe();
    expect(machine.elem(LOOKUP, fd, 1, { value: MEMORY_BYTES - expected })).toBe("OK");
    expect(machine.elem(LOOKUP, fd, 1, { value: MEMORY_BYTES - expected + 1 })).toBe("EFAULT");
  });
});

describe("2.2 LOOKUP_ELEM", () => {
  it.each(HASHES)("E.l.miss: an absent key of a %s leaves the buffer alone", (type) => {
    const { machine, fd, bytes } = withMap(type, 1);
    expect(machine.elem(LOOKUP, fd, 3)).toBe("ENOENT");
    expect(machine.value(AT.value, bytes)).toEqual(Array(bytes).fill(UNTOUCHED));
  });

  it.each(ARRAYS)("E.l.zero: an %s is zero before the first write, and ends at max_entries", (type) => {
    const { machine, fd, bytes } = withMap(type);
    expect(machine.elem(LOOKUP, fd, 3)).toBe("OK");
    expect(machine.value(AT.value, bytes + 1)).toEqual([...Array(bytes).fill(0), UNTOUCHED]);
    machine.wipe();
    for (const index of [4, 5, 0x7fffffff, 0xffffffff])
      expect(machine.elem(LOOKUP, fd, index)).toBe("ENOENT");
    expect(machine.bytes[AT.value]).toBe(UNTOUCHED);
  });

  it.each(TYPE_NAMES)("E.l.fl*: flags of a %s", (type) => {
    const { machine, fd } = withMap(type, 1);
    for (const flags of [1, 2, 3, 5, 8, 16, 2n ** 32n, 2n ** 32n + 4n, 2n ** 63n]) {
      expect(machine.elem(LOOKUP, fd, 0, { flags })).toBe("EINVAL");
      // They are found before the descriptor is looked at.
      expect(machine.elem(LOOKUP, 99, 0, { flags })).toBe("EINVAL");
    }
    // E.l.fl4: for the lock the map is needed, but not the key.
    expect(machine.elem(LOOKUP, fd, null, { flags: 4 })).toBe("EINVAL");
    expect(machine.elem(LOOKUP, 99, 0, { flags: 4 })).toBe("EBADF");
  });

  it.each(TYPE_NAMES)("E.l.nullv: an unwritable value of a %s; what is mapped of it is written", (type) => {
    const { machine, fd, bytes } = withMap(type, 1);
    expect(machine.elem(LOOKUP, fd, 0, { value: NULL })).toBe("EFAULT");
    for (const value of OUTSIDE) expect(machine.elem(LOOKUP, fd, 0, { value })).toBe("EFAULT");
    expect(machine.elem(LOOKUP, fd, 0, { value: MEMORY_BYTES - bytes + 2 })).toBe("EFAULT");
    expect(machine.value(MEMORY_BYTES - bytes, bytes)).toEqual([
      UNTOUCHED,
      UNTOUCHED,
      ...Array(bytes - 2).fill(1),
    ]);
    // An absent key is found before the value.
    expect(machine.elem(LOOKUP, fd, 9, { value: NULL })).toBe("ENOENT");
  });
});

describe("2.3 UPDATE_ELEM", () => {
  const FULL = 4;
  const E2BIG_ARRAY = "E2BIG";
  it.each<[string, number, number, number, string, string]>([
    // row, entries before, key, flags, hashes, arrays
    ["E.u.any, key exists", 2, 0, 0, "OK", "OK"],
    ["E.u.any, key absent", 2, 3, 0, "OK", "OK"],
    ["E.u.any, index out of range", 2, 9, 0, "OK", E2BIG_ARRAY],
    ["E.u.noex, exists", 2, 0, 1, "EEXIST", "EEXIST"],
    ["E.u.noex, absent", 2, 3, 1, "OK", "EEXIST"],
    ["E.u.noexoob", 2, 9, 1, "OK", E2BIG_ARRAY],
    ["E.u.ex, exists", 2, 0, 2, "OK", "OK"],
    ["E.u.exmiss", 2, 9, 2, "ENOENT", E2BIG_ARRAY],
    ["E.cap.new, ANY", FULL, 9, 0, "E2BIG", E2BIG_ARRAY],
    ["E.cap.new, NOEXIST", FULL, 9, 1, "E2BIG", E2BIG_ARRAY],
    ["E.cap.newex", FULL, 9, 2, "ENOENT", E2BIG_ARRAY],
    ["E.cap.old, ANY", FULL, 3, 0, "OK", "OK"],
    ["E.cap.old, EXIST", FULL, 3, 2, "OK", "OK"],
    ["E.cap.oldno", FULL, 3, 1, "EEXIST", "EEXIST"],
    ["E.u.fl3", 2, 0, 3, "EINVAL", "EINVAL"],
    ["E.u.fl4", 2, 0, 4, "EINVAL", "EINVAL"],
    ["E.u.fl5", 2, 0, 5, "EINVAL", "EINVAL"],
    ["E.u.fl6", 2, 0, 6, "EINVAL", "EINVAL"],
    ["E.u.fl8", 2, 0, 8, "EINVAL", "EINVAL"],
    ["E.u.fl16", 2, 0, 16, "EINVAL", "EINVAL"],
    ["E.u.fl 2^31", 2, 0, 2 ** 31, "EINVAL", "EINVAL"],
    ["E.u.fl 2^32", 2, 0, 2 ** 32, "EINVAL", "EINVAL"],
    ["E.u.fl3, index out of range", 2, 9, 3, "EINVAL", "EINVAL"],
  ])("%s", (_row, entries, key, flags, hash, array) => {
    for (const type of TYPE_NAMES) {
      for (const map_flags of type === "HASH" || type === "PERCPU_HASH"
        ? [0, 1]
        : [type === "RHASH" ? 1 : 0]) {
        const { machine, fd, bytes } = withMap(type, entries, { map_flags });
        machine.bytes.fill(77, AT.value, AT.value + bytes);
        // A full map that evicts makes room.
        const room = hash === "E2BIG" && EVICTING.includes(type);
        const expected = isArray(type) ? array : room ? "OK" : hash;
        expect(machine.elem(UPDATE, fd, key, { flags }), type).toBe(expected);
        machine.wipe();
        const found = machine.elem(LOOKUP, fd, key) === "OK" && machine.bytes[AT.value + bytes - 1] === 77;
        expect(found, type).toBe(expected === "OK");
      }
    }
  });

  it("E.cap.many: an entry of a full map is overwritten any number of times", () => {
    for (const type of HASHES) {
      const { machine, fd } = withMap(type, 4);
      for (let i = 0; i < 50; i++) expect(machine.elem(UPDATE, fd, i % 4)).toBe("OK");
    }
  });

  it.each([1, 3, 100, 1000])("E.exact: capacity is max_entries = %i", (max_entries) => {
    for (const type of HASHES.filter((type) => !EVICTING.includes(type))) {
      const { machine, fd } = withMap(type, 0, { max_entries });
      for (let key = 0; key < max_entries; key++) expect(machine.elem(UPDATE, fd, key)).toBe("OK");
      expect(machine.elem(UPDATE, fd, max_entries)).toBe("E2BIG");
    }
  });

  it("E.u.nullv: an unreadable value is found before the flags and changes nothing; a lock before both", () => {
    for (const type of TYPE_NAMES) {
      const { machine, fd } = withMap(type, 1);
      for (const value of [NULL, ...OUTSIDE, MEMORY_BYTES - 4]) {
        expect(machine.elem(UPDATE, fd, 0, { value })).toBe("EFAULT");
        expect(machine.elem(UPDATE, fd, 0, { value, flags: 3 })).toBe("EFAULT");
        expect(machine.elem(UPDATE, fd, 0, { value, flags: 4 })).toBe("EINVAL");
        expect(machine.elem(UPDATE, fd, 0, { value, flags: 2n ** 63n + 4n })).toBe("EINVAL");
      }
      expect(machine.elem(LOOKUP, fd, 0)).toBe("OK");
      expect(machine.bytes[AT.value]).toBe(1);
    }
  });

  it("ENOMEM: without preallocation, when host memory is used up", () => {
    const { machine, fd } = withMap("HASH", 0, { map_flags: 1, max_entries: 100_000, value_size: 4096 });
    machine.host.core.setLimit(machine.host.memoryUsage().bytes + 1);
    const results = new Set<string>();
    for (let key = 0; key < 100; key++) results.add(machine.elem(UPDATE, fd, key));
    expect(results).toContain("ENOMEM");
  });
});

describe("2.4 DELETE_ELEM", () => {
  it("E.d.hit, E.d.miss", () => {
    for (const type of TYPE_NAMES) {
      const { machine, fd } = withMap(type, 2);
      const results = [1, 1, 9].map((key) => machine.elem(DELETE, fd, key, { value: 0 }));
      expect(results).toEqual(isArray(type) ? ["EINVAL", "EINVAL", "EINVAL"] : ["OK", "ENOENT", "ENOENT"]);
      expect(machine.elem(LOOKUP, fd, 0)).toBe("OK");
    }
  });

  it.each([1, 3, 8, 16, 24])("finds keys of %i bytes by all their bytes", (key_size) => {
    const { machine, fd } = withMap("HASH", 0, { key_size });
    machine.bytes.fill(1, AT.key, AT.key + key_size);
    expect(machine.elem(UPDATE, fd, null, { key: AT.key })).toBe("OK");
    machine.bytes[AT.key + key_size - 1] ^= 0x80;
    expect(machine.elem(DELETE, fd, null, { key: AT.key, value: 0 })).toBe("ENOENT");
    expect(machine.elem(LOOKUP, fd, null, { key: AT.key })).toBe("ENOENT");
    machine.bytes[AT.key + key_size - 1] ^= 0x80;
    expect(machine.elem(LOOKUP, fd, null, { key: AT.key })).toBe("OK");
    expect(machine.elem(DELETE, fd, null, { key: AT.key, value: 0 })).toBe("OK");
    expect(machine.elem(DELETE, fd, null, { key: AT.key, value: 0 })).toBe("ENOENT");
  });
});

describe("2.5 GET_NEXT_KEY", () => {
  const next = (machine: Machine, fd: number, key: number | null): string | number => {
    const result = machine.elem(NEXT, fd, key, { value: 0, next_key: AT.next });
    return result === "OK" ? machine.u32(AT.next) : result;
  };

  it.each(HASHES)("E.n.empty, E.order, E.n.last, E.n.miss, E.n.del: a %s", (type) => {
    const { machine, fd } = withMap(type);
    expect(next(machine, fd, null)).toBe("ENOENT");
    expect(next(machine, fd, 7)).toBe("ENOENT");
    for (let key = 0; key < 4; key++) machine.elem(UPDATE, fd, key);
    const order: number[] = [];
    for (let key = next(machine, fd, null); typeof key === "number"; key = next(machine, fd, key))
      order.push(key);
    expect(order.toSorted()).toEqual([0, 1, 2, 3]);
    machine.wipe();
    expect(next(machine, fd, order[3])).toBe("ENOENT");
    expect(machine.bytes[AT.next]).toBe(UNTOUCHED);
    expect(next(machine, fd, 99)).toBe(order[0]);
    machine.elem(DELETE, fd, order[1], { value: 0 });
    expect(next(machine, fd, order[1])).toBe(order[0]);
    expect(next(machine, fd, order[0])).toBe(order[2]);
  });

  it.each(HASHES)("E.n.drain: first key and delete empties a %s", (type) => {
    const { machine, fd } = withMap(type, 4);
    const seen = new Set<unknown>();
    for (let key = next(machine, fd, null); typeof key === "number"; key = next(machine, fd, null)) {
      seen.add(key);
      expect(machine.elem(DELETE, fd, key, { value: 0 })).toBe("OK");
    }
    expect(seen.size).toBe(4);
  });

  it.each(ARRAYS)("E.arr1: an %s", (type) => {
    const { machine, fd } = withMap(type);
    expect(next(machine, fd, null)).toBe(0);
    expect([0, 1, 2].map((key) => next(machine, fd, key))).toEqual([1, 2, 3]);
    expect(next(machine, fd, 3)).toBe("ENOENT");
    expect([4, 5, 0xffffffff].map((key) => next(machine, fd, key))).toEqual([0, 0, 0]);
  });

  it.each(TYPE_NAMES)("E.n.nullout: a %s; what is mapped of next_key is written", (type) => {
    const { machine, fd } = withMap(type, 1);
    for (const next_key of [NULL, ...OUTSIDE]) {
      expect(machine.elem(NEXT, fd, null, { value: 0, next_key })).toBe("EFAULT");
    }
    expect(machine.elem(NEXT, fd, null, { value: 0, next_key: MEMORY_BYTES - 3 })).toBe("EFAULT");
    expect(machine.value(MEMORY_BYTES - 4, 4)).toEqual([UNTOUCHED, 0, 0, 0]);
  });
});

describe("2.6 LOOKUP_AND_DELETE_ELEM", () => {
  it.each(HASHES)("E.x.hit, E.x.miss: a %s", (type) => {
    const { machine, fd, bytes } = withMap(type, 2);
    expect(machine.elem(TAKE, fd, 1)).toBe("OK");
    expect(machine.value(AT.value, bytes + 1)).toEqual([...Array(bytes).fill(2), UNTOUCHED]);
    machine.wipe();
    expect(machine.elem(TAKE, fd, 1)).toBe("ENOENT");
    expect(machine.bytes[AT.value]).toBe(UNTOUCHED);
    expect(machine.elem(LOOKUP, fd, 0)).toBe("OK");
  });

  it.each(ARRAYS)("E.x.arr, E.x.arrfl: an %s has it not; flags and key are looked at first", (type) => {
    const { machine, fd } = withMap(type, 2);
    expect(machine.elem(TAKE, fd, 1)).toBe("ENOTSUPP");
    expect(machine.elem(TAKE, fd, 1, { flags: 1 })).toBe("EINVAL");
    expect(machine.elem(TAKE, fd, 1, { flags: 4 })).toBe("EINVAL");
    expect(machine.elem(TAKE, fd, null)).toBe("EFAULT");
  });

  it.each(HASHES)("E.x.fl*: flags of a %s", (type) => {
    const { machine, fd } = withMap(type, 1);
    for (const flags of [1, 2, 3, 4, 8, 2n ** 40n]) {
      expect(machine.elem(TAKE, fd, 0, { flags })).toBe("EINVAL");
      expect(machine.elem(TAKE, 99, 0, { flags })).toBe(flags === 4 ? "EBADF" : "EINVAL");
    }
    expect(machine.elem(LOOKUP, fd, 0)).toBe("OK");
  });

  it.each(HASHES)("E.x.nullv: an unwritable value of a %s loses the element", (type) => {
    for (const value of [NULL, ...OUTSIDE, MEMORY_BYTES - 3]) {
      const { machine, fd } = withMap(type, 2);
      expect(machine.elem(TAKE, fd, 0, { value })).toBe("EFAULT");
      expect(machine.elem(LOOKUP, fd, 0)).toBe("ENOENT");
      expect(machine.elem(LOOKUP, fd, 1)).toBe("OK");
      if (value === MEMORY_BYTES - 3)
        expect(machine.value(MEMORY_BYTES - 4, 4)).toEqual([UNTOUCHED, 1, 1, 1]);
    }
  });
});
