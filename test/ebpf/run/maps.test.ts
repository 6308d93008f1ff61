// Programs on real maps: what the helpers of maps do, on plain hosts and on shared ones.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assemble, type BpfProgram, loadProgram, type ProgramMap } from "../../../src/ebpf/index.ts";
import {
  BPF_EXIST,
  BPF_NOEXIST,
  bytes,
  createHost,
  type Host,
  struct,
  u32,
  u64,
} from "../../../src/index.ts";

const ENOENT = -2;
const E2BIG = -7;
const EEXIST = -17;
const EINVAL = -22;

describe.each([{ shared: false }, { shared: true }])("$shared", ({ shared }) => {
  let host: Host;
  const programs: BpfProgram[] = [];
  beforeEach(() => {
    host = createHost({ shared, cpus: 2, seed: 1, maxMemory: 32 * 1024 * 1024, clock: () => 5000.25 });
  });
  afterEach(() => {
    expect(host.verify()).toEqual([]);
    for (const program of programs.splice(0)) program.close();
    host.close();
  });

  function raw(text: string, maps: ProgramMap[], contextSize = 16): BpfProgram {
    const program = loadProgram(host, assemble(text), { type: "raw", contextSize, maps });
    programs.push(program);
    return program;
  }

  /** Looks up the u32 key in the context, adds 1 to the u64 in its value and gives what was there; -1 without. */
  const COUNT = `
    r2 = r1
    r1 = map[fd:0]
    call bpf_map_lookup_elem
    if r0 == 0 goto none
    r1 = r0
    r0 = *(u64 *)(r1 +0)
    r2 = 1
    lock *(u64 *)(r1 +0) += r2
    exit
  none:
    r0 = -1
    exit`;
  /** Writes the u64 at 8 under the u32 at 0 of the context. */
  const update = (flags: number) => `
    r2 = r1
    r3 = r1
    r3 += 8
    r1 = map[fd:0]
    r4 = ${flags}
    call bpf_map_update_elem
    exit`;
  const REMOVE = `
    r2 = r1
    r1 = map[fd:0]
    call bpf_map_delete_elem
    exit`;

  function words(key: number, value = 0n): Uint8Array {
    const context = new Uint8Array(16);
    const view = new DataView(context.buffer);
    view.setUint32(0, key, true);
    view.setBigUint64(8, value, true);
    return context;
  }
  const run = (program: BpfProgram, key: number, value = 0n): number =>
    Number(BigInt.asIntN(64, program.run({ context: words(key, value) }).r0));

  test.each(["hash", "rhash", "lru_hash"] as const)("%s: look up, write, delete", (type) => {
    const map = host.createMap({ type, key: u32, value: u64, maxEntries: 64 });
    const [count, set, remove] = [raw(COUNT, [map]), raw(update(0), [map]), raw(REMOVE, [map])];
    expect(run(count, 7)).toBe(-1);
    expect(run(set, 7, 40n)).toBe(0);
    expect(run(count, 7)).toBe(40);
    expect(map.get(7)).toBe(41n);
    expect(run(raw(update(BPF_NOEXIST), [map]), 7)).toBe(EEXIST);
    expect(run(raw(update(BPF_EXIST), [map]), 8)).toBe(ENOENT);
    expect(run(raw(update(64), [map]), 8)).toBe(EINVAL);
    expect(run(remove, 7)).toBe(0);
    expect(run(remove, 7)).toBe(ENOENT);
    expect(map.size).toBe(0);
  });

  test("a hash that is full", () => {
    const map = host.createMap({ type: "hash", key: u32, value: u64, maxEntries: 1 });
    const set = raw(update(0), [map]);
    expect([run(set, 1, 5n), run(set, 2, 6n), run(set, 1, 7n)]).toEqual([0, E2BIG, 0]);
    expect([...map]).toEqual([[1, 7n]]);
  });

  test("arrays", () => {
    const map = host.createMap({ type: "array", key: u32, value: u64, maxEntries: 3 });
    const [count, set, remove] = [raw(COUNT, [map]), raw(update(0), [map]), raw(REMOVE, [map])];
    expect([run(count, 2), run(count, 2), run(count, 3)]).toEqual([0, 1, -1]);
    expect([run(set, 1, 9n), run(set, 3, 9n), run(remove, 1)]).toEqual([0, E2BIG, EINVAL]);
    expect(run(raw(update(BPF_NOEXIST), [map]), 1)).toBe(EEXIST);
    expect([...map.values()]).toEqual([0n, 9n, 2n]);
  });

  test.each(["percpu_hash", "lru_percpu_hash"] as const)("%s: the slot of the CPU", (type) => {
    const map = host.createMap({ type, key: u32, value: u64, maxEntries: 8 });
    map.set(1, [5n, 6n]);
    const [count, set] = [raw(COUNT, [map]), raw(update(0), [map])];
    expect(run(count, 1)).toBe(host.cpu === 0 ? 5 : 6);
    expect(run(set, 1, 50n)).toBe(0);
    expect(map.get(1)).toEqual(host.cpu === 0 ? [50n, 6n] : [5n, 50n]);
    expect(run(set, 2, 7n)).toBe(0);
    expect(map.get(2)).toEqual(host.cpu === 0 ? [7n, 0n] : [0n, 7n]);
  });

  test("percpu_array, and the slot of any CPU", () => {
    const map = host.createMap({ type: "percpu_array", key: u32, value: u64, maxEntries: 2 });
    map.set(1, [5n, 6n]);
    expect(run(raw(update(0), [map]), 0, 3n)).toBe(0);
    expect(map.local.get(0)).toBe(3n);
    const other = raw(
      `
      r2 = r1
      r3 = *(u32 *)(r1 +8)
      r1 = map[fd:0]
      call bpf_map_lookup_percpu_elem
      if r0 == 0 goto none
      r0 = *(u64 *)(r0 +0)
      exit
    none:
      r0 = -1
      exit`,
      [map],
    );
    expect([run(other, 1, 0n), run(other, 1, 1n), run(other, 1, 2n)]).toEqual([5, 6, -1]);
  });

  test.each([3, 4, 5, 8, 16, 40])("keys of %i bytes, at any byte of the stack", (size) => {
    const map = host.createMap({ type: "hash", key: bytes(size), value: u64, maxEntries: 8 });
    const program = raw(
      `
      *(u64 *)(r10 -8) = 9
      ${Array.from({ length: size }, (_, i) => `*(u8 *)(r10 -${63 - i}) = ${i + 1}`).join("\n")}
      r1 = map[fd:0]
      r2 = r10
      r2 += -63
      r3 = r10
      r3 += -8
      r4 = 0
      call bpf_map_update_elem
      if r0 != 0 goto end
      r1 = map[fd:0]
      r2 = r10
      r2 += -63
      call bpf_map_lookup_elem
      if r0 == 0 goto end
      r0 = *(u64 *)(r0 +0)
    end:
      exit`,
      [map],
    );
    expect(program.run().r0).toBe(9n);
    expect([...map.keys()]).toEqual([Uint8Array.from({ length: size }, (_, i) => i + 1)]);
  });

  test("an entry that has expired is absent, one that is written anew lives on", () => {
    let now = 0;
    const timed = createHost({ shared, maxMemory: 16 * 1024 * 1024, clock: () => now });
    const map = timed.createMap({ type: "hash", key: u32, value: u64, maxEntries: 8, ttl: 100 });
    const load = (text: string) =>
      loadProgram(timed, assemble(text), { type: "raw", contextSize: 16, maps: [map] });
    const [count, set] = [load(COUNT), load(update(0))];
    expect(run(set, 1, 4n)).toBe(0);
    expect(run(count, 1)).toBe(4);
    now = 200;
    timed.tick();
    expect(run(count, 1)).toBe(-1);
    expect(timed.verify()).toEqual([]);
  });

  test("what a map evicts is told of, also when a program has written", () => {
    const gone: number[] = [];
    const map = host.createMap({
      type: "lru_hash",
      key: u32,
      value: u64,
      maxEntries: 2,
      onEvict: (key) => gone.push(key),
    });
    const set = raw(update(0), [map]);
    for (let key = 0; key < 20; key++) expect(run(set, key)).toBe(0);
    expect(gone.length + map.size).toBe(20);
  });

  test("the low-water hook makes room for what a program inserts", () => {
    const map = host.createMap({
      type: "rhash",
      key: u32,
      value: u64,
      maxEntries: 4,
      lowWater: { free: 1, grow: (full) => full.grow(2 * full.info.maxEntries) },
    });
    const set = raw(update(0), [map]);
    for (let key = 0; key < 50; key++) expect(run(set, key)).toBe(0);
    expect(map.size).toBe(50);
  });

  test("a map stays as long as a program has it", () => {
    const map = host.createMap({ type: "hash", key: u32, value: u64, maxEntries: 8 });
    const set = raw(update(0), [map]);
    map.close();
    expect(run(set, 1, 1n)).toBe(0);
  });

  test("all memory is given back", () => {
    const before = host.memoryUsage().bytes;
    const map = host.createMap({ type: "hash", key: struct({ a: u32 }), value: u64, maxEntries: 8 });
    const set = raw(update(0), [map]);
    run(set, 1);
    set.close();
    map.close();
    expect(host.memoryUsage().bytes).toBe(before);
  });
});
