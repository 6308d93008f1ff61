// Calls that move numbers and bytes allocate nothing on the JavaScript heap, once they have run for a while: no garbage collector
// stops a program that counts packets.
import { describe, expect, it } from "vitest";
import {
  type Batch,
  createHost,
  i32,
  type MapType,
  type ReadonlyEntry,
  type Seq,
  struct,
  u8,
  u16,
  u32,
  u53,
} from "../../src/index.ts";
import { bytesPerCall } from "../support/core/allocation.ts";

/** Bytes. The measure itself costs a little, spread over all calls. */
const NOTHING = 2;
const CALLS = 10_000;
const MANY_CALLS = 1000;
const ENTRIES = 256;
const TYPES: MapType[] = ["hash", "rhash", "percpu_hash", "array", "percpu_array"];

/** Bytes per call, shown in the report of the test run. */
function measure(name: string, run: () => void, calls = CALLS): number {
  const bytes = bytesPerCall(run, calls);
  console.log(`${name}: ${bytes.toFixed(3)} bytes per call`);
  return bytes;
}

const keys = Uint32Array.from({ length: ENTRIES }, (_, i) => i);

describe("the measure", () => {
  it("sees a single small object", () => {
    let last: unknown;
    expect(measure("an object", () => (last = { key: 1 }))).toBeGreaterThan(8);
    expect(last).toEqual({ key: 1 });
  });

  it("sees one view of a typed array in a call on many keys", () => {
    const map = createHost({ seed: 1 }).createMap({
      type: "hash",
      key: u32,
      value: u32,
      maxEntries: ENTRIES,
    });
    expect(measure("a view", () => map.lookupMany(keys.subarray(0)), MANY_CALLS)).toBeGreaterThan(32);
  });
});

describe.each(TYPES)("%s: no allocation per call of", (type) => {
  const host = createHost({ seed: 1, cpus: 2 });
  const map = host.createMap({ type, key: u32, value: u32, maxEntries: 2 * ENTRIES });
  for (let key = 0; key < ENTRIES; key++) map.add(key, key);
  const batch = map.createBatch(ENTRIES) as Batch<number, unknown>;
  const call = map as unknown as {
    lookupBatch(batch: Batch<number, unknown>): boolean;
    updateBatch(batch: Batch<number, unknown>): void;
    lookupAndDeleteBatch(batch: Batch<number, unknown>): boolean;
    deleteBatch(batch: Batch<number, unknown>): void;
  };
  const plainKeys = [...keys];
  const deltas = new Uint32Array(ENTRIES).fill(1);
  const plainDeltas = [...deltas];
  const values = new Uint32Array((ENTRIES * batch.values.length) / ENTRIES / 4);
  const bytes = new Uint8Array(values.buffer);
  const isArray = type.endsWith("array");
  let n = 0;

  it.each<[string, () => void]>([
    [
      "lookupBatch",
      () => {
        batch.rewind();
        call.lookupBatch(batch);
      },
    ],
    [
      "updateBatch",
      () => {
        batch.count = ENTRIES;
        call.updateBatch(batch);
      },
    ],
    ["lookupMany of a typed array", () => map.lookupMany(keys)],
    ["lookupMany of an array", () => map.lookupMany(plainKeys)],
    ["lookupMany into bytes", () => map.lookupMany(keys, bytes)],
    ["lookupMany of a batch's keys", () => map.lookupMany(batch.keys, batch.values)],
    ["addMany of typed arrays", () => map.addMany(keys, deltas)],
    ["addMany of arrays", () => map.addMany(plainKeys, plainDeltas)],
    ["add", () => map.add(n++ & 255, 1)],
    ["lookup", () => map.lookup(n++ & 255)],
    ["has", () => map.has(n++ & 255)],
  ])("%s", (name, run) => {
    batch.count = ENTRIES;
    batch.rewind();
    call.lookupBatch(batch);
    expect(measure(`${type} ${name}`, run, name.length < 7 ? CALLS : MANY_CALLS)).toBeLessThan(NOTHING);
  });

  it.runIf(!isArray)("lookupAndDeleteBatch with updateBatch, and deleteBatch", () => {
    const move = () => {
      batch.rewind();
      call.lookupAndDeleteBatch(batch);
      call.updateBatch(batch);
    };
    expect(measure(`${type} lookupAndDeleteBatch + updateBatch`, move, MANY_CALLS)).toBeLessThan(NOTHING);
    const remove = () => {
      call.deleteBatch(batch);
      call.updateBatch(batch);
    };
    expect(measure(`${type} deleteBatch + updateBatch`, remove, MANY_CALLS)).toBeLessThan(NOTHING);
    expect(map.size).toBe(ENTRIES);
  });
});

it("no allocation per call of lookupMany and addMany in several groups", () => {
  const count = 10_000;
  const map = createHost({ seed: 1 }).createMap({ type: "rhash", key: u32, value: u32, maxEntries: count });
  const many = Array.from({ length: count }, (_, i) => i);
  const values = new Uint32Array(count);
  const deltas = new Array<number>(count).fill(1);
  expect(measure("addMany of 10,000", () => map.addMany(many, deltas), 50)).toBeLessThan(40);
  expect(measure("lookupMany of 10,000", () => map.lookupMany(many, values), 50)).toBeLessThan(40);
  expect(values[count - 1]).toBeGreaterThan(50);
});

describe("no allocation per call of numeric", () => {
  // Numbers beyond 2^31 - 1 are boxed by V8 wherever it does not compile the call into its caller: 16 bytes each.
  const host = createHost({ seed: 1, cpus: 2 });
  let n = 0;
  it.each([
    ["u8", u8],
    ["u16", u16],
    ["u32", u32],
    ["i32", i32],
    ["u53", u53],
  ])("get, set, update and add of %s keys and values", (name, codec) => {
    for (const type of ["hash", "rhash", "array"] as const) {
      const key = type === "array" ? u32 : codec;
      const map = host.createMap({ type, key, value: codec, maxEntries: 128 });
      for (let i = 0; i < 128; i++) map.set(i, i);
      let sum = 0;
      expect(measure(`${type} get ${name}`, () => (sum += map.get(n++ & 127) as number))).toBeLessThan(
        NOTHING,
      );
      expect(sum).toBeGreaterThan(0);
      expect(measure(`${type} set ${name}`, () => map.set(n++ & 127, n & 127))).toBeLessThan(NOTHING);
      expect(measure(`${type} update ${name}`, () => map.update(n++ & 127, 5))).toBeLessThan(NOTHING);
      expect(measure(`${type} add ${name}`, () => map.add(n++ & 127, 1))).toBeLessThan(NOTHING);
      map.close();
    }
  });

  it("add to the field of a struct, with the options kept", () => {
    const value = struct({ packets: u32, bytes: u53 });
    const map = host.createMap({ type: "rhash", key: u32, value, maxEntries: 128 });
    const options = { field: "bytes" } as const;
    expect(measure("add to a field", () => map.add(n++ & 127, 1500, options))).toBeLessThan(NOTHING);
  });

  it("local.get, local.set and local.update of a per-CPU map", () => {
    const { local } = host.createMap({ type: "percpu_hash", key: u32, value: u32, maxEntries: 128 });
    for (let key = 0; key < 128; key++) local.set(key, key);
    let sum = 0;
    expect(measure("local.get", () => (sum += local.get(n++ & 127) as number))).toBeLessThan(NOTHING);
    expect(sum).toBeGreaterThan(0);
    expect(measure("local.set", () => local.set(n++ & 127, n & 127))).toBeLessThan(NOTHING);
    expect(measure("local.update", () => local.update(n++ & 127, n & 127, 2))).toBeLessThan(NOTHING);
  });
});

describe.each([false, true])("a KV store, shared: %s: no allocation per call of", (shared) => {
  const host = createHost(shared ? { seed: 1, shared, cpus: 2, maxMemory: 16 * 1024 * 1024 } : { seed: 1 });
  const manifest = { pairs: { hits: { codec: u32 }, port: { codec: u16 } } };
  const store = host.createKvStore({ manifest });
  const [hits, port] = [store.pair("hits"), store.pair("port")];
  const value = new Uint8Array(64);
  const half = new Uint8Array(32);
  for (let key = 64; key < 128; key++) store.put(key, value);
  let n = 0;
  it.each<[string, () => void]>([
    ["put of the same size", () => store.put(64 + (n++ & 63), value)],
    ["put of another size", () => store.put(64 + (n & 63), n++ & 64 ? value : half)],
    ["copy into a short buffer", () => store.copy(hits.key, half)],
    ["has, sizeOf", () => store.has(n++ & 63) && store.sizeOf(n & 63)],
    ["delete and put", () => store.delete(64 + (n++ & 63)) && store.put(64 + ((n - 1) & 63), value)],
    ["get and set of a pair", () => hits.set((hits.get() + 1) & 0xffff)],
    ["the key of a pair", () => port.key],
  ])("%s", (name, run) => {
    expect(measure(`KV store, shared ${shared}: ${name}`, run)).toBeLessThan(NOTHING);
  });
});

it("no allocation per entry of an iterator with show()", () => {
  const line = new TextEncoder().encode("a line of text\n");
  const bytesPerRun = (entries: number) => {
    const map = createHost({ seed: 7 }).createMap({
      type: "rhash",
      key: u32,
      value: u32,
      maxEntries: entries,
    });
    for (let key = 0; key < entries; key++) map.set(key, key);
    const sum = new Float64Array(1);
    const show = (seq: Seq, entry: ReadonlyEntry<number, number> | undefined) => {
      if (!entry) return;
      sum[0] += entry.key + entry.value;
      seq.write(line);
    };
    // One piece: each costs some hundred bytes.
    const bufferSize = 1 << 19;
    const bytes = bytesPerCall(() => {
      const iterator = map.iterator({ show, bufferSize });
      while (iterator.read() !== undefined);
    }, 20);
    expect(sum[0]).toBeGreaterThan(0);
    return bytes;
  };
  expect((bytesPerRun(20_000) - bytesPerRun(1000)) / 19_000).toBeLessThan(NOTHING);
});
