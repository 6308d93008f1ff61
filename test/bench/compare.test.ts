// `npm run bench -- compare`: two result files beside each other.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { BUILD_MS, builtRoot } from "../support/built.ts";
import { type Ended, runBench } from "./program.ts";

let root: string;
let folder: string;
beforeAll(() => {
  root = builtRoot();
  folder = mkdtempSync(join(tmpdir(), "bpfmap-compare-"));
}, BUILD_MS);
afterAll(() => rmSync(folder, { recursive: true }));

describe("compare", () => {
  const OURS = [100, 101, 102, 103, 104];
  /** In another order, so that the ratios have a spread of their own. */
  const THEIRS = [206, 202, 200, 208, 204];

  /** A result file of one row. */
  function write(
    name: string,
    ours: number[],
    theirs: number[],
    changes: object = {},
    head: object = {},
  ): string {
    const measurement = { size: 500, operation: "get", unit: "ns" };
    const result = {
      workload: "operations",
      title: "",
      unit: "ns",
      parameters: {},
      fingerprint: "0123456789abcdef",
      measurements: [
        { ...measurement, contender: "bpfmap", rounds: ours },
        { ...measurement, contender: "js-map", rounds: theirs },
      ],
      skipped: [],
      notes: [],
      ...changes,
    };
    const machine = { node: "v20.0.0", v8: "11", cpu: "x", cores: 2, kernel: "Linux", seed: 1 };
    const path = join(folder, `${name}.json`);
    writeFileSync(path, JSON.stringify({ ...machine, ...head, results: [result] }));
    return path;
  }

  /** What the command does, in this process. */
  async function run(...args: string[]): Promise<Ended> {
    const { compare } = await import(join(root, "bench/cli/compare.mjs"));
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const text = (spy: typeof log) => spy.mock.calls.map(([line]) => `${line}\n`).join("");
    try {
      return { status: compare(args), stdout: text(log), stderr: text(error) };
    } finally {
      vi.restoreAllMocks();
    }
  }

  const times = (numbers: number[], factor: number) => numbers.map((number) => number * factor);

  test("the same is quiet", async () => {
    const old = write("old", OURS, THEIRS);
    const { status, stdout, stderr } = await runBench(root, ["compare", old, old]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.trim()).toBe("3 compared: 0 slower, 0 faster, the rest within the spreads");
  });

  test("a change within the spread is quiet", async () => {
    const now = write("within", times(OURS, 1.02), THEIRS);
    expect((await run(write("old", OURS, THEIRS), now)).status).toBe(0);
  });

  test("slower by more than both spreads is flagged, as a time and as a ratio", async () => {
    const files = [write("old", OURS, THEIRS), write("slower", times(OURS, 1.2), THEIRS)];
    const { status, stdout } = await run(...files);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^slower +operations, 500: get +bpfmap +102 .* \+20 %$/m);
    expect(stdout).toMatch(/^slower +operations, 500: get +js-map \/ bpfmap .* -1\d %$/m);
    expect(stdout).toContain("3 compared: 2 slower, 0 faster");
    const { status: jsonStatus, stdout: json } = await run(...files, "--json");
    expect(jsonStatus).toBe(1);
    expect(JSON.parse(json)).toMatchObject({ slower: 2, faster: 0, warnings: [] });
  });

  test("a machine that is slower for all is no change of a ratio", async () => {
    const now = write("machine", times(OURS, 1.2), times(THEIRS, 1.2));
    const { stdout } = await run(write("old", OURS, THEIRS), now, "--json");
    const { lines } = JSON.parse(stdout) as { lines: { contender: string; verdict: string }[] };
    expect(lines.map(({ contender, verdict }) => `${contender}: ${verdict}`)).toEqual([
      "bpfmap: slower",
      "js-map: slower",
      "js-map / bpfmap: same",
    ]);
  });

  test("faster is no failure", async () => {
    const now = write("faster", times(OURS, 0.8), THEIRS);
    const { status, stdout } = await run(write("old", OURS, THEIRS), now);
    expect(status).toBe(0);
    expect(stdout).toContain("0 slower, 2 faster");
  });

  test("of rates, less is slower", async () => {
    const rates = (name: string, ours: number[], theirs: number[]) => {
      const measurement = { size: 500, operation: "get, 2 threads", unit: "Mops/s" };
      const measurements = [
        { ...measurement, contender: "bpfmap", rounds: ours },
        { ...measurement, contender: "js-map", rounds: theirs },
      ];
      return write(name, [], [], { measurements });
    };
    const { status, stdout } = await run(
      rates("old", THEIRS, OURS),
      rates("slower", times(THEIRS, 0.8), OURS),
      "--json",
    );
    expect(status).toBe(1);
    const { lines } = JSON.parse(stdout) as { lines: { contender: string; verdict: string }[] };
    expect(lines.map(({ contender, verdict }) => `${contender}: ${verdict}`)).toEqual([
      "bpfmap: slower",
      "js-map: same",
      "js-map / bpfmap: slower",
    ]);
  });

  test("different work is refused", async () => {
    const now = write("different", OURS, THEIRS, { fingerprint: "fedcba9876543210" });
    await expect(run(write("old", OURS, THEIRS), now)).rejects.toThrow("operations did different work");
  });

  test("another workload is refused", async () => {
    const now = write("other", OURS, THEIRS, { workload: "mixed" });
    await expect(run(write("old", OURS, THEIRS), now)).rejects.toThrow("no workload in common");
  });

  test("another machine or Node is a warning", async () => {
    const now = write("node", OURS, THEIRS, {}, { node: "v24.0.0", cpu: "y" });
    const { status, stderr } = await run(write("old", OURS, THEIRS), now);
    expect(stderr).toBe("warning: node differs: v20.0.0 and v24.0.0\nwarning: cpu differs: x and y\n");
    expect(status).toBe(0);
  });
});
