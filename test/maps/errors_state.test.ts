// What a map answers that is closed, read-only, write-only, frozen, full, or called from within itself.
import { describe, expect, expectTypeOf, it } from "vitest";
import { bpfError } from "../../src/errors.ts";
import {
  type Batch,
  type BpfCommand,
  BpfError,
  bytes,
  type Codec,
  createHost,
  ERRNO,
  type ErrnoCode,
  type HashMap,
  type HashType,
  type Operation,
  struct,
  u8,
  u32,
  u53,
} from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { hostOf } from "../support/host_of.ts";

const TYPES: HashType[] = ["hash", "rhash"];

/** Every method of a map with its name in messages, and whether it reads or writes. */
function calls(
  map: HashMap<number, number>,
  batch: Batch<number, number>,
): [string, "r" | "w" | "rw" | "", () => unknown][] {
  return [
    ["get", "r", () => map.get(1)],
    ["set", "w", () => map.set(1, 1)],
    ["has", "r", () => map.has(1)],
    ["delete", "w", () => map.delete(1)],
    ["size", "", () => map.size],
    ["clear", "w", () => map.clear()],
    ["forEach", "r", () => map.forEach(() => {})],
    ["keys", "r", () => map.keys()],
    ["values", "r", () => map.values()],
    ["entries", "r", () => map.entries()],
    ["entries", "r", () => [...map]],
    ["update", "w", () => map.update(1, 1)],
    ["lookupAndDelete", "rw", () => map.lookupAndDelete(1)],
    ["nextKey", "r", () => map.nextKey()],
    ["nextKey", "r", () => map.nextKey(1)],
    ["lookup", "r", () => map.lookup(1)],
    ["info", "", () => map.info],
    ["memoryUsage", "", () => map.memoryUsage()],
    ["stats", "", () => map.stats()],
    ["grow", "w", () => map.grow(100)],
    ["createBatch", "", () => map.createBatch(1)],
    ["lookupBatch", "r", () => map.lookupBatch(batch)],
    ["lookupAndDeleteBatch", "rw", () => map.lookupAndDeleteBatch(batch)],
    ["lookupMany", "r", () => map.lookupMany([1])],
    ["add", "rw", () => map.add(1, 1)],
    ["addMany", "rw", () => map.addMany([1], [1])],
    ["updateBatch", "w", () => map.updateBatch(batch)],
    ["deleteBatch", "w", () => map.deleteBatch(batch)],
    ["drain", "rw", () => [...map.drain()]],
    ["batches", "r", () => map.batches()],
    ["freeze", "w", () => map.freeze()],
  ];
}

describe("EBADF", () => {
  it("from every method of a closed map, named or not", () => {
    for (const name of ["flows", ""]) {
      const host = createHost({ seed: 1 });
      const map = host.createMap({ type: "rhash", name, key: u32, value: u32, maxEntries: 8 }).set(1, 1);
      const batch = map.createBatch(1);
      map.close();
      const subject = name === "" ? "rhash map #1" : 'map "flows"';
      for (const [operation, , call] of [...calls(map, batch), ["found", "", () => map.found(0)] as const]) {
        expect(expectErrno(call, "EBADF").message).toBe(`${operation}: ${subject} is closed (EBADF)`);
      }
      for (const call of [() => batch.keys, () => batch.values, () => batch.key(0), () => batch.rewind()]) {
        expect(expectErrno(call, "EBADF").message).toContain(subject);
      }
      expect(host.memoryUsage().bytes).toBe(0);
      map.close();
    }
  });
});

describe("EPERM", () => {
  const make = (flags: number) => {
    const map = createHost({ seed: 1 }).createMap({
      type: "rhash",
      name: "flows",
      key: u32,
      value: u32,
      maxEntries: 8,
      flags,
    });
    hostOf(map).pin("/m", map);
    const full = hostOf(map).open("/m", { key: u32, value: u32 });
    full.set(1, 10);
    return { map, full };
  };

  it.each([
    ["read-only", 0x8, "w"],
    ["write-only", 0x10, "r"],
  ])("for a %s handle in the other direction only", (word, flags, forbidden) => {
    const { map, full } = make(flags);
    const batch = map.createBatch(1);
    for (const [operation, needs, call] of calls(map, batch)) {
      full.set(1, 10);
      if (needs.includes(forbidden)) {
        const error = expectErrno(call, "EPERM");
        expect(error.message).toMatch(new RegExp(`^${operation}: map "flows" is ${word} `));
        expect(full.get(1)).toBe(10);
      } else if (operation !== "freeze") call();
    }
  });

  it("for every write on a frozen map", () => {
    const { map } = make(0);
    map.set(2, 20).freeze();
    const batch = map.createBatch(2);
    for (const [operation, needs, call] of calls(map, batch)) {
      if (needs.includes("w")) {
        expect(expectErrno(call, "EPERM").message).toMatch(
          new RegExp(`^${operation}: map "flows" is frozen \\(EPERM\\)`),
        );
      } else call();
      expect(new Map(map)).toEqual(
        new Map([
          [1, 10],
          [2, 20],
        ]),
      );
    }
    // Also where there is nothing to change.
    for (const call of [
      () => map.delete(9),
      () => map.lookupAndDelete(9),
      () => map.update(1, 1, 2),
      () => map.set(9, 9),
    ]) {
      expectErrno(call, "EPERM");
    }
  });
});

describe.each(TYPES)("E2BIG: a full %s", (type) => {
  it("refuses new keys of every kind and keeps its entries", () => {
    const keys: [Codec<unknown>, unknown[]][] = [
      [u8, [1, 2, 3]],
      [u32, [1, 2, 3]],
      [u53, [1, 2, 3]],
      [bytes(16), [1, 2, 3].map((n) => new Uint8Array(16).fill(n))],
    ];
    for (const [key, [a, b, c]] of keys) {
      const map = createHost({ seed: 1 }).createMap({ type, name: "flows", key, value: u32, maxEntries: 2 });
      map.set(a, 1).set(b, 2);
      for (const [operation, call] of [
        ["set", () => map.set(c, 3)],
        ["update", () => map.update(c, 3)],
      ] as const) {
        const error = expectErrno(call, "E2BIG");
        const remedy = type === "hash" ? "create it larger" : "grow() it";
        expect(error.message).toBe(
          `${operation}: map "flows" is full at maxEntries = 2 (E2BIG); delete entries or ${remedy}`,
        );
        expect(error.syscall).toBe("map_update_elem");
        expect([map.size, map.get(a), map.get(b), map.get(c)]).toEqual([2, 1, 2, undefined]);
      }
      map.set(a, 9);
      expect(map.get(a)).toBe(9);
    }
  });
});

describe("EBUSY: a getter of a key or value that calls the library", () => {
  const pair = struct({ a: u32, b: u32, c: u32 });
  const make = () =>
    createHost({ seed: 1 }).createMap({
      type: "rhash",
      name: "flows",
      key: pair,
      value: pair,
      maxEntries: 8,
    });
  const plain = { a: 1, b: 2, c: 3 };

  it("is caught before anything is written", () => {
    const map = make().set(plain, plain);
    const other = hostOf(map).createMap({ type: "rhash", key: pair, value: pair, maxEntries: 8 });
    const acts: [string, () => unknown][] = [
      ["reads", () => map.get(plain)],
      ["writes", () => other.set(plain, { a: 7, b: 7, c: 7 })],
      ["iterates", () => [...map]],
      ["closes a map", () => other.close()],
    ];
    for (const [, act] of acts) {
      const sly = {
        a: 5,
        get b() {
          act();
          return 6;
        },
        c: 7,
      };
      const uses: (() => unknown)[] = [
        () => map.get(sly),
        () => map.set(sly, plain),
        () => map.set(plain, sly),
        () => map.update(plain, sly),
        () => map.lookupAndDelete(sly),
        () => map.lookupMany([plain, sly]),
      ];
      for (const use of uses) {
        if (other.closed) continue;
        expect(expectErrno(use, "EBUSY").message).toContain('map "flows"');
        expect([...map]).toEqual([[plain, plain]]);
      }
    }
  });

  it("is caught when the getter closes the map or the host", () => {
    for (const close of ["map", "host"] as const) {
      const map = make();
      const sly = {
        a: 5,
        get b() {
          (close === "map" ? map : hostOf(map)).close();
          return 6;
        },
        c: 7,
      };
      expectErrno(() => map.set(plain, sly), "EBUSY");
      expectErrno(() => map.set(plain, plain), "EBADF");
    }
  });

  it("passes on what the getter throws", () => {
    const map = make();
    const sly = {
      get a(): number {
        throw new TypeError("mine");
      },
      b: 1,
      c: 2,
    };
    expect(caught(() => map.set(plain, sly)).message).toBe("mine");
    expect(map.size).toBe(0);
  });
});

describe("BpfError", () => {
  it("has errno, code, operation, map, syscall and a message that tells all", () => {
    const error = bpfError(ERRNO.E2BIG, "set", 'map "m"', "is full", "delete entries");
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe("BpfError");
    expect(error).toMatchObject({ errno: 7, code: "E2BIG", operation: "set", map: "m" });
    expect(error.syscall).toBe("map_update_elem");
    expect(error.message).toBe('set: map "m" is full (E2BIG); delete entries');
    expect("count" in error).toBe(false);
    expect(new BpfError(524, "freeze", "x", "m", 3)).toMatchObject({ code: "ENOTSUPP", map: "m", count: 3 });
  });

  it("has the name of the map, if it has one", () => {
    const host = createHost();
    const spec = { type: "hash", key: u32, value: u32, maxEntries: 1 } as const;
    const named = host.createMap({ ...spec, name: "a.b_c" });
    const nameless = host.createMap(spec);
    const batch = named.createBatch(1);
    batch.close();
    const fails: [() => unknown, string, string | undefined][] = [
      [() => named.set(1, 1).set(2, 2), "set", "a.b_c"],
      [() => nameless.set(1, 1).set(2, 2), "set", undefined],
      [() => batch.rewind(), "batch.rewind", "a.b_c"],
      [() => host.createMap({ ...spec, name: "big", maxEntries: 2 ** 31 }), "createMap", "big"],
      [() => host.createMap({ ...spec, maxEntries: 2 ** 31 }), "createMap", undefined],
      [() => host.open("/none", { key: u32, value: u32 }), "open", undefined],
      [() => host.createKvStore({ name: "kv" }).put(-1, new Uint8Array(1)), "kv.put", undefined],
    ];
    for (const [fail, operation, map] of fails) {
      const error = caught(fail);
      expect(error).toBeInstanceOf(BpfError);
      expect(error).toMatchObject({ operation, map });
    }
  });

  it("names commands of bpf() only", () => {
    expectTypeOf<BpfCommand>().toEqualTypeOf<
      | "map_create"
      | "map_lookup_elem"
      | "map_update_elem"
      | "map_delete_elem"
      | "map_get_next_key"
      | "map_lookup_and_delete_elem"
      | "map_freeze"
      | "map_lookup_batch"
      | "map_lookup_and_delete_batch"
      | "map_update_batch"
      | "map_delete_batch"
      | "obj_pin"
      | "obj_get"
      | "obj_get_info_by_fd"
      | "iter_create"
      | "prog_load"
    >();
    expectTypeOf<BpfError["code"]>().toEqualTypeOf<ErrnoCode>();
    const operations: Operation[] = [
      "createHost",
      "grow",
      "view",
      "close",
      "unpin",
      "kv.put",
      "section",
      "reap",
    ];
    for (const operation of operations) expect(new BpfError(22, operation, "x").syscall).toBe(undefined);
  });

  it("knows the errno numbers of Linux", () => {
    expect(ERRNO).toEqual({
      EPERM: 1,
      ENOENT: 2,
      E2BIG: 7,
      EBADF: 9,
      EAGAIN: 11,
      ENOMEM: 12,
      EACCES: 13,
      EFAULT: 14,
      EBUSY: 16,
      EEXIST: 17,
      EINVAL: 22,
      ENOSPC: 28,
      ERANGE: 34,
      EDEADLK: 35,
      EBADFD: 77,
      EOPNOTSUPP: 95,
      ESTALE: 116,
      EUCLEAN: 117,
      ETIMEDOUT: 110,
      ENOTSUPP: 524,
    });
  });
});
