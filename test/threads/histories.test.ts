// Histories of a few threads on a few keys, each of which must be linearizable (jobs/histories.mjs, linearizability.ts).
import { testSeed } from "../support/seed.ts";
import { historyRuns, SMALL } from "./runs.ts";
import { testHistories } from "./suite.ts";

testHistories(testSeed("threads/histories.test.ts"), historyRuns(SMALL));
