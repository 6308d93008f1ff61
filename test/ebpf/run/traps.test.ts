// Runs that end before their end, programs that are refused, and what is wrong with what a caller gives.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  assemble,
  type BpfProgram,
  loadObject,
  loadProgram,
  type ProgramSpec,
  ProgramTrap,
  VerifierError,
} from "../../../src/ebpf/index.ts";
import { bytes, createHost, createMap, type Host, text, u32, u64 } from "../../../src/index.ts";
import { caught } from "../../support/caught.ts";
import { objectBytes } from "../support/objects.ts";

let host: Host;
beforeEach(() => {
  host = createHost({ seed: 1, maxMemory: 32 * 1024 * 1024 });
});
afterEach(() => {
  if (!host.closed) expect(host.verify()).toEqual([]);
  host.close();
});

const load = (code: string, spec: Partial<ProgramSpec> = {}): BpfProgram =>
  loadProgram(host, assemble(code), { type: "raw", ...spec });

describe.each([{ shared: false }, { shared: true }])("fuel, shared: $shared", ({ shared }) => {
  // Inserts keys from 19 down to 0, deletes every other one.
  const CHURN = `
    r6 = 20
  again:
    r6 += -1
    *(u32 *)(r10 -4) = r6
    *(u64 *)(r10 -16) = r6
    r1 = map[fd:0]
    r2 = r10
    r2 += -4
    r3 = r10
    r3 += -16
    r4 = 0
    call bpf_map_update_elem
    r7 = r6
    r7 &= 1
    if r7 == 0 goto next
    r1 = map[fd:0]
    r2 = r10
    r2 += -4
    call bpf_map_delete_elem
  next:
    if r6 != 0 goto again
    r0 = 0
    exit`;

  test.each(["hash", "rhash", "lru_hash"] as const)("%s: at every value the host is whole", (type) => {
    const other = createHost({ shared, seed: 1, maxMemory: 32 * 1024 * 1024 });
    for (let fuel = 0; fuel <= 20; fuel++) {
      const map = other.createMap({ type, key: u32, value: u64, maxEntries: 32 });
      const program = loadProgram(other, assemble(CHURN), { type: "raw", maps: [map], fuel });
      if (fuel < 19) {
        const trap = caught(() => program.run()) as ProgramTrap;
        expect(trap).toBeInstanceOf(ProgramTrap);
        expect(trap).toMatchObject({ code: "ELOOP", errno: 40, instruction: 20 });
        expect(trap.message).toContain(`the fuel of ${fuel} is used up`);
      } else expect(program.run().retval).toBe(0);
      const done = Math.min(20, fuel + 1);
      const keys = Array.from({ length: done }, (_, i) => 19 - i).filter((key) => key % 2 === 0);
      expect([...map.keys()].sort((a, b) => b - a)).toEqual(keys);
      expect(other.verify()).toEqual([]);
      program.close();
      map.close();
    }
    other.close();
  });

  test("callbacks use the fuel of their program", () => {
    const other = createHost({ shared, seed: 1, maxMemory: 16 * 1024 * 1024 });
    const code = assemble(`
      r1 = 100
      r2 = subprog[each]
      r3 = 0
      r4 = 0
      call bpf_loop
      exit
    each:
      r0 = 0
      exit`);
    const run = (fuel: number) => loadProgram(other, code, { type: "raw", fuel }).run().retval;
    expect(run(100)).toBe(100);
    expect(caught(() => run(99))).toMatchObject({ name: "ProgramTrap", code: "ELOOP", instruction: 5 });
    other.close();
  });
});

describe("accesses that are checked when they run", () => {
  // The value of a key, without a look whether it is there, at the offset that the context has.
  const UNPROVEN = `
    r6 = *(u32 *)(r1 +0)
    r2 = r1
    r2 += 4
    r1 = map[fd:0]
    call bpf_map_lookup_elem
    if r0 == 0 goto none
    r0 += r6
    r0 = *(u8 *)(r0 +0)
    exit
  none:
    r0 = -1
    exit`;
  const context = (offset: number, key = 1) => new Uint8Array(new Uint32Array([offset, key]).buffer);

  test("reach all of a value, and nothing beside it", () => {
    const map = host.createMap({ type: "hash", key: u32, value: bytes(12), maxEntries: 8 });
    map.set(
      1,
      Uint8Array.from({ length: 12 }, (_, i) => 100 + i),
    );
    const program = load(UNPROVEN, { contextSize: 8, maps: [map] });
    expect(program.verified.checked).toBe(1);
    for (let offset = 0; offset < 12; offset++) {
      expect(program.run({ context: context(offset) }).retval).toBe(100 + offset);
    }
    for (const offset of [12, 13, 64, 2 ** 31, 2 ** 32 - 1]) {
      const trap = caught(() => program.run({ context: context(offset) }));
      expect(trap).toMatchObject({ name: "ProgramTrap", code: "EFAULT", errno: 14, instruction: 8 });
    }
    expect(program.run({ context: context(0, 2) }).r0).toBe(2n ** 64n - 1n);
  });

  test("are refused with verify: strict", () => {
    const map = host.createMap({ type: "hash", key: u32, value: bytes(12), maxEntries: 8 });
    const error = caught(() => load(UNPROVEN, { contextSize: 8, maps: [map], verify: "strict" }));
    expect(error).toBeInstanceOf(VerifierError);
    expect(error).toMatchObject({ code: "EACCES" });
  });

  test("of helpers, too", () => {
    const program = load(
      `
      r6 = *(u32 *)(r1 +0)
      r1 = r10
      r1 += -8
      r1 += r6
      r2 = 8
      r3 = 0
      call bpf_probe_read_kernel
      exit`,
      { contextSize: 4 },
    );
    expect(program.verified.checked).toBe(1);
    expect(BigInt.asIntN(64, program.run({ context: new Uint8Array(4) }).r0)).toBe(-14n);
    expect(caught(() => program.run({ context: new Uint8Array([1, 0, 0, 0]) }))).toMatchObject({
      code: "EFAULT",
    });
  });
});

describe("programs that are refused", () => {
  test("a helper that there is not is named", () => {
    const error = caught(() => load("r1 = 0\ncall bpf_fib_lookup\nexit"));
    expect(error).toMatchObject({ name: "VerifierError", code: "EINVAL", instruction: 1 });
    expect((error as Error).message).toContain("unknown func bpf_fib_lookup#69");
  });

  test("unless a caller brings it", () => {
    const calls: bigint[][] = [];
    const program = load("r1 = 5\nr2 = 6\nr3 = 0\nr4 = 0\nr5 = 0\ncall bpf_fib_lookup\nexit", {
      helpers: {
        69: (...given) => {
          calls.push(given);
          return -3;
        },
      },
    });
    expect(program.run().r0).toBe(2n ** 64n - 3n);
    expect(calls).toEqual([[5n, 6n, 0n, 0n, 0n]]);
  });

  test("a map that was not given", () => {
    const error = caught(() => load("r1 = map[fd:2]\nr0 = 0\nexit"));
    expect(error).toMatchObject({ name: "VerifierError", code: "EBADF", instruction: 0 });
  });

  test("a lookup without a look at what it gave", () => {
    const map = host.createMap({ type: "array", key: u32, value: u64, maxEntries: 1 });
    const code = `
      *(u32 *)(r10 -4) = 0
      r1 = map[fd:0]
      r2 = r10
      r2 += -4
      call bpf_map_lookup_elem
      r0 = *(u64 *)(r0 +8)
      exit`;
    const error = caught(() => load(code, { maps: [map], verify: "strict" })) as VerifierError;
    expect(error).toMatchObject({ name: "VerifierError", code: "EACCES", instruction: 6 });
    const before = host.memoryUsage().bytes;
    expect(() => load(code, { maps: [map], verify: "strict" })).toThrow(VerifierError);
    expect(host.memoryUsage().bytes).toBe(before);
  });

  test("with the line of the source", () => {
    const object = loadObject(host, objectBytes("counters"), { log: 1 });
    const { count } = object.programs;
    expect(count.verified.log).toContain("counters.bpf.c");
    expect(count.toString()).toContain("; struct value *v = bpf_map_lookup_elem(&counters, &key); @ ");
    expect(count.toString()).toContain("map[counters]");
  });
});

describe("what a caller gives", () => {
  test("options of the wrong form", () => {
    const code = assemble("r0 = 0\nexit");
    // biome-ignore lint/suspicious/noExplicitAny: what the types forbid
    const given = (spec: any) => () => loadProgram(host, code, spec);
    expect(given(undefined)).toThrow("loadProgram: expected { type, maps }");
    expect(given({ type: "kprobe" })).toThrow("type: expected raw, xdp, tc, socket_filter, cgroup_skb");
    expect(given({ type: "raw", fuel: -1 })).toThrow("fuel: expected an integer");
    expect(given({ type: "raw", verify: "no" })).toThrow('verify: expected "check" or "strict"');
    expect(given({ type: "raw", map: [] })).toThrow("did you mean maps?");
    expect(given({ type: "raw", helpers: { 1: 2 } })).toThrow("helpers: 1: expected a function");
    expect(given({ type: "raw", maps: [3] })).toThrow("maps[0]: expected a map of this host");
    const foreign = createMap({ type: "array", key: u32, value: u32, maxEntries: 1 });
    expect(given({ type: "raw", maps: [foreign] })).toThrow("maps[0]: expected a map of this host");
    const texts = host.createMap({ type: "hash", key: text(), value: u32, maxEntries: 4 });
    expect(given({ type: "raw", maps: [texts] })).toThrow("has keys of any length");
    expect(() => loadProgram(host, code.subarray(0, 9), { type: "raw" })).toThrow("whole instructions");
  });

  test("runs of the wrong form", () => {
    const program = load("r0 = 0\nexit", { contextSize: 4 });
    // biome-ignore lint/suspicious/noExplicitAny: what the types forbid
    const given = (input: any) => () => program.run(input);
    expect(given(5)).toThrow("run: expected { data, context, repeat }");
    expect(given({ date: 1 })).toThrow("did you mean data?");
    expect(given({ context: "a" })).toThrow("run: context: expected bytes or fields");
    expect(given({ context: new Uint8Array(5) })).toThrow("expected at most 4 bytes");
    expect(given({ repeat: 0 })).toThrow("repeat: expected an integer");
  });

  test("what is closed", () => {
    const program = load("r0 = 0\nexit");
    program.close();
    program.close();
    expect(caught(() => program.run())).toMatchObject({ code: "EBADF" });
    const other = load("r0 = 0\nexit");
    host.close();
    expect(caught(() => other.run())).toMatchObject({ code: "EBADF" });
    other.close();
  });

  test("a program that a hook closes while it runs", () => {
    let failure: unknown;
    const map = host.createMap({
      type: "lru_hash",
      key: u32,
      value: u64,
      maxEntries: 1,
      onEvict: () => {
        failure = caught(() => program.close());
      },
    });
    const program: BpfProgram = load(
      `
      *(u64 *)(r10 -16) = 1
      r7 = *(u32 *)(r1 +0)
      *(u32 *)(r10 -4) = r7
      r1 = map[fd:0]
      r2 = r10
      r2 += -4
      r3 = r10
      r3 += -16
      r4 = 0
      call bpf_map_update_elem
      exit`,
      { maps: [map], contextSize: 4 },
    );
    for (let key = 0; key < 8; key++) program.run({ context: new Uint8Array([key, 0, 0, 0]) });
    expect(failure).toMatchObject({ code: "EBUSY" });
  });
});
