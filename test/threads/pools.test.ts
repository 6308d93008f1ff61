// Threads that end: pools of busy workers, terminated at once (jobs/pools.mjs; in the large: test/slow/pools.test.ts), and deaths that the
// event loop cannot tell of (jobs/deaths.mjs).
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";
import { deathRuns, poolRuns } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/pools.test.ts"), [
  ...deathRuns(bySize(1, 4), process.platform),
  ...poolRuns({ 4: bySize(1, 10) }),
]);
