// The four batch commands: tables 2.8 to 2.10 of the semantics study. B.* are its rows, seen on Linux 6.18: LB, XB, UB and DB
// are LOOKUP_, LOOKUP_AND_DELETE_, UPDATE_ and DELETE_BATCH. What differs on purpose: no ENOSPC, and the value of a cursor.
import { describe, expect, it } from "vitest";
import {
  BPF_ATTR_BATCH,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_DELETE_BATCH as DB,
  BPF_MAP_LOOKUP_BATCH as LB,
  BPF_MAP_UPDATE_BATCH as UB,
  writeStruct,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH as XB,
} from "../../src/uapi/index.ts";
import {
  COMMANDS,
  endOf,
  expectPairs,
  isArray,
  OUT_END,
  present,
  sorted,
  UNTOUCHED_U32,
  upTo,
  withMap,
} from "./batches.ts";
import {
  ARRAYS,
  AT,
  EVICTING,
  HASHES,
  Machine,
  MEMORY_BYTES,
  NULL,
  TYPE_NAMES,
  type TypeName,
  UNTOUCHED,
} from "./machine.ts";

describe.each(["LB", "XB"] as const)("2.8 B.%s on the hash family", (command) => {
  const run = COMMANDS[command];
  const left = (all: number, taken: number) => (command === "XB" ? all - taken : all);

  it.each(HASHES)(".empty: an empty %s", (type) => {
    const { machine, fd } = withMap(type, 0);
    expect(machine.batch(run, fd, 4)).toEqual(["ENOENT", 0]);
    expect(machine.u32(AT.next)).toBe(endOf(type));
    expect(machine.bytes[AT.keys]).toBe(UNTOUCHED);
  });

  it.each(HASHES)(".all, .exact, .order: count >= entries ends the scan of a %s at once", (type) => {
    for (const count of [40, 41, 64, 1000, 0xffffffff]) {
      const { machine, fd, bytes } = withMap(type, 40);
      expect(machine.batch(run, fd, count)).toEqual(["ENOENT", 40]);
      expect(machine.u32(AT.next)).toBe(endOf(type));
      expect(sorted(expectPairs(machine, 40, bytes))).toEqual(upTo(40));
      expect(present(machine, fd).length).toBe(left(40, 40));
    }
  });

  it.each(HASHES)(".nospc, .resume, .walk: any count walks a %s, each entry once", (type) => {
    for (const size of [1, 2, 3, 7, 9, 39]) {
      const { machine, fd, bytes } = withMap(type, 40);
      const keys: number[] = [];
      let result = "OK";
      let in_batch = NULL;
      while (result === "OK") {
        machine.bytes.fill(UNTOUCHED, AT.keys);
        let count: number;
        [result, count] = machine.batch(run, fd, size, { in_batch });
        expect(count).toBe(Math.min(size, 40 - keys.length));
        keys.push(...expectPairs(machine, count, bytes));
        machine.putU32(AT.cursor, machine.u32(AT.next));
        in_batch = AT.cursor;
        expect(present(machine, fd).length).toBe(left(40, keys.length));
      }
      expect(result).toBe("ENOENT");
      expect(sorted(keys)).toEqual(upTo(40));
      // Of an RHASH it is what the batch before has written.
      expect(machine.u32(AT.next)).toBe(type === "RHASH" ? machine.u32(AT.cursor) : OUT_END);
    }
  });

  it.each(HASHES)(".alias: in_batch and out_batch of a %s in one place", (type) => {
    const { machine, fd } = withMap(type, 40);
    machine.putU32(AT.next, 0); // B.*.cur0: pointing at 0 is the start
    const keys: number[] = [];
    let result = "OK";
    while (result === "OK") {
      let count: number;
      [result, count] = machine.batch(run, fd, 7, { in_batch: AT.next });
      keys.push(...machine.keys(count));
    }
    expect(sorted(keys)).toEqual(upTo(40));
  });

  it.each(HASHES)(".cur40: after the end of a %s comes ENOENT, and out_batch is not written", (type) => {
    const { machine, fd } = withMap(type, 40);
    for (const end of [0xffff_ffff, 0xffff_fffe, 0xffff_0000]) {
      machine.putU32(AT.cursor, end);
      expect(machine.batch(run, fd, 4, { in_batch: AT.cursor })).toEqual(["ENOENT", 0]);
      expect(machine.u32(AT.next)).toBe(UNTOUCHED_U32);
      expect(machine.batch(run, fd, 4, { in_batch: AT.cursor, keys: 0, values: 0, out_batch: 0 })).toEqual([
        "ENOENT",
        0,
      ]);
    }
    expect(present(machine, fd).length).toBe(40);
  });

  it.each(HASHES)(".cur3f: from a place of a %s that has only empty ones behind", (type) => {
    const { machine, fd } = withMap(type, 0);
    machine.putU32(AT.cursor, 0xfffe_ffff);
    expect(machine.batch(run, fd, 4, { in_batch: AT.cursor })).toEqual(["ENOENT", 0]);
    expect(machine.u32(AT.next)).toBe(endOf(type));
  });

  it(".k1: a cursor is 4 bytes, whatever the key size", () => {
    for (const key_size of [1, 2, 3, 5, 8, 16, 40]) {
      const machine = new Machine();
      const fd = machine.create("HASH", { key_size, max_entries: 8 });
      for (let i = 0; i < 3; i++) {
        machine.bytes.fill(i, AT.key, AT.key + key_size);
        expect(machine.elem(2, fd, null, { key: AT.key })).toBe("OK");
      }
      for (const count of [1, 8]) {
        machine.wipe();
        machine.batch(run, fd, count);
        expect(machine.value(AT.next + 4, 4)).toEqual(Array(4).fill(UNTOUCHED));
        expect(machine.value(AT.next, 4)).not.toEqual(Array(4).fill(UNTOUCHED));
      }
    }
  });

  it(".stride5: values are packed without rounding, those of per-CPU maps in slots", () => {
    for (const [type, bytes] of [
      ["HASH", 5],
      ["RHASH", 5],
      ["PERCPU_HASH", 16],
    ] as const) {
      const machine = new Machine();
      const fd = machine.create(type, { value_size: 5, max_entries: 8 });
      machine.fill(upTo(6), bytes);
      expect(machine.batch(UB, fd, 6)).toEqual(["OK", 6]);
      machine.wipe();
      expect(machine.batch(run, fd, 8)).toEqual(["ENOENT", 6]);
      expect(sorted(expectPairs(machine, 6, bytes))).toEqual(upTo(6));
    }
  });

  it.each(HASHES)(".lost: a fault in the middle of a %s", (type) => {
    // Room for 5 keys and a half.
    const { machine, fd } = withMap(type, 40);
    expect(machine.batch(run, fd, 40, { keys: MEMORY_BYTES - 22 })).toEqual(["EFAULT", 0]);
    expect(machine.u32(AT.next)).toBe(UNTOUCHED_U32);
    expect(present(machine, fd).length).toBe(left(40, 6));
    expect(machine.value(MEMORY_BYTES - 23, 1)).toEqual([UNTOUCHED]);
    // The half of the key that is mapped.
    expect(machine.bytes[MEMORY_BYTES - 2]).not.toBe(UNTOUCHED);
    // What does not reach the fault has none.
    const again = withMap(type, 5);
    expect(again.machine.batch(run, again.fd, 40, { keys: MEMORY_BYTES - 22 })).toEqual(["ENOENT", 5]);
    const exact = withMap(type, 40);
    expect(exact.machine.batch(run, exact.fd, 5, { keys: MEMORY_BYTES - 22 })).toEqual(["OK", 5]);
  });
});

describe("2.8 between two batches of a hash", () => {
  const walk = (type: TypeName, between: (machine: Machine, fd: number, seen: number[]) => void) => {
    const { machine, fd } = withMap(type, 40, 64);
    const seen: number[] = [];
    let result = "OK";
    let in_batch = NULL;
    while (result === "OK") {
      let count: number;
      [result, count] = machine.batch(LB, fd, 3, { in_batch });
      seen.push(...machine.keys(count));
      in_batch = AT.next;
      between(machine, fd, seen);
    }
    return seen;
  };

  it.each(HASHES)("B.robust: what is deleted of a %s disturbs no cursor", (type) => {
    const deleted = new Set<number>();
    const seen = walk(type, (machine, fd, sofar) => {
      // The key given last, which the cursor stands at, and one to come.
      const victims = [sofar.at(-1)!, present(machine, fd).find((key) => !sofar.includes(key))];
      for (const key of victims) {
        if (key === undefined) continue;
        if (!sofar.includes(key)) deleted.add(key);
        machine.elem(3, fd, key);
      }
    });
    expect(sorted([...seen, ...deleted])).toEqual(upTo(40));
  });

  it.each(HASHES)("B.insert: what is inserted into a %s or overwritten repeats nothing", (type) => {
    let next = 40;
    const seen = walk(type, (machine, fd, sofar) => {
      machine.elem(2, fd, next++);
      for (const key of sofar.slice(-3)) machine.elem(2, fd, key);
    });
    expect(new Set(seen).size).toBe(seen.length);
    expect(sorted(seen.filter((key) => key < 40))).toEqual(upTo(40));
  });
});

describe("2.9 LOOKUP_BATCH on arrays", () => {
  it.each(ARRAYS)("B.LB.a1, a2, a3, aend: %s", (type) => {
    const { machine, fd, bytes } = withMap(type, 10, 10);
    const step = (in_batch: number, expected: [string, number], cursor: number, keys: number[]) => {
      machine.bytes.fill(UNTOUCHED, AT.keys);
      expect(machine.batch(LB, fd, 4, { in_batch })).toEqual(expected);
      expect(machine.u32(AT.next)).toBe(cursor);
      expect(expectPairs(machine, keys.length, bytes)).toEqual(keys);
    };
    step(NULL, ["OK", 4], 3, [0, 1, 2, 3]);
    step(AT.next, ["OK", 4], 7, [4, 5, 6, 7]);
    step(AT.next, ["ENOENT", 2], 9, [8, 9]);
    machine.putU32(AT.cursor, 9);
    machine.putU32(AT.next, 1234);
    step(AT.cursor, ["ENOENT", 0], 1234, []);
  });

  it.each(ARRAYS)("B.LB.aexact, amore, aoob: %s", (type) => {
    const { machine, fd, bytes } = withMap(type, 10, 10);
    expect(machine.batch(LB, fd, 10)).toEqual(["OK", 10]);
    expect(machine.u32(AT.next)).toBe(9);
    for (const count of [11, 4000, 0xffffffff]) {
      machine.wipe();
      expect(machine.batch(LB, fd, count)).toEqual(["ENOENT", 10]);
      expect(machine.u32(AT.next)).toBe(9);
      expect(expectPairs(machine, 10, bytes)).toEqual(upTo(10));
    }
    for (const index of [10, 0xffffffff]) {
      machine.putU32(AT.cursor, index);
      expect(machine.batch(LB, fd, 4, { in_batch: AT.cursor })).toEqual(["OK", 4]);
      expect(machine.u32(AT.next)).toBe(3);
    }
  });

  it.each(ARRAYS)(
    "a fault in the middle of an %s: the key of an entry is written before its value",
    (type) => {
      const { machine, fd, bytes } = withMap(type, 10, 10);
      expect(machine.batch(LB, fd, 10, { keys: MEMORY_BYTES - 10 })).toEqual(["EFAULT", 0]);
      expect(machine.value(MEMORY_BYTES - 11, 11)).toEqual([UNTOUCHED, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0]);
      expect(machine.value(AT.values + bytes, bytes + 1)).toEqual([...Array(bytes).fill(2), UNTOUCHED]);
      machine.wipe();
      expect(machine.batch(LB, fd, 10, { values: MEMORY_BYTES - bytes - 2 })).toEqual(["EFAULT", 0]);
      expect(machine.keys(3)).toEqual([0, 1, UNTOUCHED_U32]);
      expect(machine.value(MEMORY_BYTES - 3, 3)).toEqual([1, 2, 2]);
      expect(machine.u32(AT.next)).toBe(UNTOUCHED_U32);
    },
  );

  it("keys and values in one place: what is written later stays", () => {
    const { machine, fd } = withMap("ARRAY", 10, 10);
    expect(machine.batch(LB, fd, 4, { values: AT.keys })).toEqual(["OK", 4]);
    // Key i goes to 4 i and value i to 8 i, in turn: of value 0 the key 1 overwrites a half, and so on.
    const words = [0x01010101, 1, 2, 3, 0x03030303, 0x03030303, 0x04040404, 0x04040404];
    expect(machine.keys(8)).toEqual(words);
  });
});

describe("2.10 UPDATE_BATCH and DELETE_BATCH", () => {
  it.each(TYPE_NAMES)("B.UB.ok, B.UB.dup: %s, the last of equal keys wins", (type) => {
    const { machine, fd, bytes } = withMap(type, 0);
    machine.fill([5, 6, 5, 7], bytes);
    machine.bytes.fill(55, AT.values + 2 * bytes, AT.values + 3 * bytes);
    expect(machine.batch(UB, fd, 4)).toEqual(["OK", 4]);
    machine.elem(BPF_MAP_LOOKUP_ELEM, fd, 5);
    expect(machine.value(AT.value, bytes)).toEqual(Array(bytes).fill(55));
    if (!isArray(type)) expect(present(machine, fd)).toEqual([5, 6, 7]);
  });

  it.each(HASHES.filter((type) => !EVICTING.includes(type)))(
    "B.UB.full: a full %s ends it, with what was before it written",
    (type) => {
      const { machine, fd, bytes } = withMap(type, 3, 4);
      machine.fill([1, 10, 2, 11, 12, 0], bytes);
      expect(machine.batch(UB, fd, 6)).toEqual(["E2BIG", 3]);
      expect(present(machine, fd)).toEqual([0, 1, 2, 10]);
    },
  );

  it.each(ARRAYS)("B.UB.oob: an index out of range of an %s ends it", (type) => {
    const { machine, fd, bytes } = withMap(type, 0, 4);
    machine.fill([1, 4, 2], bytes);
    expect(machine.batch(UB, fd, 3)).toEqual(["E2BIG", 1]);
    const first = [1, 2].map((index) => {
      machine.elem(BPF_MAP_LOOKUP_ELEM, fd, index);
      return machine.bytes[AT.value];
    });
    expect(first).toEqual([2, 0]);
  });

  it.each(TYPE_NAMES)("B.UB.pfault: an entry of a %s that cannot be read", (type) => {
    const { machine, fd, bytes } = withMap(type, 0);
    const keys = MEMORY_BYTES - 10;
    machine.putU32(keys, 7);
    machine.putU32(keys + 4, 9);
    machine.bytes.fill(8, AT.values, AT.values + 4 * bytes);
    expect(machine.batch(UB, fd, 4, { keys })).toEqual(["EFAULT", 2]);
    if (!isArray(type)) expect(present(machine, fd)).toEqual([7, 9]);
    machine.fill(upTo(4), bytes);
    expect(machine.batch(UB, fd, 4, { values: MEMORY_BYTES - bytes - 1 })).toEqual(["EFAULT", 1]);
  });

  it.each(HASHES)("B.DB.miss, B.DB.dup, B.DB.first, B.DB.pfault: %s", (type) => {
    const { machine, fd, bytes } = withMap(type, 10);
    const drop = (keys: number[]) => {
      machine.fill(keys, bytes);
      return machine.batch(DB, fd, keys.length);
    };
    expect(drop([1, 2, 50, 3])).toEqual(["ENOENT", 2]);
    expect(drop([3, 4, 3, 5])).toEqual(["ENOENT", 2]);
    expect(drop([1, 5, 6])).toEqual(["ENOENT", 0]);
    expect(present(machine, fd)).toEqual([0, 5, 6, 7, 8, 9]);
    machine.putU32(MEMORY_BYTES - 10, 9);
    machine.putU32(MEMORY_BYTES - 6, 8);
    expect(machine.batch(DB, fd, 3, { keys: MEMORY_BYTES - 10 })).toEqual(["EFAULT", 2]);
    expect(present(machine, fd)).toEqual([0, 5, 6, 7]);
  });
});

it("moves batches of more entries than are staged at a time", () => {
  const machine = new Machine();
  const memory = new ArrayBuffer(1 << 24);
  const entries = 50_000;
  const words = new Uint32Array(memory);
  for (const type of TYPE_NAMES) {
    const fd = machine.create(type, { max_entries: entries });
    const stride = machine.valueBytes(type) / 4;
    for (let i = 0; i < entries; i++) {
      words[1024 + i] = i;
      words.fill(~i, (1 << 20) + i * stride, (1 << 20) + (i + 1) * stride);
    }
    const attr = (values: object) =>
      writeStruct(BPF_ATTR_BATCH, { map_fd: fd, keys: 4096, values: 1 << 22, out_batch: 64, ...values });
    expect(machine.host.bpf(UB, attr({ count: entries }), memory)).toBe(0);
    words.fill(0);
    const lookup = attr({ count: entries });
    expect(machine.host.bpf(isArray(type) ? LB : XB, lookup, memory)).toBe(isArray(type) ? 0 : -2);
    const keys = words.slice(1024, 1024 + entries);
    for (const [i, key] of keys.entries()) {
      if (words[(1 << 20) + (i + 1) * stride - 1] !== ~key >>> 0) expect.fail(`value of ${key}`);
    }
    expect(keys.toSorted().every((key, i) => key === i)).toBe(true);
    machine.host.closeFd(fd);
  }
});
