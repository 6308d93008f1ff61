// Memory per entry and the limits of a map, at sizes that take no time.
import { execFileSync } from "node:child_process";
import { beforeAll, describe, expect, test } from "vitest";
import { BUILD_MS, builtRoot } from "../support/built.ts";
import { bySize, inFull } from "../support/size.ts";
import { workloadContext } from "./context.ts";

const bench = (path: string) => import(new URL(`../../bench/${path}`, import.meta.url).href);

/** What the bench measures. */
const built = (): Promise<typeof import("../../src/index.ts")> => bench("../dist/index.js");

beforeAll(() => builtRoot(), BUILD_MS);

interface Row {
  size: number;
  operation: string;
  contender: string;
  unit: string;
  rounds: number[];
}

const one = (rows: Row[], size: number, operation: string, contender = "bpfmap") =>
  rows.find((row) => row.size === size && row.operation === operation && row.contender === contender)?.rounds;

describe("accounting", () => {
  test("bytes per entry: at most 24 with 10,000 entries, at most 22 at every size from 100,000 on", async () => {
    const { accounting, spacedSizes } = await bench("memory/accounting.mjs");
    const { createHost } = await built();
    const at = [...spacedSizes(100, bySize(150_000, 400_000), 20), 10_000];
    const { samples, worst } = accounting(createHost({ seed: 1 }), { at, from: [100_000] });
    expect(samples.map(({ entries }: { entries: number }) => entries)).toEqual(at.toSorted((a, b) => a - b));
    const { bytes } = samples.find(({ entries }: { entries: number }) => entries === 10_000);
    expect(bytes / 10_000).toBeLessThanOrEqual(24);
    expect(worst[0].bytesPerEntry).toBeLessThanOrEqual(22);
    expect(worst[0].bytesPerEntry).toBeGreaterThan(12);
  });

  test("spaced sizes go from the first to the last", async () => {
    const { spacedSizes } = await bench("memory/accounting.mjs");
    expect(spacedSizes(10, 10_000, 4)).toEqual([10, 100, 1000, 10_000]);
  });
});

// /proc is Linux's.
const linux = process.platform === "linux";

describe.runIf(linux)("resident memory", () => {
  // In a process of its own: in this one the garbage of other tests may go meanwhile.
  test("pages count once they are touched", () => {
    const module = new URL("../../bench/memory/resident.mjs", import.meta.url);
    const program = `
      import { availableBytes, residentBytes } from ${JSON.stringify(module.href)};
      const before = residentBytes();
      const pages = new Uint8Array(64 << 20).fill(1);
      console.log(JSON.stringify([residentBytes() - before, pages[5], availableBytes()]));`;
    const args = ["--input-type=module", "--eval", program];
    const [grown, byte, available] = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
    expect(grown).toBeGreaterThan(48 << 20);
    expect(byte).toBe(1);
    expect(available).toBeGreaterThan(1 << 20);
  });

  test("the mapping of a wasm memory is found by its length", async () => {
    const { linearMemoryBytes } = await bench("memory/resident.mjs");
    // A length that nothing else has.
    const memory = new WebAssembly.Memory({ initial: 1237, maximum: 65535 });
    const length = memory.buffer.byteLength;
    const untouched = linearMemoryBytes(length);
    new Uint8Array(memory.buffer, 0, 10 << 20).fill(1);
    expect(linearMemoryBytes(length) - untouched).toBe(10 << 20);
    expect(linearMemoryBytes(length + 65536)).toBeUndefined();
  });
});

inFull(() =>
  test.runIf(linux)("the workload: accounting of each contender, resident memory of ours", async () => {
    const { run } = await bench("workloads/memory.mjs");
    const { context, skipped } = workloadContext({ sizes: [20_000] });
    const contenders = ["bpfmap", "open-addressing", "kernel-bpf"];
    const { measurements, details, notes } = await run({ ...context, contenders });
    const [ours] = one(measurements, 20_000, "accounting") ?? [];
    const expected = details.processes[0].rounds[0].full.own / 20_000;
    expect(ours).toBe(expected);
    expect(one(measurements, 20_000, "accounting", "open-addressing")?.[0]).toBeGreaterThan(12);
    const [linear] = one(measurements, 20_000, "RSS of the linear memory") ?? [];
    expect(linear).toBeGreaterThan(ours as number);
    expect(details.processes[0].rounds[0].emptied.own).toBeLessThan(1000);
    expect(skipped).toEqual([
      { contender: "kernel-bpf", reason: expect.stringMatching("not that of the process") },
    ]);
    expect(notes.join()).toMatch("must be <= 22");
  }),
);

describe("churn", () => {
  test("keeps the number of entries, and tells after how many pairs a map failed", async () => {
    const { churn } = await bench("memory/churn.mjs");
    const map = new Map<number, number>();
    expect(churn(map, 1000, 5000)).toEqual({ pairs: 5000 });
    expect(map.size).toBe(1000);
    // As V8's Map does it: what was deleted counts until the table is built anew.
    class Tombstones extends Map<number, number> {
      used = 0;
      override set(key: number, value: number) {
        if (++this.used > 1200) throw new RangeError("Map maximum size exceeded");
        return super.set(key, value);
      }
    }
    expect(churn(new Tombstones(), 1000, 5000)).toEqual({ pairs: 200, error: "Map maximum size exceeded" });
  });

  test("a map that throws when it is full has as many entries as it took", async () => {
    const { fillUntilFull } = await bench("memory/churn.mjs");
    const { createHost, u32 } = await built();
    const host = createHost({ seed: 1 });
    const map = host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 500 });
    expect(fillUntilFull(map, 1000)).toEqual({ entries: 500, error: expect.stringMatching("500") });
    expect(fillUntilFull(new Map(), 100)).toEqual({ entries: 100 });
  });
});

describe.runIf(linux)("capacity", () => {
  test("fills, looks up, drains and churns as many entries as asked for", async () => {
    const { run, options } = await bench("workloads/capacity.mjs");
    expect(options.entries.default).toBe(100_000_000);
    const { context, skipped } = workloadContext({});
    const own = { entries: 30_000, live: 2000, pairs: 10_000 };
    const result = await run({ ...context, contenders: ["bpfmap"], options: own });
    expect(skipped).toEqual([]);
    expect(result.details.large.full.stats.entries).toBe(30_000);
    expect(result.details.bpfmap).toMatchObject({ entries: 2000, churned: { pairs: 10_000 } });
    expect(result.notes.at(-1)).toMatch("10,000 pairs of a delete and an add: no failure");
    expect(one(result.measurements, 30_000, "lookupAndDeleteBatch(4096), to the end")).toHaveLength(1);
  });

  test("says so when the machine has too little memory", async () => {
    const { run } = await bench("workloads/capacity.mjs");
    const { context, skipped } = workloadContext({});
    const own = { entries: 1e12, live: 1e12, pairs: 1 };
    const { measurements } = await run({ ...context, contenders: ["bpfmap"], options: own });
    expect(measurements).toEqual([]);
    expect(skipped.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/1,000,000,000,000 entries: needs .* GB of memory, .* GB are available/),
      expect.stringMatching(/the limits: needs/),
    ]);
  });
});

test("a child that fails says why", async () => {
  const { runChild } = await bench("run/run_child.mjs");
  await expect(runChild("capacity.mjs", { entries: -1, queries: 1, seed: "x" })).rejects.toThrow(
    "createHost: seed",
  );
  await expect(runChild("none.mjs", {})).rejects.toThrow(/none.mjs: exit status 1: .*Cannot find module/s);
});
