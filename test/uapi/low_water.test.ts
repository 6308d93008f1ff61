// System calls on maps that grow: they call the hook of a handle as any insert does, throw nothing, and see the new limit.
import { describe, expect, it } from "vitest";
import { bpfError } from "../../src/errors.ts";
import { createHost, type Host, type LowWater, u32 } from "../../src/index.ts";
import * as uapi from "../../src/uapi/index.ts";

const words = (...numbers: number[]) => new Uint8Array(Uint32Array.from(numbers).buffer);

describe.each([false, true])("shared: %s", (shared) => {
  /** A map of 4 with a mark at 3 entries, or at index 3, and a descriptor of it. */
  function open(type: "rhash" | "array", grow: LowWater<unknown>["grow"]) {
    const host = createHost({ seed: 1, cpus: 2, shared, maxMemory: 32 * 1024 * 1024 });
    let calls = 0;
    const map = host.createMap({
      type: type as "rhash",
      name: "m",
      key: u32,
      value: u32,
      maxEntries: 4,
      lowWater: {
        free: 1,
        grow(same) {
          calls++;
          grow(same);
        },
      },
    });
    host.pin("/m", map);
    const fd = uapi.bpf_obj_get(host, "/m");
    expect(fd).toBeGreaterThan(2);
    const set = (key: number, value = key) =>
      uapi.bpf_map_update_elem(host, fd, words(key), words(value), uapi.BPF_ANY);
    const batch = (from: number, count: number) => {
      const keys = Array.from({ length: count }, (_, i) => from + i);
      const done = Uint32Array.of(count);
      const result = uapi.bpf_map_update_batch(host, fd, words(...keys), words(...keys), done);
      return [result, done[0]];
    };
    return { host, map, fd, set, batch, calls: () => calls };
  }

  const maxEntries = (host: Host, fd: number) => {
    const info = new Uint8Array(uapi.BPF_MAP_INFO.size);
    expect(uapi.bpf_obj_get_info_by_fd(host, fd, info)).toBe(0);
    return uapi.readStruct(uapi.BPF_MAP_INFO, info).max_entries;
  };

  const growing = (map: unknown) => {
    const same = map as { set(key: number, value: number): void; grow(to: number): void; size: number };
    same.grow(50);
    // Uses the scratch that the call had its key and value in.
    same.set(49, 1);
  };

  it.each(["rhash", "array"] as const)("MAP_UPDATE_ELEM and MAP_UPDATE_BATCH call the hook: %s", (type) => {
    const one = open(type, growing);
    for (let key = 0; key < 20; key++) expect(one.set(key, key + 1)).toBe(0);
    expect([one.calls(), one.map.get(3), one.map.get(19), one.map.get(49)]).toEqual([1, 4, 20, 1]);
    expect(maxEntries(one.host, one.fd)).toBe(50);
    const many = open(type, growing);
    expect(many.batch(0, 40)).toEqual([0, 40]);
    expect([many.calls(), many.map.get(3), many.map.get(39)]).toEqual([1, 3, 39]);
    expect(many.host.verify()).toEqual([]);
  });

  it("goes on to the limit when the hook makes no room", () => {
    const { set, batch, calls, map } = open("rhash", () => {});
    expect(batch(0, 6)).toEqual([-7, 4]);
    expect([set(9), set(3, 30), calls(), map.get(3)]).toEqual([-7, 0, 1, 30]);
  });

  it.each(["rhash", "array"] as const)(
    "what a hook throws is an errno, and nothing is changed: %s",
    (type) => {
      for (const [thrown, errno] of [
        [bpfError(12, "grow", "the map", "does not fit"), -12],
        [new Error("not now"), -22],
        ["nothing", -22],
      ] as const) {
        const { set, batch, map, calls, host } = open(type, () => {
          throw thrown;
        });
        for (let key = 0; key < 3; key++) expect(set(key)).toBe(0);
        expect(set(3, 9)).toBe(errno);
        expect([map.get(3) ?? 0, calls()]).toEqual([0, 1]);
        expect(batch(1, 4)).toEqual([errno, 2]);
        expect([map.get(3) ?? 0, calls()]).toEqual([0, 2]);
        expect(host.verify()).toEqual([]);
      }
    },
  );

  it("a hook may close the descriptor, the map, or the host", () => {
    const closing = open("rhash", () => {
      closing.map.close();
      closing.host.unpin("/m");
      expect(closing.host.closeFd(closing.fd)).toBe(0);
    });
    for (let key = 0; key < 3; key++) closing.set(key);
    expect(closing.set(3)).toBe(0);
    expect(closing.set(4)).toBe(-9);
    expect(closing.host.memoryUsage().bytes).toBe(0);
    const ending = open("rhash", () => ending.host.close());
    for (let key = 0; key < 3; key++) ending.set(key);
    expect(ending.set(3)).toBe(-9);
  });

  it("reads, scans and hashes an array that has grown", () => {
    const { host, map, fd, set } = open("array", () => {});
    map.grow(3000);
    for (let index = 0; index < 3000; index++) expect(set(index, index * 2)).toBe(0);
    const value = words(0);
    expect(uapi.bpf_map_lookup_elem(host, fd, words(2999), value)).toBe(0);
    expect(new Uint32Array(value.buffer)[0]).toBe(5998);
    expect(uapi.bpf_map_lookup_elem(host, fd, words(3000), value)).toBe(-2);
    expect(uapi.bpf_map_get_next_key(host, fd, words(2998), value)).toBe(0);
    expect(uapi.bpf_map_get_next_key(host, fd, words(2999), value)).toBe(-2);
    const keys = new Uint8Array(4 * 3000);
    const count = Uint32Array.of(3000);
    expect(uapi.bpf_map_lookup_batch(host, fd, null, words(0), keys, keys.slice(), count)).toBe(0);
    expect([count[0], new Uint32Array(keys.buffer)[2999]]).toEqual([3000, 2999]);

    // The hash is that of the contents, however they lie.
    const whole = host.createMap({ type: "array", key: u32, value: u32, maxEntries: 3000 });
    for (let index = 0; index < 3000; index++) whole.set(index, index * 2);
    host.pin("/whole", whole);
    const hashOf = (path: string) => {
      const descriptor = uapi.bpf_obj_get(host, path);
      expect(uapi.bpf_map_freeze(host, descriptor)).toBe(0);
      const memory = new ArrayBuffer(512);
      const at = 256;
      const info = { hash: at, hash_size: 32 };
      new Uint8Array(memory).set(uapi.writeStruct(uapi.BPF_MAP_INFO, info), 8);
      const attr = uapi.writeStruct(uapi.BPF_ATTR_INFO, {
        bpf_fd: descriptor,
        info_len: uapi.BPF_MAP_INFO.size,
        info: 8,
      });
      expect(host.bpf(uapi.BPF_OBJ_GET_INFO_BY_FD, attr, memory)).toBe(0);
      return [...new Uint8Array(memory, at, 32)];
    };
    expect(hashOf("/m")).toEqual(hashOf("/whole"));
  });
});
