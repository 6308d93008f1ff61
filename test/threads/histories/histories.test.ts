// Histories of a few threads on a few keys, each of which must be linearizable (jobs/histories.mjs, linearizability.ts).
import { testSeed } from "../../support/seed.ts";
import { every, historyRuns, SMALL } from "../runs.ts";
import { testHistories } from "../suite.ts";

testHistories(testSeed("threads/histories/histories.test.ts"), every(3, historyRuns(SMALL)));
