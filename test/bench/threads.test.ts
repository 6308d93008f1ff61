// The workloads in threads, and the shared host beside a plain one, on tiny maps for moments. Nothing here is timed.
import { existsSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { BUILD_MS, builtRoot } from "../support/built.ts";
import { inFull } from "../support/size.ts";
import { workloadContext } from "./context.ts";
import { runBench } from "./program.ts";

const bench = (path: string) => import(new URL(`../../bench/${path}`, import.meta.url).href);

interface Measurement {
  size: number;
  operation: string;
  contender: string;
  unit: string;
  rounds: number[];
}
interface Result {
  workload: string;
  unit: string;
  fingerprint: string;
  measurements: Measurement[];
  skipped: { contender: string; reason: string }[];
  notes: string[];
  details: { scaling: { contender: string; threads: number[]; rounds: number[] }[] };
}

let root: string;
beforeAll(() => {
  root = builtRoot();
}, BUILD_MS);

/** The results of a run of the program. */
async function run(...args: string[]): Promise<Result[]> {
  const { status, stdout, stderr } = await runBench(root, [...args, "--json"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return (JSON.parse(stdout) as { results: Result[] }).results;
}

/** Those from npm are not installed by a test. */
const peersInstalled = existsSync(new URL("../../bench/peers/node_modules", import.meta.url));
const CONTENDERS = [
  "bpfmap",
  "bpfmap-unshared",
  ...(peersInstalled ? ["sharedmap", "lmdb"] : []),
  "post-message",
  "js-map",
];
const TINY = "--sizes 500 --rounds 2 --queries 2048 --seconds 0.01".split(" ");
const WORKLOADS = ["threads-read", "threads-mixed", "threads-percpu", "threads-lru"];

inFull(() => {
  describe("the workloads in threads", () => {
    let results: Result[];
    let again: Result[];
    beforeAll(async () => {
      results = await run(...WORKLOADS, ...TINY, "--contenders", CONTENDERS.join());
      again = await run(...WORKLOADS, ...TINY, "--contenders", "js-map", "--seed", "2");
    }, 120_000);

    const resultOf = (name: string) => results.find(({ workload }) => workload === name) as Result;
    const operationsOf = ({ measurements }: Result, name: string) =>
      measurements.filter(({ contender }) => contender === name).map(({ operation }) => operation);

    test.each(WORKLOADS)("%s: every contender, rates of all rounds", (name) => {
      const { measurements, skipped, unit } = resultOf(name);
      expect(skipped).toEqual([]);
      expect(unit).toBe("Mops/s");
      for (const { operation, contender, rounds } of measurements) {
        expect(rounds.length, `${operation} of ${contender}`).toBe(2);
        for (const rate of rounds) expect(rate, `${operation} of ${contender}`).toBeGreaterThan(0);
      }
      expect(new Set(measurements.map(({ contender }) => contender))).toEqual(new Set(CONTENDERS));
    });

    test("the operations, with one thread and with two", () => {
      expect(WORKLOADS.map((name) => operationsOf(resultOf(name), "bpfmap"))).toEqual([
        ["get, 1 thread", "get, 2 threads", "get, 128 at a time, 1 thread", "get, 128 at a time, 2 threads"],
        [
          "90 % get, 10 % set, 1 thread",
          "90 % get, 10 % set, 2 threads",
          "90 % get, 10 % set, zipfian, 1 thread",
          "90 % get, 10 % set, zipfian, 2 threads",
          "90 % get, 10 % set, 128 at a time, 1 thread",
          "90 % get, 10 % set, 128 at a time, 2 threads",
        ],
        [
          "add(key, 1), 1 thread",
          "add(key, 1), 2 threads",
          "local.get and local.set, 1 thread",
          "local.get and local.set, 2 threads",
          "add 1, 128 at a time, 1 thread",
          "add 1, 128 at a time, 2 threads",
        ],
        [
          "get, 1 thread",
          "get, 2 threads",
          "get, zipfian, 1 thread",
          "get, zipfian, 2 threads",
          "get, 128 at a time, 1 thread",
          "get, 128 at a time, 2 threads",
        ],
      ]);
      expect(operationsOf(resultOf("threads-read"), "post-message")).toHaveLength(4);
    });

    test("what two threads bring is said, and whether it reaches the goal", () => {
      for (const [name, goal] of Object.entries({
        "threads-read": 1.8,
        "threads-mixed": 1.5,
        "threads-percpu": 1.8,
        "threads-lru": 1.8,
      })) {
        const { notes, details } = resultOf(name);
        expect(notes.filter((note) => note.includes(`goal >= ${goal}x`))).toHaveLength(1);
        if (peersInstalled) expect(notes.filter((note) => note.includes("goal >= 20x"))).toHaveLength(2);
        for (const { threads, rounds } of details.scaling) {
          expect(threads).toEqual([1, 2]);
          expect(rounds).toHaveLength(2);
        }
        expect(new Set(details.scaling.map(({ contender }) => contender))).toEqual(new Set(CONTENDERS));
      }
    });

    test("fingerprints depend on the seed", () => {
      results.forEach(({ fingerprint }, i) => {
        expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
        expect(again[i]?.fingerprint).not.toBe(fingerprint);
      });
    });

    test("Ctrl-C gives what was measured until then", async () => {
      const args = ["threads-read", ...TINY, "--rounds", "100000", "--contenders", "bpfmap,js-map"];
      const { status, stdout, stderr } = await runBench(root, args, (kill) =>
        setTimeout(kill, 1000, "SIGINT"),
      );
      expect({ status, stderr }).toEqual({ status: 130, stderr: expect.stringContaining("stopping") });
      expect(stdout).toContain("stopped before its end by Ctrl-C");
    });

    test("other numbers of threads", async () => {
      const [result] = await run("threads-read", ...TINY, "--threads", "3", "--contenders", "js-map");
      expect(operationsOf(result as Result, "js-map")).toEqual(["get, 3 threads"]);
    });
  });
});

inFull(() => {
  test("htab-mem by producers: adding and deleting on different CPUs", async () => {
    const contenders = CONTENDERS.join();
    const args = [
      "htab-mem",
      "rhtab-mem",
      ...TINY,
      "--rounds",
      "1",
      "--producers",
      "4",
      "--contenders",
      contenders,
    ];
    for (const { measurements, skipped } of await run(...args)) {
      expect(skipped).toEqual([]);
      for (const operation of [
        "overwrite, 4 threads",
        "add 64, delete 64, 4 threads",
        "add and delete on different CPUs, 4 threads",
      ]) {
        const names = measurements
          .filter((line) => line.operation === operation)
          .map(({ contender }) => contender);
        expect(names).toEqual(CONTENDERS.filter((name) => !["bpfmap-unshared", "js-map"].includes(name)));
        const memory = measurements.find((line) => line.operation === `memory after ${operation}`);
        expect(memory).toMatchObject({ contender: "bpfmap", unit: "bytes" });
      }
    }
  }, 60_000);

  test("shared-overhead: the same work on a shared host and on a plain one", async () => {
    const [result] = await run("shared-overhead", "--sizes", "500", "--rounds", "1", "--queries", "2048");
    const { measurements, skipped } = result as Result;
    expect(skipped).toEqual([]);
    const operationsOf = (name: string) =>
      measurements.filter(({ contender }) => contender === name).map(({ operation }) => operation);
    expect(operationsOf("bpfmap-shared")).toEqual(operationsOf("bpfmap"));
    expect(operationsOf("bpfmap")).toEqual(
      expect.arrayContaining([
        "get",
        "set, growing from empty",
        "set, existing key",
        "delete, random order",
        "lookupMany(256)",
        "updateBatch(256), growing from empty",
        "lookupBatch(256)",
      ]),
    );
  }, 60_000);
});

describe("streams", () => {
  const numbers = (array: Uint32Array) => [...array];

  test("what threads read, from the beginning again after the end", async () => {
    const { sumRead, uniformStream, withWrites } = await bench("threads/streams.mjs");
    const keys = Uint32Array.from({ length: 100 }, (_, i) => 1000 + i);
    const stream = uniformStream(keys, 0, { seed: 1, queries: 1 });
    expect(stream.keys).toHaveLength(1024);
    expect(stream.keys.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(numbers(stream.keys)).toEqual(numbers(stream.values).map((index) => 1000 + index));
    const all = numbers(stream.values).reduce((a, b) => a + b);
    expect(sumRead(stream, 2049)).toBe(2 * all + stream.values[0]);
    const mixed = withWrites(stream, 0, 1);
    const read = numbers(mixed.values).filter((_, i) => mixed.writes[i] === 0);
    expect(read.length).toBeGreaterThan(800);
    expect(read.length).toBeLessThan(1024);
    expect(sumRead(mixed, 1024)).toBe(read.reduce((a, b) => a + b));
  });

  test("how often each key comes", async () => {
    const { countKeys, zipfStream } = await bench("threads/streams.mjs");
    const keys = Uint32Array.from({ length: 50 }, (_, i) => i);
    const [one, other] = [0, 1].map((thread) => zipfStream(keys, thread, { seed: 1, queries: 1024 }));
    const countsOf = (stream: object, operations: number) => {
      const counts = new Float64Array(50);
      countKeys(stream, operations, counts);
      return counts;
    };
    const counts = countsOf(one, 1024);
    expect(counts.reduce((a, b) => a + b)).toBe(1024);
    expect(countsOf(one, 3 * 1024)).toEqual(counts.map((count) => 3 * count));
    expect(countsOf(one, 1025)[one.values[0]]).toBe((counts[one.values[0]] as number) + 1);
    // Other draws, the same favourite.
    const favourite = (counts: Float64Array) => counts.indexOf(Math.max(...counts));
    expect(numbers(other.values)).not.toEqual(numbers(one.values));
    expect(favourite(countsOf(other, 1024))).toBe(favourite(counts));
  });
});

describe("turns", () => {
  /** One row of reads in a tiny map. */
  async function turns(names: string[], row: object) {
    const { measureTurns } = await bench("threads/turns.mjs");
    const { uniformStream } = await bench("threads/streams.mjs");
    const { context, skipped } = workloadContext({});
    const keys = Uint32Array.from({ length: 100 }, (_, i) => i + 1);
    const measurements = await measureTurns(
      {
        size: 100,
        names,
        rows: [{ operation: "get", method: "get", stream: "uniform", ...row }],
        streams: [{ uniform: uniformStream(keys, 0, context) }],
        threads: [1],
        seconds: 0.001,
        open: { keys, kind: "values" },
      },
      context,
    );
    return { measurements, skipped };
  }

  test("a contender with a wrong result is left out, ours ends the run", async () => {
    const row = { expected: (_stream: object, operations: number) => -operations };
    const { measurements, skipped } = await turns(["js-map"], row);
    expect(measurements).toEqual([]);
    expect(skipped).toEqual([
      { contender: "js-map", reason: expect.stringMatching(/get: thread 1 of 1 got \d+/) },
    ]);
    await expect(turns(["bpfmap"], row)).rejects.toThrow("instead of -");
  });

  test("a contender without the method takes no part", async () => {
    const { measurements, skipped } = await turns(["js-map", "post-message"], { method: "getGroup" });
    expect(measurements.map(({ contender }: Measurement) => contender)).toEqual(["post-message"]);
    expect(skipped).toEqual([]);
  });

  test("a contender whose thread fails is left out", async () => {
    const { Crew } = await bench("threads/crew.mjs");
    const table = { ticket: () => ({ data: undefined }), close: () => {} };
    // Its workers find no handle in the ticket.
    await expect(Crew.start("bpfmap", { open: () => table }, {}, [{}], ["get"])).rejects.toThrow(TypeError);
    const { skipped } = await turns(["post-message"], { stream: "none" });
    expect(skipped).toEqual([{ contender: "post-message", reason: expect.stringContaining("undefined") }]);
  });
});

describe("rates", () => {
  const line = (contender: string, threads: string, rounds: number[]) => ({
    size: 500,
    operation: `get, ${threads}`,
    contender,
    unit: "Mops/s",
    rounds,
  });

  test("more is better: a ratio above 1 is in our favour", async () => {
    const { ratios } = await bench("run/statistics.mjs");
    expect(ratios([2, 4], [8, 8], "Mops/s")).toEqual([4, 2]);
    expect(ratios([2, 4], [8, 8], "ns")).toEqual([0.25, 0.5]);
  });

  test("what threads bring is taken round by round and judged", async () => {
    const { scalingOf } = await bench("threads/scaling.mjs");
    const measurements = [
      line("bpfmap", "1 thread", [10, 20, 30]),
      line("bpfmap", "2 threads", [19, 38, 57]),
      line("sharedmap", "1 thread", [1, 2, 3]),
      line("sharedmap", "2 threads", [0.5, 1, 1.5]),
    ];
    const names = ["bpfmap", "sharedmap"];
    const shape = { size: 500, rows: [{ operation: "get", goal: true }], threads: [2, 1], names };
    const { notes, details } = scalingOf(measurements, shape, { scaling: 1.8, sharedmap: 20 });
    expect(details.map(({ rounds }: { rounds: number[] }) => rounds)).toEqual([
      [1.9, 1.9, 1.9],
      [0.5, 0.5, 0.5],
    ]);
    expect(notes).toEqual([
      "get, 500 entries: 2 threads / 1 thread: bpfmap 1.90x (1.90x .. 1.90x), goal >= 1.8x; " +
        "sharedmap 0.50x (0.50x .. 0.50x)",
      "get, 2 threads, 500 entries: bpfmap does 38.0x (38.0x .. 38.0x) what sharedmap does, goal >= 20x",
      "get, 1 thread, 500 entries: bpfmap does 10.0x (10.0x .. 10.0x) what sharedmap does, goal >= 20x, not reached",
    ]);
  });
});
