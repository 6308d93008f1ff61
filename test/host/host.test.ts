import { afterEach, describe, expect, it, vi } from "vitest";
import { unpack } from "../../src/core/wasm/unpack.ts";
import { coreSource } from "../../src/generated/core.js";
import {
  BpfError,
  bytes,
  createHost,
  createMap,
  defaultHost,
  type Host,
  type HostOptions,
  spinLock,
  struct,
  u32,
  u64,
  useWasm,
} from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { hostOf } from "../support/host_of.ts";

const spec = { type: "rhash", key: u32, value: u32, maxEntries: 1000 } as const;

/** Order of the keys of a map that was filled in a fixed way. */
function orderOn(host: Host): number[] {
  const map = host.createMap(spec);
  for (let key = 0; key < 200; key++) map.set(key, key);
  return [...map.keys()];
}

describe("createHost", () => {
  it("gives the same layout and order for the same seed, another for another", () => {
    expect(orderOn(createHost({ seed: 7 }))).toEqual(orderOn(createHost({ seed: 7 })));
    expect(orderOn(createHost({ seed: 7 }))).not.toEqual(orderOn(createHost({ seed: 8 })));
  });

  it("draws a random seed by default", () => {
    expect(orderOn(createHost())).not.toEqual(orderOn(createHost()));
  });

  it("gives each map a seed of its own", () => {
    const host = createHost({ seed: 7 });
    expect(orderOn(host)).not.toEqual(orderOn(host));
  });

  it("has as many CPUs as asked for, by default those of the machine", () => {
    expect(createHost({ cpus: 3 }).cpus).toBe(3);
    expect(createHost().cpus).toBeGreaterThanOrEqual(1);
  });

  it("rounds maxMemory down to pages and stays below 4 GiB", () => {
    expect(createHost({ maxMemory: 1_000_000 }).memoryUsage().limit).toBe(15 * 65536);
    expect(createHost().memoryUsage().limit).toBe(2 ** 32 - 65536);
    expect(createHost({ maxMemory: 2 ** 32 }).memoryUsage().limit).toBe(2 ** 32 - 65536);
  });

  it("has initialMemory from the start, and grows beyond it up to maxMemory", () => {
    const maxMemory = 8 * 2 ** 20;
    const host = createHost({ initialMemory: 3_000_000, maxMemory });
    const bytes = Math.ceil(3_000_000 / 65536) * 65536;
    expect(host.u8.length).toBe(bytes);
    expect(host.memoryUsage()).toEqual({ bytes: 0, limit: maxMemory, maps: [] });
    const map = host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 1_000_000 });
    let key = 0;
    while (host.memoryUsage().bytes < 2_000_000) map.set(key++, 1);
    expect(host.u8.length).toBe(bytes);
    while (host.u8.length === bytes) map.set(key++, 1);
    expectErrno(() => {
      for (;;) map.set(key++, 1);
    }, "ENOMEM");
    expect(host.u8.length).toBeLessThanOrEqual(maxMemory);
    expect(host.verify()).toEqual([]);
  });

  it.each([0, 1, 65536, 2 ** 20])("may have initialMemory of %i bytes of a mebibyte", (initialMemory) => {
    const host = createHost({ initialMemory, maxMemory: 2 ** 20 });
    const map = host.createMap(spec);
    expect(map.set(1, 1).get(1)).toBe(1);
    expect(host.verify()).toEqual([]);
  });

  it("with no memory for a map says ENOMEM", () => {
    const host = createHost({ maxMemory: 65536 });
    expect(expectErrno(() => host.createMap(spec), "ENOMEM").message).toMatch(
      /the host uses \d+ of 65536 bytes/,
    );
  });

  it.each<[unknown, typeof TypeError | typeof RangeError, RegExp]>([
    [null, TypeError, /createHost: expected an object/],
    [{ seed: "1" }, TypeError, /seed/],
    [{ seed: -1 }, RangeError, /seed/],
    [{ seed: 2 ** 32 }, RangeError, /seed/],
    [{ maxMemory: 100 }, RangeError, /maxMemory/],
    [{ maxMemory: 2 ** 32 + 1 }, RangeError, /maxMemory/],
    [{ initialMemory: -1 }, RangeError, /initialMemory/],
    [{ initialMemory: 2 ** 21, maxMemory: 2 ** 20 }, RangeError, /initialMemory/],
    [{ initialMemory: 2 ** 20, shared: true }, TypeError, /initialMemory: a shared host has all/],
    [{ cpus: 0 }, RangeError, /cpus/],
    [{ cpus: 1.5 }, RangeError, /cpus/],
  ])("refuses the options %j", (options, Kind, message) => {
    const error = caught(() => createHost(options as HostOptions));
    expect(error).toBeInstanceOf(Kind);
    expect(error.message).toMatch(message);
  });
});

describe("the default host", () => {
  it("is one for all maps, and a new one after it was closed", () => {
    const first = createMap({ ...spec, name: "first" });
    const second = createMap({ ...spec, name: "second" });
    expect(second.host).toBe(first.host);
    expect(defaultHost()).toBe(first.host);
    defaultHost().close();
    const third = createMap(spec);
    expect(third.host).not.toBe(first.host);
    expect(third.set(1, 2).get(1)).toBe(2);
    defaultHost().close();
  });

  it("has what createMap does without once it is asked for", () => {
    defaultHost().close();
    const host = hostOf(createMap(spec));
    for (const call of [() => host.bpf(0, new Uint8Array(8)), () => host.createKvStore()]) {
      expect(call).toThrow(new TypeError("bpfmap: the host of createMap: ask defaultHost() for it"));
    }
    expect(defaultHost()).toBe(host);
    expect(host.createKvStore().put(1, new Uint8Array([7]))).toBe(undefined);
    host.close();
  });

  it("is there before its first map, to pin and open", () => {
    const host = defaultHost();
    host.pin("/m", createMap(spec).set(1, 2));
    expect(defaultHost().open("/m", { key: u32, value: u32 }).get(1)).toBe(2);
    host.close();
  });
});

describe("pins", () => {
  it("keep a map alive without handles, until unpin", () => {
    const host = createHost({ seed: 1 });
    const map = host.createMap({ ...spec, name: "pinned" }).set(1, 2);
    host.pin("/a", map);
    host.pin("/b", map);
    map.close();
    const again = host.open("/a", { key: u32, value: u32 });
    expect(again.get(1)).toBe(2);
    expect(again.info).toMatchObject({ name: "pinned", id: 1 });
    again.close();
    host.unpin("/a");
    expect(host.memoryUsage().maps).toHaveLength(1);
    host.unpin("/b");
    expect(host.memoryUsage()).toMatchObject({ bytes: 0, maps: [] });
  });

  it("share entries and frozen state between handles", () => {
    const host = createHost({ seed: 1 });
    const map = host.createMap(spec);
    host.pin("/m", map);
    const other = host.open("/m", { key: u32, value: u32 });
    other.set(5, 6);
    expect(map.get(5)).toBe(6);
    map.close();
    expect(other.get(5)).toBe(6);
    other.freeze();
    expectErrno(() => host.open("/m", { key: u32, value: u32 }).set(1, 1), "EPERM");
  });

  it("open with other codecs of the same size", () => {
    const host = createHost({ seed: 1 });
    const map = host.createMap(spec).set(0x01020304, 5);
    host.pin("/m", map);
    expect([...host.open("/m", { key: bytes(4), value: u32 })]).toEqual([[Uint8Array.of(4, 3, 2, 1), 5]]);
  });

  it("open gives all rights where the first handle had one", () => {
    const host = createHost({ seed: 1 });
    const readOnly = host.createMap({ ...spec, flags: 0x8 });
    host.pin("/m", readOnly);
    host.open("/m", { key: u32, value: u32 }).set(1, 2);
    expect(readOnly.get(1)).toBe(2);
    expectErrno(() => readOnly.set(1, 3), "EPERM");
  });

  it("fail by name", () => {
    const host = createHost({ seed: 1 });
    const map = host.createMap(spec);
    host.pin("/m", map);
    expect(expectErrno(() => host.pin("/m", map), "EEXIST").syscall).toBe("obj_pin");
    expect(expectErrno(() => host.open("/none", { key: u32, value: u32 }), "ENOENT").syscall).toBe("obj_get");
    expect(expectErrno(() => host.unpin("/none"), "ENOENT").message).toContain('"/none"');
    expect(caught(() => host.pin("/x", createHost().createMap(spec)))).toBeInstanceOf(TypeError);
    expect(caught(() => host.pin("", map))).toBeInstanceOf(TypeError);
    const closed = host.createMap(spec);
    closed.close();
    expectErrno(() => host.pin("/x", closed), "EBADF");
  });

  it("name every size that differs", () => {
    const host = createHost({ seed: 1 });
    host.pin("/m", host.createMap({ ...spec, name: "flows" }));
    const error = caught(() => host.open("/m", { key: u64, value: bytes(5) }));
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toContain('map "flows"');
    expect(error.message).toContain("keys are 4 bytes, u64 has 8");
    expect(error.message).toContain("values are 4 bytes, bytes(5) has 5");
    const lock = struct({ lock: spinLock });
    expect(caught(() => host.open("/m", { key: u32, value: lock })).message).toContain("no spinLock");
  });
});

describe("section", () => {
  it("returns what the function returns, nests, and ends when it throws", () => {
    const host = createHost({ seed: 1 });
    expect(host.section(() => host.section(() => 5))).toBe(5);
    expect(() =>
      host.section(() => {
        throw new Error("mine");
      }),
    ).toThrow("mine");
    expect(host.registry.sections).toBe(0);
  });

  it("keeps addresses of an rhash valid while it grows and entries are deleted", () => {
    const host = createHost({ seed: 1 });
    const map = host.createMap({ ...spec, maxEntries: 20_000 });
    for (let key = 0; key < 50; key++) map.set(key, key);
    host.section(() => {
      const addresses = Array.from({ length: 50 }, (_, key) => map.lookup(key));
      for (let key = 50; key < 5000; key++) map.set(key, key);
      for (let key = 0; key < 50; key++) {
        expect(map.lookup(key)).toBe(addresses[key]);
        expect(host.u32[addresses[key] >>> 2]).toBe(key);
      }
      map.delete(7);
      for (let key = 5000; key < 6000; key++) map.set(key, key);
      expect(host.u32[addresses[7] >>> 2]).toBe(7);
    });
    expect(map.size).toBe(5999);
  });

  it("keeps the memory of a map that is closed in it", () => {
    const host = createHost({ seed: 1 });
    const map = host.createMap(spec).set(1, 77);
    host.section(() => {
      const address = map.lookup(1);
      map.close();
      const other = host.createMap({ ...spec, type: "hash" });
      for (let key = 0; key < 1000; key++) other.set(key, 0xffff);
      expect(host.u32[address >>> 2]).toBe(77);
      other.close();
    });
    expect(host.memoryUsage().bytes).toBe(0);
  });

  it("refuses what would outlive it", () => {
    const host = createHost({ seed: 1 });
    const wrong: unknown[] = [
      async () => 1,
      function* () {},
      async function* () {},
      () => Promise.resolve(1),
      5,
      null,
    ];
    for (const fn of wrong) {
      const error = caught(() => host.section(fn as () => void));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/^section: /);
    }
    expect(host.registry.sections).toBe(0);
  });
});

describe("memoryUsage", () => {
  it("lists the maps with their bytes and entries", () => {
    const host = createHost({ seed: 1 });
    const flows = host
      .createMap({ ...spec, name: "flows" })
      .set(1, 1)
      .set(2, 2);
    const other = host.createMap({ ...spec, type: "hash" });
    const { bytes: all, maps } = host.memoryUsage();
    expect(maps).toEqual([
      { id: 1, name: "flows", type: "rhash", bytes: flows.memoryUsage(), entries: 2 },
      { id: 2, name: "", type: "hash", bytes: other.memoryUsage(), entries: 0 },
    ]);
    expect(all).toBeGreaterThanOrEqual(flows.memoryUsage() + other.memoryUsage());
    flows.close();
    expect(host.memoryUsage().maps.map(({ id }) => id)).toEqual([2]);
  });
});

describe("close", () => {
  it("closes maps, batches and pins; afterwards everything is EBADF and closing again does nothing", () => {
    const host = createHost({ seed: 1 });
    const map = host.createMap({ ...spec, name: "flows" }).set(1, 2);
    const batch = map.createBatch(4);
    host.pin("/m", map);
    host.close();
    host.close();
    expect(host.u8.length).toBe(0);
    expect(expectErrno(() => map.get(1), "EBADF").message).toBe(
      'get: map "flows" is closed, with its host (EBADF)',
    );
    expectErrno(() => batch.key(0), "EBADF");
    const calls: [string, () => unknown][] = [
      ["createMap", () => host.createMap(spec)],
      ["pin", () => host.pin("/n", map)],
      ["open", () => host.open("/m", { key: u32, value: u32 })],
      ["unpin", () => host.unpin("/m")],
      ["section", () => host.section(() => 1)],
      ["memoryUsage", () => host.memoryUsage()],
    ];
    for (const [name, call] of calls) {
      expect(expectErrno(call, "EBADF").message).toBe(`${name}: the host is closed (EBADF)`);
    }
    map.close();
    batch.close();
  });

  it("is what `using` calls", () => {
    const outer = createHost({ seed: 1 });
    {
      using host = createHost({ seed: 1 });
      using map = outer.createMap(spec);
      map.set(1, 1);
      expect(host.closed).toBe(false);
    }
    expect(outer.memoryUsage().bytes).toBe(0);
  });
});

describe("useWasm", () => {
  const wasm = unpack(coreSource() as string);
  afterEach(() => {
    useWasm(wasm);
    vi.restoreAllMocks();
    vi.resetModules();
  });

  it("takes bytes, an ArrayBuffer or a module", () => {
    for (const source of [wasm, wasm.buffer, new WebAssembly.Module(wasm)]) {
      useWasm(source);
      expect(createHost({ seed: 1 }).createMap(spec).set(1, 2).get(1)).toBe(2);
    }
  });

  it("refuses anything else", () => {
    expect(caught(() => useWasm("core.wasm" as never))).toBeInstanceOf(TypeError);
    expect(caught(() => useWasm(Uint8Array.of(1, 2, 3))).message).toContain("cannot compile");
  });

  it("is named when code generation is forbidden", async () => {
    vi.resetModules();
    const fresh = await import("../../src/index.ts");
    const blocked = vi.spyOn(WebAssembly, "Module").mockImplementation(() => {
      throw new WebAssembly.CompileError("Wasm code generation disallowed by embedder");
    });
    const error = caught(() => fresh.createHost());
    expect(error).not.toBeInstanceOf(BpfError);
    expect(error.message).toContain("disallowed by embedder");
    expect(error.message).toContain("'wasm-unsafe-eval'");
    expect(error.message).toContain("useWasm(module)");
    blocked.mockRestore();
    expect(fresh.createHost().closed).toBe(false);
  });
});

it("a runtime whose getBuiltinModule throws, as the edge runtime of Next.js, has one CPU", () => {
  const navigator = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  const { getBuiltinModule } = process;
  Object.defineProperty(globalThis, "navigator", { value: undefined, configurable: true });
  process.getBuiltinModule = () => {
    throw new Error("a Node.js API is used which is not supported in the Edge Runtime");
  };
  try {
    expect(createHost().cpus).toBe(1);
  } finally {
    process.getBuiltinModule = getBuiltinModule;
    if (navigator === undefined) Reflect.deleteProperty(globalThis, "navigator");
    else Object.defineProperty(globalThis, "navigator", navigator);
  }
});
