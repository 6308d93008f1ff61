// Pools of busy workers, terminated at once, at full size, and how long that kept the main thread. How many pools of four comes from the
// environment; for each five of them there are two of eight:
//   TEST_POOLS=500 npm run test:slow -- test/slow/pools.test.ts
// A waiter that does not ask whether the owner of a lock is gone shows within 38 pools, whatever the seed. One that does not see that the
// recoverer of a dead thread is dead, too, needs more luck: with one seed of three in 150 pools. threads/steps/pool_steps goes through
// the steps of such deaths one by one.
//
// Two clocks are printed, the limits are for the second one:
//   ms    what passed between the beginning of a call or listener of the main thread and its end.
//   own   the same without the time in which the main thread could have run and the system ran something else (schedstat of Linux): five
//         to nine busy threads share the cores here, and tens of milliseconds in a queue say nothing about this library. Whatever the
//         thread waits for by itself, a lock or a dying worker, is in it. Where the system does not count, it is `ms`.
import { beforeAll, expect, test } from "vitest";
import { BUILD_MS, builtRoot } from "../support/built.ts";
import { testSeed } from "../support/seed.ts";
import { poolRuns } from "../threads/runs.ts";
import { fromEnvironment, runJob } from "../threads/workers.ts";

const LIMIT_MS = 60 * 60 * 1000;
/** What may keep the main thread, in ms of its own: a call that waits for a dead worker, and what its end calls. */
const MOST_MS = 50;
const P99_MS = 10;

interface Summary {
  readonly count: number;
  /** By the two clocks above. */
  readonly ms: { readonly median: number; readonly p99: number; readonly most: number };
  readonly own: { readonly median: number; readonly p99: number; readonly most: number };
}

interface Result {
  readonly counts: number;
  readonly calls: Summary;
  readonly listeners: Summary;
}

const seed = testSeed("slow/pools.test.ts");
const fours = fromEnvironment("TEST_POOLS", 150);

beforeAll(builtRoot, BUILD_MS);
test.each(poolRuns({ 4: fours, 8: Math.ceil((fours * 2) / 5) }))("$name", async ({ job, options }) => {
  const result = await runJob<Result>({ job, seed, options, limit: LIMIT_MS });
  console.log(`TEST_SEED=${seed} ${job} ${JSON.stringify(options)}: ${JSON.stringify(result)}`);
  expect(result.counts).toBeGreaterThan(0);
  for (const { count, own } of [result.calls, result.listeners]) {
    expect(own.most).toBeLessThanOrEqual(MOST_MS);
    // Of fewer, the 99th percentile is the longest.
    if (count >= 100) expect(own.p99).toBeLessThanOrEqual(P99_MS);
  }
});
