// `npm run bench` on tiny sizes: its options, and the form of its results. Nothing here is timed.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { DEFAULT_CONTENDERS } from "../../bench/contenders/index.mjs";
import { BUILD_MS, builtRoot } from "../support/built.ts";
import { bySize, inFull } from "../support/size.ts";
import { runBench, type WhenStarted } from "./program.ts";

interface Measurement {
  size: number;
  operation: string;
  contender: string;
  unit: string;
  rounds: number[];
}
interface Result {
  workload: string;
  title: string;
  unit: string;
  parameters: Record<string, unknown>;
  fingerprint: string;
  measurements: Measurement[];
  skipped: { contender: string; reason: string }[];
  notes: string[];
}
interface ResultFile {
  node: string;
  seed: number;
  results: Result[];
  [key: string]: unknown;
}

let root: string;
let folder: string;
beforeAll(() => {
  root = builtRoot();
  folder = mkdtempSync(join(tmpdir(), "bpfmap-bench-"));
}, BUILD_MS);
afterAll(() => rmSync(folder, { recursive: true }));

const bench = (args: string[], whenStarted?: WhenStarted) => runBench(root, args, whenStarted);

const TINY = "--sizes 500 --rounds 2 --queries 2048 --contenders bpfmap,js-map".split(" ");
const EVERY = [
  "operations",
  "hashmap-lookup",
  "hashmap-full-update",
  "rhashmap-full-update",
  "htab-mem",
  "rhtab-mem",
  "batch-walk",
  "drain",
  "mixed",
  "cache",
  "timers",
  "ttl",
  "kv",
  "process-js",
  "process-compiled",
];
const WORKLOADS = bySize(["operations", "htab-mem"], EVERY);

async function measure(...args: string[]): Promise<ResultFile> {
  const { status, stdout, stderr } = await bench([...TINY, "--json", ...args]);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return JSON.parse(stdout) as ResultFile;
}

describe("the workloads", () => {
  const args = [...WORKLOADS, "--producers", "1", ...bySize([], ["--nr-loops", "2k", "--keys", "2k"])];
  let file: ResultFile;
  beforeAll(async () => {
    file = await measure(...args);
  }, 120_000);

  test("say where they were run", () => {
    expect(file).toMatchObject({
      node: process.version,
      v8: process.versions.v8,
      seed: 1,
      cores: expect.any(Number),
      cpu: expect.any(String),
      kernel: expect.any(String),
    });
    expect(new Date(file.date as string).getTime()).toBeGreaterThan(0);
    expect(file.results.map(({ workload }) => workload)).toEqual(WORKLOADS);
  });

  test.each(WORKLOADS)("%s", (name) => {
    const result = file.results.find(({ workload }) => workload === name) as Result;
    expect(result.fingerprint).toMatch(/^[0-9a-f]{16}$/);
    expect(result.title).not.toBe("");
    expect(result.measurements.length).toBeGreaterThan(0);
    for (const { operation, contender, rounds } of result.measurements) {
      expect(rounds.length, `${operation} of ${contender}`).toBe(2);
      for (const number of rounds) expect(number, `${operation} of ${contender}`).toBeGreaterThan(0);
    }
    const contenders = new Set(result.measurements.map(({ contender }) => contender));
    expect(contenders).toContain("bpfmap");
    expect(contenders).toContain("js-map");
  });

  test("the operations are those that promises are made about", () => {
    const { measurements } = file.results[0];
    const operations = measurements
      .filter(({ contender }) => contender === "bpfmap")
      .map(({ operation }) => operation);
    expect(operations).toEqual([
      "set, growing from empty",
      "get",
      "get, absent key",
      "lookupMany(256)",
      "lookupMany(256), arrays of the caller",
      "set, existing key",
      "delete, random order",
      "updateBatch(256), growing from empty",
      "deleteBatch(256)",
    ]);
    const floor = measurements.filter(({ contender }) => contender === "bare-lines");
    expect(floor.map(({ operation }) => operation)).toEqual(["lookupMany(256)"]);
  });

  test("what is not measured is said", () => {
    const { skipped } = file.results.find(({ workload }) => workload === "htab-mem") as Result;
    expect(skipped).toEqual([
      { contender: "bpfmap", reason: expect.stringContaining("even number of producers") },
    ]);
  });

  inFull(() => {
    test("a fingerprint depends on the seed, not on who takes part", async () => {
      const [again, other] = await Promise.all([
        measure(...args, "--contenders", "bpfmap"),
        measure(...args, "--seed", "2"),
      ]);
      const fingerprints = ({ results }: ResultFile) => results.map(({ fingerprint }) => fingerprint);
      expect(fingerprints(again)).toEqual(fingerprints(file));
      // Those without random draws do the same whatever the seed.
      const fixed = ["htab-mem", "rhtab-mem", "batch-walk", "drain"];
      file.results.forEach(({ workload, fingerprint }, i) => {
        const same = other.results[i].fingerprint === fingerprint;
        expect(same, workload).toBe(fixed.includes(workload));
      });
    }, 120_000);
  });
});

describe("options", () => {
  test("--help lists workloads, their options and contenders", async () => {
    const { status, stdout, stderr } = await bench(["--help"]);
    expect(status).toBe(0);
    expect(stderr).toBe("");
    for (const name of [
      ...EVERY,
      "--key-size N",
      "--sizes",
      "js-map-int32",
      "kernel-bpf",
      "compare",
      "plots",
    ]) {
      expect(stdout).toContain(name);
    }
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(130);
  });

  test.each([
    [["no-such-workload"], 'there is no "no-such-workload"'],
    [["--only", "no-such-workload"], 'there is no "no-such-workload"'],
    [["--contenders", "no-such-map"], 'there is no "no-such-map"'],
    [["--sizes", "10x"], "expected a whole number such as 500, 10k or 4M"],
    [["--sizes", "0"], "--sizes: must be at least 1"],
    [["--rounds", "0"], "--rounds: must be at least 1"],
    [["--rounds", "many"], "--rounds: expected a whole number"],
    [["--seed", "4294967296"], "--seed: must be at most 4294967295"],
    [["--fast"], "unknown option '--fast'"],
    [["--round", "3"], "Did you mean --rounds?"],
    [["operations", "--key-size", "8"], "--key-size is an option of hashmap-lookup"],
    [["hashmap-lookup", "--key-size", "3"], "--key-size: must be at least 4"],
    [["threads-read", "--threads", "1,0"], "--threads: must be at least 1"],
    [["threads-read", "--threads", "64"], "--threads: must be at most 63"],
    [["threads-read", "--threads", "1-2"], "--threads: expected a whole number"],
    [["threads-read", "--seconds", "0"], "--seconds: expected a number above 0"],
    [["mixed", "--threads", "2"], "--threads is an option of threads-read"],
    [["--json", "--markdown"], "only one of them can go to standard output"],
  ])("%j is refused", async (args, message) => {
    const { parseOptions } = await import(join(root, "bench/cli/options.mjs"));
    const { UsageError } = await import(join(root, "bench/run/usage_error.mjs"));
    const { WORKLOADS } = await import(join(root, "bench/workloads/index.mjs"));
    const workloads: Record<string, unknown> = {};
    for (const [name, load] of Object.entries(WORKLOADS)) workloads[name] = await (load as () => unknown)();
    const parse = () => {
      const { workloads: names, optionsOf } = parseOptions(args, workloads);
      for (const name of names) optionsOf(name);
    };
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });

  const MISTAKES: [string[], string][] = [
    [["--fast"], "unknown option '--fast'"],
    [["hashmap-lookup", "--key-size", "7"], "multiple of 4"],
    [["plots"], "plots: expected result files, got none"],
    [["hashmap-lookup", "--max-entries", "10"], "500 entries need more room than 10"],
    [["--json", "/no/such/folder/results.json"], "--json: ENOENT"],
    [["compare", "one.json"], "expected two files, got 1"],
    [["plots", "one.json", "--in", "here"], "unknown option '--in'"],
    [["plots", "/no/such/results.json"], "plots: /no/such/results.json: ENOENT"],
  ];
  // A process each.
  test.each(MISTAKES.slice(0, bySize(1, MISTAKES.length)))(
    "%j ends with 2 and points at --help",
    async (args, message) => {
      const { status, stderr } = await bench(args);
      expect(stderr).toContain(message);
      expect(stderr).toContain("--help");
      expect(status).toBe(2);
    },
  );

  test("lists and numbers", async () => {
    const { parseOptions } = await import(join(root, "bench/cli/options.mjs"));
    const none = { operations: {}, mixed: {} };
    const args = "mixed --only operations --sizes 500,10k,1.5M --contenders default,lmdb,bpfmap --json mixed";
    expect(parseOptions(args.split(" "), none)).toMatchObject({
      workloads: ["mixed", "operations"],
      sizes: [500, 10_000, 1_500_000],
      contenders: [...DEFAULT_CONTENDERS, "lmdb"],
      json: "-",
      rounds: 7,
    });
    expect(parseOptions(["all", "--json", "out.json", "--contenders", "all"], none)).toMatchObject({
      workloads: ["operations", "mixed"],
      contenders: expect.arrayContaining(["bpfmap", "kernel-syscall", "sharedmap", "post-message"]),
      json: "out.json",
    });
    expect(parseOptions([], none)).toMatchObject({ workloads: ["operations"], json: undefined });
  });

  inFull(() => {
    test("other key sizes", async () => {
      const { results } = await measure("hashmap-lookup", "--key-size", "16", "--nr-loops", "2k");
      const contenders = results[0].measurements.map(({ contender }) => contender);
      expect(new Set(contenders)).toEqual(new Set(["bpfmap", "js-map"]));
    });
  });

  inFull(() =>
    test("files beside the tables", async () => {
      const json = join(folder, "results.json");
      const markdown = join(folder, "results.md");
      const names = ["drain", "operations"];
      const args = [...names, "--batch", "100", ...TINY, "--sizes", "100"];
      const { status, stdout } = await bench([...args, "--json", json, "--markdown", markdown]);
      expect(status).toBe(0);
      expect(stdout).toMatch(/^Node v/);
      expect(stdout).toMatch(/^100 entries +contender +median +unit +\/ bpfmap +p10 \.\. p90$/m);
      expect(stdout).toMatch(/^lookupMany\(100\) +bpfmap +[\d.,]+ +ns$/m);
      expect(stdout).toMatch(/^ +js-map +[\d.,]+ +ns +[\d.,]+x +[\d.,]+x \.\. [\d.,]+x$/m);
      const { results } = JSON.parse(readFileSync(json, "utf8")) as ResultFile;
      expect(results.map(({ workload }) => workload)).toEqual(names);
      expect(readFileSync(markdown, "utf8")).toContain(
        "| 100 entries | bpfmap | js-map | bare-lines |\n|---|---:|---:|---:|\n",
      );
    }),
  );

  inFull(() => {
    test("pictures of a result file", async () => {
      const json = join(folder, "drawn.json");
      const pictures = join(folder, "pictures");
      expect((await bench(["operations", ...TINY, "--json", json])).status).toBe(0);
      const { status, stdout, stderr } = await bench(["plots", json, "--out", pictures]);
      const path = join(pictures, "ns_per_operation.svg");
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${path}\n`, stderr: "" });
      expect(readFileSync(path, "utf8")).toMatch(/^<svg /);
    });

    test("Ctrl-C gives what was measured until then", async () => {
      const json = join(folder, "interrupted.json");
      const args = ["operations", "mixed", "--sizes", "500", "--rounds", "100000", "--contenders", "bpfmap"];
      const { status, stderr } = await bench([...args, "--json", json], (kill) =>
        // By then the process of the first workload has been started, on a busy machine, too.
        setTimeout(kill, 2000, "SIGINT"),
      );
      expect(stderr).toContain("stopping");
      expect(status).toBe(130);
      const { results } = JSON.parse(readFileSync(json, "utf8")) as ResultFile;
      expect(results.map(({ workload }) => workload)).toEqual(["operations"]);
      expect(results[0].notes).toContain("stopped before its end by Ctrl-C");
    });
  });
});
