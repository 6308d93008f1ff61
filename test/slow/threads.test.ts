// The jobs of test/threads at full size. How much comes from the environment, as do the seed and, with -t, what is run:
//   TEST_THREAD_HUNT=1000000000 npm run test:slow -- test/slow/threads.test.ts -t hunt
import { testSeed } from "../support/seed.ts";
import {
  countingRuns,
  evictingKillRuns,
  expiryRuns,
  fieldRuns,
  fullRuns,
  growRuns,
  historyRuns,
  huntRuns,
  killRuns,
  lockRuns,
  type Sizes,
  scanRuns,
  sectionRuns,
  stressRuns,
  sweepRuns,
  timerRuns,
  tornRuns,
} from "../threads/runs.ts";
import { testHistories, testRuns } from "../threads/suite.ts";
import { fromEnvironment } from "../threads/workers.ts";

/** Of one run. A hunt takes a second for some million values. */
const LIMIT_MS = 20 * 60 * 1000;
const READS_PER_MS = 100;

const seed = testSeed("slow/threads.test.ts");

/** Shares of a total that all runs of a kind make together. */
const share = (name: string, total: number, runs: (sizes: Sizes) => readonly unknown[]) =>
  Math.ceil(fromEnvironment(name, total) / runs(NONE).length);
const NONE: Sizes = { ms: 1, rounds: 1, reads: 1, kills: 1, attaching: 0, scans: 1, counts: 1 };

const sizes: Sizes = {
  ms: fromEnvironment("TEST_THREAD_MS", 2000),
  rounds: share("TEST_THREAD_HISTORIES", 10_000, historyRuns),
  reads: share("TEST_THREAD_READS", 20_000_000, tornRuns),
  kills: share("TEST_KILLS", 1000, killRuns),
  attaching: 10,
  scans: fromEnvironment("TEST_THREAD_SCANS", 100),
  counts: fromEnvironment("TEST_THREAD_COUNTS", 1_000_000),
};

testHistories(seed, historyRuns(sizes), LIMIT_MS);
const evicting = { ...sizes, kills: share("TEST_EVICTING_KILLS", 500, evictingKillRuns) };
testRuns(seed, evictingKillRuns(evicting), LIMIT_MS);
const hunted = { ...sizes, reads: share("TEST_THREAD_HUNT", 60_000_000, huntRuns) };
testRuns(seed, huntRuns(hunted), LIMIT_MS + hunted.reads / READS_PER_MS);
testRuns(seed, tornRuns(sizes), LIMIT_MS + sizes.reads / READS_PER_MS);
for (const runs of [
  stressRuns,
  sectionRuns,
  killRuns,
  scanRuns,
  sweepRuns,
  countingRuns,
  fieldRuns,
  fullRuns,
  growRuns,
  lockRuns,
  timerRuns,
  expiryRuns,
]) {
  testRuns(seed, runs(sizes), LIMIT_MS);
}
