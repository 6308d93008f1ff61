// Where programs run: as generated code, and as JavaScript where that is forbidden.
import { afterEach, describe, expect, it, vi } from "vitest";
import { ACT_DELETE, attachHost, createHost, program, u32, u53 } from "../../src/index.ts";
import { decide } from "../support/programs/run.ts";

afterEach(() => vi.unstubAllGlobals());

/** A platform as a page with a Content-Security-Policy that forbids it. */
function forbidCodeGeneration(): void {
  const { WebAssembly: real } = globalThis;
  class Module extends real.Module {
    constructor(source: BufferSource) {
      super(source);
      throw new real.CompileError("Wasm code generation disallowed by embedder");
    }
  }
  vi.stubGlobal("WebAssembly", { ...real, Memory: real.Memory, Instance: real.Instance, Module });
}

describe("the back end", () => {
  const open = () => {
    const host = createHost({ maxMemory: 1 << 20 });
    return host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 4 }).set(1, 5);
  };

  it("is generated code, made when it is first needed", () => {
    const made = program(open(), ({ value }) => value.eq(5).then(ACT_DELETE));
    expect(made.backend).toBe("wasm");
    expect(decide(made, 1)).toBe(ACT_DELETE);
  });

  it("is JavaScript on request, without any code generation", () => {
    const map = open();
    const made = program(map, ({ value }) => value.eq(5).then(ACT_DELETE), { backend: "js" });
    forbidCodeGeneration();
    expect(made.backend).toBe("js");
    expect(decide(made, 1)).toBe(ACT_DELETE);
  });

  it("is JavaScript where code generation is forbidden", () => {
    const map = open();
    forbidCodeGeneration();
    const made = program(map, ({ value }) => value.eq(5).then(ACT_DELETE));
    expect(made.backend).toBe("js");
    expect(decide(made, 1)).toBe(ACT_DELETE);
    const before = map.host.memoryUsage().bytes;
    const insist = () =>
      program(map, (_, { counters }) => counters.n.add(1), { backend: "wasm", counters: { n: u32 } });
    expect(insist).toThrow("code generation is forbidden here: allow 'wasm-unsafe-eval'");
    expect(map.host.memoryUsage().bytes).toBe(before);
  });

  it.each(["wasm", "js"] as const)("%s: threads have programs of their own on a shared host", (backend) => {
    const host = createHost({ shared: true, cpus: 2, maxMemory: 1 << 21 });
    const map = host.createMap({ type: "percpu_hash", key: u32, value: u53, maxEntries: 4 });
    host.pin("/hits", map);
    const other = attachHost(host.share());
    const theirs = other.open("/hits", { type: "percpu_hash", key: u32, value: u53 });
    map.set(1, [10, 20]);
    const make = (of: typeof map) =>
      program(of, ({ value }, { counters }) => value.ge(15).then(ACT_DELETE, counters.sum.add(value)), {
        counters: { sum: u53 },
        backend,
      });
    const [mine, yours] = [make(map), make(theirs)];
    expect([decide(mine, 1), decide(yours, 1)]).toEqual([0, ACT_DELETE]);
    expect([mine.counters.sum, yours.counters.sum]).toEqual([0, 20]);
    other.detach();
    host.close();
  });
});

describe("toString", () => {
  it("prints what the program does", () => {
    const host = createHost({ maxMemory: 1 << 20 });
    const map = host.createMap({ type: "hash", key: u32, value: u53, maxEntries: 4 });
    const made = program(
      map,
      ({ key, value }, { params, counters }) => [
        counters.seen.add(1),
        value.sub(params.now).mul(2).lt(-5).and(key.bitNot().eq(3).not()).then(3, counters.seen.add(value)),
        value.neg().to(u32).shr(1).ge(7).then(0),
      ],
      { params: { now: u53 }, counters: { seen: u53 } },
    );
    expect(String(made).split("\n")).toEqual([
      "always: counters.seen += 1",
      "(((value - params.now) * 2) < -5) && (!((~key) == 3)): counters.seen += value, ACT_DELETE | ACT_STOP",
      "(u32(-value) >> 1) >= 7: ACT_KEEP",
    ]);
  });
});
