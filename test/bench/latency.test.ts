// Single operations timed into histograms, and the first calls of a process. Nothing here depends on how long anything took.
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { growAndShrink } from "../../bench/latency/grow_and_shrink.mjs";
// @ts-expect-error plain JavaScript
import { countsOf, histogramOf, newHistogram, percentilesOf } from "../../bench/latency/histogram.mjs";
// @ts-expect-error plain JavaScript
import { randomOrder } from "../../bench/latency/random_order.mjs";
// @ts-expect-error plain JavaScript
import { Recorder } from "../../bench/latency/recorder.mjs";
// @ts-expect-error plain JavaScript
import { sliceEnds, timeSlices } from "../../bench/latency/slices.mjs";
// @ts-expect-error plain JavaScript
import { switchReader } from "../../bench/latency/switches.mjs";
// @ts-expect-error plain JavaScript
import { run as arrayView } from "../../bench/workloads/array_view.mjs";
// @ts-expect-error plain JavaScript
import { run as cold } from "../../bench/workloads/cold.mjs";
// @ts-expect-error plain JavaScript
import { run as fields } from "../../bench/workloads/fields.mjs";
// @ts-expect-error plain JavaScript
import { run as growPause } from "../../bench/workloads/grow_pause.mjs";
// @ts-expect-error plain JavaScript
import { run as iterators } from "../../bench/workloads/iterators.mjs";
// @ts-expect-error plain JavaScript
import { run as texts } from "../../bench/workloads/texts.mjs";
// @ts-expect-error plain JavaScript
import { run as warmUp } from "../../bench/workloads/warm_up.mjs";
import { BUILD_MS, builtRoot } from "../support/built.ts";
import { bySize, inFull } from "../support/size.ts";
import { workloadContext } from "./context.ts";

describe("histogram", () => {
  test("percentiles are within a thousandth, the worst is exact", () => {
    const histogram = newHistogram();
    for (let ns = 1; ns <= 1_000_000; ns++) histogram.recordValue(ns);
    histogram.recordValue(1_234_567_891);
    const percentiles = percentilesOf(histogram);
    expect(histogram.totalCount).toBe(1_000_001);
    for (const [row, expected] of [
      ["p50", 500_000],
      ["p99", 990_000],
      ["p99.99", 999_900],
    ] as const) {
      expect(Math.abs(percentiles[row] / expected - 1)).toBeLessThanOrEqual(0.001);
    }
    expect(percentiles.worst).toBe(1_234_567_891);
  });

  test("sent as counts and put together again it is the same", () => {
    const parts = [1, 2].map((factor) => {
      const histogram = newHistogram();
      for (let i = 1; i <= 5000; i++) histogram.recordValue(i * i * factor);
      return histogram;
    });
    const [first] = parts;
    expect(percentilesOf(histogramOf([countsOf(first)]))).toEqual(percentilesOf(first));
    const both = histogramOf(parts.map(countsOf));
    expect(both.totalCount).toBe(10_000);
    expect(percentilesOf(both).worst).toBe(50_000_000);
  });
});

test("the worst undisturbed operation is none during which the scheduler took the core away", () => {
  let switches = 5;
  const recorder = new Recorder(() => switches);
  recorder.record(700, 1, false);
  recorder.record(90_000, 2, true);
  switches++;
  recorder.record(5_000_000, 3, false);
  switches++;
  recorder.forgetSwitches();
  recorder.record(80_000, 4, false);
  expect(recorder.worstUndisturbed).toBe(90_000);
  expect(recorder.histogram.totalCount).toBe(4);
  expect(recorder.slowest).toEqual([
    { ns: 5_000_000, entries: 3, grewMemory: false, preempted: true },
    { ns: 90_000, entries: 2, grewMemory: true, preempted: false },
    { ns: 80_000, entries: 4, grewMemory: false, preempted: false },
  ]);
});

test("the number of switches is read, and does not fall", () => {
  const read = switchReader();
  const before = read();
  expect(Number.isInteger(before)).toBe(true);
  expect(read()).toBeGreaterThanOrEqual(before);
});

test.each([1, 2, 3, 1000, 1024, 1025, 77_777])("the random order of %i is a permutation", (size) => {
  const at = randomOrder(size, 7);
  const seen = new Uint8Array(size);
  let inPlace = 0;
  for (let i = 0; i < size; i++) {
    seen[at(i)]++;
    if (at(i) === i) inPlace++;
  }
  expect(seen.every((times) => times === 1)).toBe(true);
  if (size >= 1000) expect(inPlace).toBeLessThan(20);
});

test("every operation of both classes is counted", () => {
  const size = 5000;
  const log = { sets: 0, deletes: 0, collections: 0 };
  const keys = new Map<number, number>();
  const map = {
    set(key: number, value: number) {
      log.sets++;
      keys.set(key, value);
    },
    delete(key: number) {
      log.deletes++;
      return keys.delete(key);
    },
  };
  const collect = () => log.collections++;
  const run = { size, seed: 1, collect, memoryBytes: () => keys.size >> 10, readSwitches: () => 0 };
  const { insert, delete: remove, curve, removed } = growAndShrink(map, run);
  expect([log.sets, log.deletes, removed, keys.size]).toEqual([size, size, size, 0]);
  expect([insert.histogram.totalCount, remove.histogram.totalCount]).toEqual([size, size]);
  expect(log.collections).toBe(2);
  const marks = curve.map(({ entries }: { entries: number }) => entries);
  expect(marks).toEqual([1024, 2048, 4096, 5000]);
  const worst = curve.map(({ worst }: { worst: number }) => worst);
  expect(worst).toEqual(worst.toSorted((a: number, b: number) => a - b));
  expect(worst.at(-1)).toBe(insert.histogram.maxValue);
});

test("slices are half orders of magnitude and cover every call once", () => {
  expect(sliceEnds(1000)).toEqual([10, 30, 100, 300, 1000]);
  expect(sliceEnds(2000)).toEqual([10, 30, 100, 300, 1000, 2000]);
  const got: number[] = [];
  const get = (key: number) => {
    got.push(key);
    return key * 2;
  };
  const keys = Uint32Array.from({ length: 150 }, (_, i) => i);
  const { ns, sum } = timeSlices({ get }, keys, sliceEnds(150));
  expect(ns).toHaveLength(4);
  expect(got).toEqual([...keys]);
  expect(sum).toBe(150 * 149);
});

describe("workloads", () => {
  beforeAll(() => builtRoot(), BUILD_MS);

  test("grow-pause: one call does at most 1 split or 2 merges, and the rows of all contenders are there", async () => {
    const { context, rounds } = workloadContext({ sizes: [bySize(1000, 3000)], rounds: bySize(1, 2) });
    const { measurements, notes, details } = await growPause(context);
    const of = (operation: string, contender: string) =>
      measurements.find(
        (row: { operation: string; contender: string }) =>
          row.operation === operation && row.contender === contender,
      ).rounds;
    for (const contender of ["bpfmap", "js-map", "clock", "fresh-memory"]) {
      for (const operation of ["insert, p50", "insert, p99.9999", "delete, worst"]) {
        expect(of(operation, contender)).toHaveLength(rounds);
      }
      const { insert, delete: remove, curve } = details.sizes[0].contenders[contender];
      expect([insert.operations, remove.operations]).toEqual([
        rounds * bySize(1000, 3000),
        rounds * bySize(1000, 3000),
      ]);
      expect(curve.at(-1).entries).toBe(bySize(1000, 3000));
    }
    expect(of("splits of one call, at most", "bpfmap")).toEqual(Array(rounds).fill(1));
    for (const merges of of("merges of one call, at most", "bpfmap")) expect(merges).toBeLessThanOrEqual(2);
    expect(notes.join()).not.toMatch("exceeded");
  });

  inFull(() => {
    test("array-view: every way to the elements, of arrays that have grown and others", async () => {
      const { context, rounds } = workloadContext({ sizes: [300, 20_000], rounds: 2 });
      const { measurements, notes, fingerprint } = await arrayView(context);
      expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
      const operations = ["get", "set", "sum over views", "add over views", "sum through addresses"];
      const contenders = ["bpfmap", "bpfmap, grown", "Float64Array", "js-array"];
      expect(
        measurements.map(({ size, operation, contender }: Record<string, unknown>) => [
          size,
          operation,
          contender,
        ]),
      ).toEqual(
        [300, 20_000].flatMap((size) =>
          operations.flatMap((operation) => contenders.map((contender) => [size, operation, contender])),
        ),
      );
      for (const { rounds: numbers } of measurements) expect(numbers).toHaveLength(rounds);
      expect(notes.filter((note: string) => note.includes("times a Float64Array"))).toHaveLength(10);
    });
  });

  inFull(() => {
    test("iterators and fields: each way in each round, and the ratios that the page claims", async () => {
      const { context, rounds } = workloadContext({ sizes: [100], rounds: 2 });
      const ways = await iterators(context);
      const byKey = await fields(context);
      expect(ways.measurements).toHaveLength(5 * 3);
      expect(byKey.measurements).toHaveLength(8 * 4);
      for (const { rounds: numbers } of [...ways.measurements, ...byKey.measurements])
        expect(numbers).toHaveLength(rounds);
      expect(ways.notes.join()).toMatch(/u32 to f64, 100 entries, in times of Map's entries: values\(\) \d/);
      expect(byKey.notes.join()).toMatch(/field.get in times of the get of a number: u32 \d+\.\d+, u53 \d/);
    });

    test("texts: each operation with each length, and what the maps say of their memory", async () => {
      const { context, rounds } = workloadContext({ sizes: [100], rounds: 2 });
      const { measurements, notes } = await texts(context);
      expect(measurements).toHaveLength(6 * 3 * 3);
      for (const { rounds: numbers } of measurements) expect(numbers).toHaveLength(rounds);
      expect(notes.join()).toMatch(/100 entries, 60 bytes, text in times of Map: set, growing from empty \d/);
      expect(notes.join()).toMatch(/100 entries, 8 bytes: text takes \d+\.\d bytes an entry, cstring \d/);
    });
  });

  // Two processes for each of them.
  inFull(() =>
    test("cold: each part of each round, for each program of Node and each build", async () => {
      const { context, rounds } = workloadContext({ rounds: 1 });
      const dist = fileURLToPath(new URL("../../dist", import.meta.url));
      const own = { nodes: [process.execPath], other: dist };
      const { measurements, notes } = await cold({ ...context, options: own });
      const parts = ["import", "createHost", "createMap, set, get", "import to first get"];
      expect(
        measurements.map(({ contender, operation }: Record<string, string>) => `${contender} ${operation}`),
      ).toEqual(
        parts.flatMap((part) =>
          ["bpfmap", "other"].map((contender) => `${contender} Node ${process.versions.node}: ${part}`),
        ),
      );
      for (const { rounds: numbers } of measurements) expect(numbers).toHaveLength(rounds);
      expect(notes.some((note: string) => note.includes("ours / other"))).toBe(true);
      await expect(cold({ ...context, options: { other: "/nowhere" } })).rejects.toThrow("/nowhere");
    }),
  );

  test("warm-up: a row for each slice, a number for each process", async () => {
    const { context, rounds } = workloadContext({ sizes: [100], rounds: bySize(1, 2) });
    const { measurements } = await warmUp({ ...context, options: { calls: 300 } });
    expect(
      measurements.map(({ contender, operation }: Record<string, string>) => `${contender}: ${operation}`),
    ).toEqual(
      ["bpfmap", "js-map"].flatMap((contender) =>
        ["1 to 10", "11 to 30", "31 to 100", "101 to 300"].map(
          (calls) => `${contender}: get, calls ${calls}`,
        ),
      ),
    );
    for (const { rounds: numbers, unit } of measurements) {
      expect(unit).toBe("ns");
      expect(numbers).toHaveLength(rounds);
      for (const ns of numbers) expect(ns).toBeGreaterThan(0);
    }
  });
});
