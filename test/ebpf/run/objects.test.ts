// The objects of test/data/ebpf, compiled by clang, on real maps.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadObject, type ProgramMap } from "../../../src/ebpf/index.ts";
import { createHost, type Host, u32, u64 } from "../../../src/index.ts";
import { caught } from "../../support/caught.ts";
import { objectBytes } from "../support/objects.ts";

const XDP_DROP = 1;
const XDP_PASS = 2;

describe.each([{ shared: false }, { shared: true }])("shared: $shared", ({ shared }) => {
  let host: Host;
  beforeEach(() => {
    host = createHost({ shared, cpus: 2, seed: 1, maxMemory: 64 * 1024 * 1024, clock: () => 1000 });
  });
  afterEach(() => {
    expect(host.verify()).toEqual([]);
    host.close();
  });

  /** An Ethernet frame whose sender's last byte is given. */
  function frame(sender: number, length = 60): Uint8Array {
    const bytes = new Uint8Array(length);
    bytes.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, sender, 0x08, 0x00]);
    return bytes;
  }

  test("counters: an XDP program counts in a hash and in global variables", () => {
    const object = loadObject(host, objectBytes("counters"));
    const { count } = object.programs;
    expect(count.run({ data: frame(1) }).retval).toBe(XDP_PASS);
    expect(count.run({ data: frame(1, 100), repeat: 3 }).retval).toBe(XDP_PASS);
    expect(count.run({ data: frame(2) }).retval).toBe(XDP_PASS);
    const key = (sender: number) => sender | (0x0008 << 8);
    expect(object.maps.counters.get(key(1))).toMatchObject({ packets: 4n, bytes: 360n, last_len: 100 });
    expect(object.maps.counters.get(key(2))).toMatchObject({ packets: 1n, bytes: 60n });
    expect(object.data).toMatchObject({ total: 5n, missed: 0n, min_len: 14 });
    expect(object.license).toBe("GPL");
    object.close();
    expect(host.memoryUsage().maps).toEqual([]);
  });

  test("constants are set before a program is verified, and are frozen then", () => {
    using object = loadObject(host, objectBytes("counters"), { data: { min_len: 100, total: 40n } });
    expect(object.programs.count.run({ data: frame(1) }).retval).toBe(XDP_DROP);
    expect(object.programs.count.run({ data: frame(1, 100) }).retval).toBe(XDP_PASS);
    expect(object.data.total).toBe(41n);
    object.data.total = 7n;
    expect(object.data.total).toBe(7n);
    expect(caught(() => (object.data.min_len = 1))).toMatchObject({ code: "EPERM" });
    expect(() => loadObject(host, objectBytes("counters"), { data: { nothing: 1 } })).toThrow(
      'the object has no variable "nothing"',
    );
    expect(() => loadObject(host, objectBytes("counters"), { data: { min_len: "a" } })).toThrow(
      "data: min_len: expected",
    );
  });

  test("a map of the caller takes the place of the object's, and other limits are for the asking", () => {
    const own = host.createMap({ type: "rhash", key: u32, value: u64, maxEntries: 9 });
    expect(() => loadObject(host, objectBytes("counters"), { maps: { counters: own } })).toThrow(
      "expected keys of 4 bytes and values of 24",
    );
    using object = loadObject(host, objectBytes("counters"), {
      maps: { counters: { maxEntries: 1, type: "rhash" } },
    });
    const { count } = object.programs;
    for (let sender = 0; sender < 4; sender++) count.run({ data: frame(sender) });
    expect(object.data.missed).toBe(3n);
    expect(object.maps.counters.info).toMatchObject({ type: "rhash", maxEntries: 1 });
    const map: ProgramMap = object.maps.counters;
    using other = loadObject(host, objectBytes("counters"), { maps: { counters: map } });
    other.programs.count.run({ data: frame(0) });
    expect([...map.values()]).toEqual([expect.objectContaining({ packets: 2n })]);
    expect(() => loadObject(host, objectBytes("counters"), { maps: { counter: map } })).toThrow(
      'the object has no map "counter": it has counters',
    );
  });

  test("evict: a callback deletes entries while it is shown them", () => {
    using object = loadObject(host, objectBytes("evict"));
    const { table } = object.maps;
    for (let key = 0; key < 600; key++)
      table.set(key, { bytes: BigInt(key), last_seen: key % 3 === 0 ? 10 : 990 });
    expect(object.programs.evict.run({ data: frame(1) }).retval).toBe(200);
    expect(table.size).toBe(400);
    expect(table.get(3)).toBeUndefined();
    expect(object.data.freed_bytes).toBe(59700n);
  });

  test("legacy: maps without types", () => {
    using object = loadObject(host, objectBytes("legacy"));
    expect(object.programs.ingress.run({ data: frame(1) }).retval).toBe(1);
    expect(object.programs.drop.run({ data: frame(1) }).retval).toBe(XDP_DROP);
    expect([...object.maps.first]).toEqual([[0, 1n]]);
  });

  test("arith: a million rounds", () => {
    if (shared) return;
    using object = loadObject(host, objectBytes("arith"));
    const { retval } = object.programs.arith.run({ data: frame(1) });
    let x = 88172645463325252n;
    const wrap = (value: bigint) => BigInt.asUintN(64, value);
    for (let n = 0n; n < 3n; n++) x = wrap(x + n);
    expect(object.data.result).not.toBe(x);
    expect(BigInt(retval)).toBe((object.data.result as bigint) & 0x7fffffffn);
  });

  test.each([
    ["subprog", 'map "stages" is of type prog_array, which hosts do not have (EOPNOTSUPP)'],
    ["dump", 'program "dump_text" is of type iter, which cannot be run here (EOPNOTSUPP)'],
  ])("%s: what there is not is named", (name, text) => {
    expect(() => loadObject(host, objectBytes(name))).toThrow(text);
    expect(host.memoryUsage().maps).toEqual([]);
  });

  test("types: values and variables of every kind", () => {
    using object = loadObject(host, objectBytes("types"), { data: { greeting: "good day", half: 0.25 } });
    expect(object.data).toMatchObject({
      greeting: "good day",
      limits: [1, 2, 3, 4],
      half: 0.25,
      LINUX_KERNEL_VERSION: (6 << 16) | (18 << 8),
    });
    expect(object.programs.look.run({ data: frame(1, 16) }).retval).toBe(3 + ((6 << 16) | (18 << 8)));
  });
});
