// The counted build, the counted workload, and the check against a baseline.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { measureApart } from "../../bench/counters/apart.mjs";
// @ts-expect-error plain JavaScript
import { changesText, compare, differences } from "../../bench/counters/compare.mjs";
// @ts-expect-error plain JavaScript
import { COUNTERS, loadCounted } from "../../bench/counters/cores.mjs";
import { NOBODY } from "../../src/generated/abi.js";
import { createHost, type Host, type HostOptions, u32, u53, useWasm } from "../../src/index.ts";
import { BUILD_MS, builtRoot } from "../support/built.ts";
import { bySize, inFull } from "../support/size.ts";

type Counts = Record<string, number>;
interface Case {
  bytesPerEntry: number;
  fingerprint: string;
  operations: Record<string, Counts>;
}
interface Measurement {
  cases: Record<string, Case>;
}

let root: string;
beforeAll(() => {
  root = builtRoot();
}, BUILD_MS);

describe("the counted build", () => {
  let read: (host: Host) => Counts;
  let release: Uint8Array;
  let host: Host;

  beforeAll(async () => {
    const counted = await loadCounted();
    read = counted.read;
    release = readFileSync(join(root, "build/core.wasm"));
    useWasm(counted.module);
    host = createHost({ seed: 1 } satisfies HostOptions);
  }, BUILD_MS);
  afterAll(() => useWasm(release));

  /** What `work` counts. */
  function counts(work: () => void): Counts {
    const before = read(host);
    work();
    const after = read(host);
    return Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - before[name]]));
  }

  const NOTHING = { probes: 0, overflowVisits: 0, tagFalseHits: 0, bytesCopied: 0 };
  const keys = [1, 2, 3, 4, 5];

  test("the layout of keys: one probe for a key in its bucket", () => {
    const map = host.createMap({ type: "rhash", key: u32, value: u53, maxEntries: 1000 });
    const set = () => {
      for (const key of keys) map.set(key, 10 * key);
    };
    expect(counts(set)).toEqual({ ...NOTHING, probes: 5, bytesCopied: 5 * 4 });
    expect(counts(set)).toEqual({ ...NOTHING, probes: 5 });
    expect(counts(() => keys.map((key) => map.get(key)))).toEqual({ ...NOTHING, probes: 5 });
    // The bucket of each key is staged, values are copied out.
    const values = new BigUint64Array(5);
    expect(counts(() => map.lookupMany(keys, values))).toEqual({
      ...NOTHING,
      probes: 5,
      bytesCopied: 5 * (4 + 8),
    });
    expect(counts(() => map.delete(1))).toEqual({ ...NOTHING, probes: 1 });
    map.close();
  });

  test("a chain: a probe and a visit for each of its blocks", () => {
    const map = host.createMap({ type: "rhash", key: u32, value: u53, maxEntries: 1000 });
    host.section(() => {
      for (let key = 0; key < 50; key++) map.set(key, key); // one bucket, as a section postpones splits
      const { overflowBlocks } = map.stats();
      expect(overflowBlocks).toBe(10);
      expect(counts(() => map.get(1000))).toEqual({ ...NOTHING, probes: 11, overflowVisits: 10 });
    });
    map.close();
  });

  test("tags: keys compared in vain", () => {
    const map = host.createMap({ type: "rhash", key: u53, value: u53, maxEntries: 10_000 });
    host.section(() => {
      for (let key = 0; key < 5000; key++) map.set(key, key);
      const { probes, overflowVisits, tagFalseHits } = counts(() => map.get(2 ** 40));
      expect(overflowVisits).toBe(probes - 1);
      // 5000 keys in the chain, 254 tags.
      expect(tagFalseHits).toBeGreaterThan(5);
      expect(tagFalseHits).toBeLessThan(50);
    });
    map.close();
  });

  test("the words behind the counters and those of the release build stay untouched", () => {
    const end = Math.max(...Object.values(COUNTERS as Counts)) + 8;
    const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);
    expect(isZero(host.u8.subarray(end, NOBODY))).toBe(true);
    expect(isZero(host.u8.subarray(384, end))).toBe(false);
    useWasm(release);
    const other = createHost({ seed: 1 });
    const map = other.createMap({ type: "rhash", key: u53, value: u53, maxEntries: 10_000 });
    for (let key = 0; key < 1000; key++) map.set(key, key);
    expect(isZero(other.u8.subarray(384, NOBODY))).toBe(true);
  });
});

describe("the check against a baseline", () => {
  const NAME = "rhash u32 -> u53, 10k";
  let text: string;
  let folder: string;

  beforeAll(() => {
    // What a measurement is like, by the last one that was kept.
    text = bySize(() => readFileSync(join(root, "bench/baseline.json"), "utf8"), measureApart)();
    folder = mkdtempSync(join(tmpdir(), "bpfmap-baseline-"));
  }, BUILD_MS);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Compares with a baseline that `change` has made of the counts. */
  function compared(change: (baseline: Measurement) => void) {
    const baseline = JSON.parse(text) as Measurement;
    change(baseline);
    return compare(baseline, JSON.parse(text));
  }

  test("finds nothing in equal counts", () => {
    expect(compared(() => {})).toEqual({ worse: [], better: [], problems: [] });
  });

  test.each(["instructions", "probes"])("%s: a rise of 3 %% fails, one of 1 %% does not", (counter) => {
    const raised = (factor: number) =>
      compared(({ cases }) => {
        cases[NAME].operations["get, present"][counter] /= factor;
      });
    expect(raised(1.03).worse).toMatchObject([{ what: `${NAME}: get, present`, unit: counter }]);
    expect(raised(1.03).worse[0].change).toBeCloseTo(0.03, 10);
    expect(changesText(raised(1.03).worse)).toContain("+3.00 %");
    expect(raised(1.01)).toEqual({ worse: [], better: [], problems: [] });
    expect(raised(1 / 1.03)).toMatchObject({ worse: [], better: [{ unit: counter }], problems: [] });
  });

  test("bytes per entry: a rise of 1.5 % fails, one of 0.5 % does not", () => {
    const raised = (factor: number) =>
      compared(({ cases }) => {
        cases[NAME].bytesPerEntry /= factor;
      });
    expect(raised(1.015).worse).toMatchObject([{ what: NAME, unit: "bytesPerEntry" }]);
    expect(raised(1.005).worse).toEqual([]);
  });

  test("a count that was 0", () => {
    const { worse } = compared(({ cases }) => {
      cases[NAME].operations["get, present"].probes = 0;
    });
    expect(worse).toMatchObject([{ unit: "probes", before: 0, change: Number.POSITIVE_INFINITY }]);
  });

  test("a case or an operation that only one side has fails, and other results", () => {
    const extra = compared(({ cases }) => {
      cases.extra = cases[NAME];
    });
    expect(extra.problems).toEqual(["extra: in the baseline, but not measured"]);
    const missing = compared(({ cases }) => {
      delete cases[NAME];
    });
    expect(missing.problems).toEqual([`${NAME}: measured, but not in the baseline`]);
    const operation = compared(({ cases }) => {
      delete cases[NAME].operations.scan;
    });
    expect(operation.problems).toEqual([`${NAME}: scan: measured, but not in the baseline`]);
    const other = compared(({ cases }) => {
      cases[NAME].fingerprint = "0123456789abcdef";
    });
    expect(other.problems).toHaveLength(1);
    expect(other.problems[0]).toContain("instead of 0123456789abcdef");
  });

  test("differences names every count that differs", () => {
    const other = JSON.parse(text) as Measurement;
    other.cases[NAME].operations.scan.pages++;
    const { pages } = other.cases[NAME].operations.scan;
    expect(differences(JSON.parse(text), other)).toEqual([
      `cases: ${NAME}: operations: scan: pages: ${pages - 1} and ${pages}`,
    ]);
  });

  const check = (...args: string[]) => {
    const script = join(root, "bench/counters/check.mjs");
    return spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  };

  // They measure: npm run test:all.
  inFull(() => {
    test("the command: a planted rise ends it with status 1", () => {
      const file = join(folder, "baseline.json");
      const planted = JSON.parse(text) as Measurement;
      planted.cases[NAME].operations["set, existing"].instructions /= 1.03;
      writeFileSync(file, JSON.stringify(planted));
      const failed = check(file);
      expect(failed.stdout).toContain("worse than the baseline");
      // Also where nothing of it has changed.
      expect(failed.stdout).toContain(`${NAME}: ${planted.cases[NAME].fingerprint}\n`);
      expect(failed.stdout).toMatch(/set, existing +instructions per operation .* \+3\.00 % +2 %/);
      expect(failed.status).toBe(1);
      expect(check("--repeat", "none").status).toBe(2);
    });

    test("the command: --update makes the counts the baseline", () => {
      const file = join(folder, "baseline.json");
      expect(check(file, "--update", "--repeat", "2").status).toBe(0);
      // Another process, the same counts.
      expect(readFileSync(file, "utf8")).toBe(text);
    });
  });
});
