// What LRU_HASH and LRU_PERCPU_HASH evict: rows E.lru* of the semantics study, and P.lru.ref. Which key goes the kernel leaves open; how
// many it keeps it does not say either (2.12). A host keeps max_entries.
import { describe, expect, it } from "vitest";
import { type HashMap, u32, u64 } from "../../src/index.ts";
import {
  BPF_ATTR_OBJ,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_UPDATE_ELEM,
  BPF_OBJ_PIN,
  writeStruct,
} from "../../src/uapi/index.ts";
import { bySize } from "../support/size.ts";
import { AT, Machine, NULL } from "./machine.ts";

const LOOKUP = BPF_MAP_LOOKUP_ELEM;
const UPDATE = BPF_MAP_UPDATE_ELEM;
const TYPES = ["LRU_HASH", "LRU_PERCPU_HASH"] as const;
type Type = (typeof TYPES)[number];

/** A map that was full when key `most - 1` came, and the keys of it that are there. */
function full(type: Type, most: number, map_flags = 0) {
  const machine = new Machine();
  const fd = machine.create(type, { max_entries: most, map_flags });
  const update = (key: number, flags = 0) => machine.elem(UPDATE, fd, key, { flags });
  for (let key = 0; key < most; key++) expect(update(key)).toBe("OK");
  const has = (key: number) => machine.elem(LOOKUP, fd, key) === "OK";
  const present = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => from + i).filter(has);
  return { machine, fd, update, has, present };
}

describe.each(TYPES)("%s", (type) => {
  it.each(bySize([1, 4, 16, 100], [1, 4, 16, 100, 1000]))(
    "E.lru.over, E.lrupop: 3 x %i inserts, the newest are there",
    (most) => {
      for (const map_flags of [0, 2]) {
        const { update, has, present } = full(type, most, map_flags);
        for (let key = most; key < 3 * most; key++) {
          expect(update(key, key % 2)).toBe("OK");
          expect(has(key)).toBe(true);
        }
        // With NO_COMMON_LRU one more than asked for where that is odd: two CPUs have as many each.
        expect(present(0, 3 * most).length).toBe(map_flags === 0 ? most : Math.ceil(most / 2) * 2);
      }
    },
  );

  it("E.lru: without references the oldest goes first", () => {
    const { update, present } = full(type, 8);
    for (const key of [8, 9, 10]) update(key);
    expect(present(0, 11)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it("E.lrusys: a lookup by the system call protects nothing, nor do batches", () => {
    const { machine, fd, update, has } = full(type, 8);
    for (let i = 0; i < 10; i++) expect(has(0)).toBe(true);
    machine.batch(BPF_MAP_LOOKUP_BATCH, fd, 8);
    update(8);
    expect(has(0)).toBe(false);
  });

  it("E.lruupd: an update protects", () => {
    const { update, has } = full(type, 8);
    update(0);
    update(8);
    expect([0, 1, 2].map(has)).toEqual([true, false, true]);
  });

  it("P.lru.ref: a lookup by a program protects", () => {
    const { machine, fd, update, has } = full(type, 8);
    machine.bytes.set(new TextEncoder().encode("/m\0"), AT.next);
    const pin = writeStruct(BPF_ATTR_OBJ, { pathname: AT.next, bpf_fd: fd });
    expect(machine.call(BPF_OBJ_PIN, pin)).toBe("OK");
    const name = type === "LRU_HASH" ? "lru_hash" : "lru_percpu_hash";
    const map = machine.host.open("/m", { type: name, key: u32, value: u64 }) as HashMap<number, unknown>;
    expect(map.get(0)).toBeDefined();
    expect(map.lookup(1)).not.toBe(0);
    update(8);
    update(9);
    expect([0, 1, 2, 3].map(has)).toEqual([true, true, false, false]);
  });

  it("E.u.exmiss: an update that fails evicts nothing", () => {
    const { update, present } = full(type, 8);
    expect([update(9, 2), update(0, 1), update(9, 3)]).toEqual(["ENOENT", "EEXIST", "EINVAL"]);
    expect(present(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("a batch of more keys than there is room for is written whole, and the last of it is there", () => {
    const { machine, fd, has } = full(type, 8);
    const keys = Array.from({ length: 30 }, (_, i) => 100 + i);
    machine.fill(keys, machine.valueBytes(type));
    expect(machine.batch(BPF_MAP_UPDATE_BATCH, fd, 30)).toEqual(["OK", 30]);
    expect(has(129)).toBe(true);
    expect(machine.batch(BPF_MAP_LOOKUP_AND_DELETE_BATCH, fd, 30)).toEqual(["ENOENT", 8]);
    for (const key of machine.keys(8)) expect(keys).toContain(key);
  });

  it("a fault leaves the map as it was", () => {
    const { machine, fd, present } = full(type, 8);
    expect(machine.elem(UPDATE, fd, 9, { value: NULL })).toBe("EFAULT");
    expect(present(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});
