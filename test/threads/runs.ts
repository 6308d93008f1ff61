/** The runs of the jobs, by sizes: small in `npm test` and on the browser's page, large in test/slow/threads.test.ts. */
import type { Shape } from "./histories/histories.ts";

export interface Run {
  readonly job: string;
  /** What tells it from the other runs of the job. */
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface Sizes {
  /** ms of each stress run. */
  readonly ms: number;
  /** Histories of each kind of map. */
  readonly rounds: number;
  /** Values read in each hunt. */
  readonly reads: number;
  /** Kills of each kind of map. */
  readonly kills: number;
  /** Per 100 kills, how many more threads are killed while they start. */
  readonly attaching: number;
  /** Scans and drains of each kind of map. */
  readonly scans: number;
  /** Counts of each thread. */
  readonly counts: number;
}

const LAYOUTS = ["u32 to u32", "u32 to u53", "8 to 8 bytes", "16 to 16 bytes", "u32 to 200 bytes"];

export function stressRuns({ ms }: Sizes): Run[] {
  const run = (type: string, layout: string, keys: number, threads: number, others = "read"): Run => ({
    job: "stress",
    name: `${type}, ${layout}, ${keys} keys, ${threads} threads, others ${others}`,
    options: { type, layout, keys, threads, others, ms: keys > 1000 ? 2 * ms : ms },
  });
  return [
    ...LAYOUTS.map((layout, i) => run("rhash", layout, 8, 2 + (i % 3))),
    ...LAYOUTS.map((layout, i) => run("rhash", layout, 8, 4 - (i % 3), "delete")),
    run("rhash", "u32 to u32, few keys", 1000, 3, "clear"),
    run("rhash", "16 to 16 bytes", 100, 3, "clear"),
    run("rhash", "u32 to u53", 100_000, 3),
    run("rhash", "8 to 8 bytes", 100_000, 3, "delete"),
    run("rhash", "16 to 16 bytes", 100_000, 4),
    run("rhash", "u32 to 200 bytes", 20_000, 6),
    run("hash", "u32 to u32, few keys", 8, 3),
    run("hash", "8 to 8 bytes", 8, 3, "delete"),
    run("hash", "16 to 16 bytes", 1000, 3, "delete"),
    run("hash", "u32 to 200 bytes", 8, 3),
    run("array", "u32 to u32, few keys", 8, 3),
    run("array", "u32 to 200 bytes", 100, 3),
  ];
}

/** Nothing but reads against writers: several million in a second. */
export function huntRuns({ reads }: Sizes): Run[] {
  const run = (keys: number, writers: number, readers: number): Run => ({
    job: "hunt",
    name: `${keys} keys, ${writers} writers, ${readers} readers`,
    options: { keys, writers, readers, reads },
  });
  return [run(4, 1, 1), run(64, 1, 2), run(1000, 2, 2)];
}

export function sectionRuns({ ms }: Sizes): Run[] {
  const run = (type: string, layout: string, keys: number, threads: number, inside: number): Run => ({
    job: "sections",
    name: `${type}, ${layout}, ${keys} keys, ${threads} threads`,
    options: { type, layout, keys, threads, inside, ms },
  });
  return [
    run("rhash", "u32 to u32, few keys", 40, 1, 300),
    run("rhash", "u32 to u53", 8, 1, 30_000),
    run("rhash", "16 to 16 bytes", 8, 1, 3000),
    run("rhash", "16 to 16 bytes", 300, 2, 3000),
    run("rhash", "u32 to 200 bytes", 40, 1, 3000),
    run("hash", "16 to 16 bytes", 8, 1, 3000),
  ];
}

export function historyRuns({ rounds }: Sizes): (Run & { readonly options: Shape })[] {
  const run = (type: string, layout: string, threads = 3, keys = 3, calls = 12) => ({
    job: "histories",
    name: `${type}, ${layout}, ${threads} threads, ${keys} keys`,
    options: { type, layout, threads, keys, calls, rounds },
  });
  return [
    run("rhash", "u32"),
    run("rhash", "u53"),
    run("rhash", "u53 key"),
    run("rhash", "struct key", 2, 1),
    run("rhash", "16 to 16 bytes"),
    run("rhash", "u32 to 200 bytes"),
    run("hash", "u53", 3, 1),
    run("hash", "16 to 16 bytes"),
    run("array", "u53"),
    run("array", "u32 to 200 bytes", 3, 1),
  ];
}

export function tornRuns({ reads }: Sizes): Run[] {
  const run = (type: string, size: number | "u53", keys = 16, writers = 2, readers = 2): Run => ({
    job: "torn",
    name: `${type}, ${size === "u53" ? size : `${size} bytes`}`,
    options: { type, size, keys, writers, readers, reads },
  });
  const sizes = [8, 16, 24, 40, 64, 200, 1024, 4096];
  return [
    run("rhash", "u53", 100),
    ...sizes.map((size) => run("rhash", size, size > 64 ? 8 : 40)),
    ...sizes.filter((size) => size !== 16 && size !== 40).map((size) => run("hash", size)),
    ...sizes.filter((size) => size !== 16 && size !== 1024).map((size) => run("array", size)),
    run("percpu_hash", "u53"),
    run("percpu_array", "u53"),
  ];
}

export function killRuns({ kills, attaching }: Sizes): Run[] {
  const run = (type: string, layout: string, keys: number): Run => ({
    job: "kill",
    name: `${type}, ${layout}, ${keys} keys`,
    options: { type, layout, keys, kills, attaching },
  });
  return [
    run("rhash", "u32 to u53", 400),
    run("rhash", "8 to 8 bytes", 400),
    run("rhash", "16 to 16 bytes", 30),
    run("rhash", "u32 to 200 bytes", 400),
    run("hash", "16 to 16 bytes", 100),
    run("array", "u32 to u53", 30),
  ];
}

/** Full maps that evict, and whose entries expire. */
export function evictingKillRuns({ kills }: Sizes): Run[] {
  const run = (type: string, layout: string, maxEntries: number, ttl?: number): Run => ({
    job: "kill_evicting",
    name: `${ttl === undefined ? "" : "expiring "}${type}, ${layout}, ${maxEntries} entries`,
    options: { type, layout, maxEntries, kills, ttl },
  });
  return [
    run("lru_hash", "u32 to u53", 300),
    run("lru_hash", "u32 to u53", 300, 2),
    run("lru_hash", "16 to 16 bytes", 300),
    run("lru_percpu_hash", "u32 to u53", 300, 2),
    run("lru_hash", "text to 16 bytes", 300),
    run("lru_hash", "u32 to u32", 300, 2),
    run("lru_percpu_hash", "u32 to u53", 300),
    run("lru_hash", "text to 16 bytes", 300, 2),
    run("lru_hash", "u32 to 200 bytes", 31),
    run("lru_hash", "16 to 16 bytes", 300, 2),
  ];
}

/** Deaths that the event loop cannot tell of: only Linux tells siblings. */
export function deathRuns(rounds: number, platform: string): Run[] {
  const all = platform === "linux" ? ["parent", "sibling"] : ["parent"];
  return all.map((waits) => ({ job: "deaths", name: `the ${waits} waits`, options: { waits, rounds } }));
}

/** Pools of so many members, terminated at once, so many times. */
export function poolRuns(pools: Readonly<Record<number, number>>): Run[] {
  return Object.entries(pools).map(([members, count]) => ({
    job: "pools",
    name: `${count} pools of ${members}`,
    options: { members: Number(members), pools: count },
  }));
}

export function scanRuns({ scans }: Sizes): Run[] {
  const run = (type: string, layout: string, stable: number, passing: number): Run => ({
    job: "scan",
    name: `${type}, ${layout}, ${stable} keys that stay`,
    options: {
      type,
      layout,
      stable,
      passing,
      writers: 2,
      scanners: 1,
      scans,
      drains: Math.max(4, Math.ceil(scans / 2)),
    },
  });
  return [
    run("rhash", "u32 to u53", 500, 1000),
    run("rhash", "8 to 8 bytes", 500, 1000),
    run("rhash", "16 to 16 bytes", 50, 300),
    run("rhash", "u32 to 200 bytes", 500, 1000),
    run("hash", "16 to 16 bytes", 500, 1000),
  ];
}

export function countingRuns({ counts }: Sizes): Run[] {
  const run = (type: string, value: string, keys: number, threads: number): Run => ({
    job: "percpu",
    name: `${type} of ${value}, ${keys} keys, ${threads} threads`,
    options: { type, value, keys, threads, counts },
  });
  return [
    run("percpu_hash", "u53", 50, 3),
    run("percpu_hash", "u32", 1, 2),
    run("percpu_hash", "u53", 2000, 4),
    run("percpu_hash", "pair", 50, 3),
    run("percpu_array", "u53", 50, 3),
  ];
}

export function fieldRuns({ counts }: Sizes): Run[] {
  const run = (type: string, value: string, keys: number, threads: number): Run => ({
    job: "fields",
    name: `${type} of ${value}, ${keys} keys, ${threads} threads`,
    options: { type, value, keys, threads, counts: Math.ceil(counts / 2) },
  });
  return [
    run("rhash", "flow", 20, 2),
    run("rhash", "small", 500, 2),
    run("array", "flow", 5, 2),
    run("array", "small", 5, 3),
    run("percpu_hash", "flow", 20, 3),
    run("percpu_array", "flow", 20, 2),
  ];
}

export function sweepRuns({ counts }: Sizes): Run[] {
  const run = (type: string, value: string, keys: number, sweepers: number): Run => ({
    job: "sweep",
    name: `${type}, ${value}, ${keys} keys, ${sweepers} sweepers`,
    options: { type, value, keys, counters: 2, sweepers, counts: Math.ceil(counts / 10) },
  });
  return [
    run("rhash", "keys", 50, 2),
    run("rhash", "tags", 500, 2),
    run("rhash", "refs", 50, 3),
    run("hash", "keys", 500, 1),
    run("hash", "refs", 500, 2),
  ];
}

export function fullRuns({ counts }: Sizes): Run[] {
  const run = (type: string, layout: string, maxEntries: number, threads: number): Run => ({
    job: "full",
    name: `${type}, ${layout}, maxEntries ${maxEntries}, ${threads} threads`,
    options: { type, layout, maxEntries, threads, churn: Math.ceil(counts / 4) },
  });
  return [
    run("rhash", "u32 to u53", 1, 3),
    run("rhash", "u32 to u53", 1000, 4),
    run("rhash", "u32 to 200 bytes", 100, 3),
    run("hash", "16 to 16 bytes", 1000, 4),
    run("hash", "u32 to u53", 10, 3),
  ];
}

export function growRuns({ counts }: Sizes): Run[] {
  const run = (type: string, layout: string, threads: number, hookless = 0): Run => ({
    job: "grow",
    name: `${type}, ${layout}, ${threads} threads, ${hookless} without a hook`,
    options: { type, layout, threads, hookless, entries: Math.min(100_000, Math.ceil(counts / 3)) },
  });
  return [
    run("array", "u32 to u53", 3),
    run("array", "u32 to 200 bytes", 4),
    run("array", "u32 to u32", 3, 1),
    run("rhash", "u32 to u53", 4),
    run("rhash", "16 to 16 bytes", 3),
    run("rhash", "u32 to 200 bytes", 3, 1),
  ];
}

export function lockRuns({ counts }: Sizes): Run[] {
  return ["rhash", "hash", "array"].map((type) => ({
    job: "lock",
    name: type,
    options: { type, threads: 3, counts: Math.ceil(counts / 4) },
  }));
}

export function timerRuns({ counts }: Sizes): Run[] {
  const run = (type: string, layout: string): Run => ({
    job: "timers",
    name: `${type}, ${layout}`,
    options: { type, layout, threads: 2, counts: Math.ceil(counts / 60) },
  });
  return [run("rhash", "tags"), run("hash", "refs"), run("rhash", "refs"), run("array", "tags")];
}

export function expiryRuns({ counts }: Sizes): Run[] {
  const run = (type: string, layout: string): Run => ({
    job: "expiry",
    name: `${type}, ${layout}`,
    options: { type, layout, threads: 3, counts: Math.ceil(counts / 10) },
  });
  return [
    run("hash", "u32 to u32"),
    run("rhash", "16 to 16 bytes"),
    run("rhash", "u32 to u53"),
    run("hash", "text to 16 bytes"),
  ];
}

/** Every `step`-th of the runs, the first one included. */
export const every = <R extends Run>(step: number, runs: readonly R[]): R[] =>
  runs.filter((_, i) => i % step === 0);

/** Of `npm test`: every job on some of its maps, each long enough for its threads to meet. test/slow/threads.test.ts has the rest. */
export const SMALL: Sizes = {
  ms: 50,
  rounds: 50,
  reads: 20_000,
  kills: 3,
  attaching: 10,
  scans: 2,
  counts: 6000,
};
