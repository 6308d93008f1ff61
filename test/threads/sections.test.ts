// One thread writes while others open and close sections (jobs/sections.mjs).
import { testSeed } from "../support/seed.ts";
import { every, SMALL, sectionRuns } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/sections.test.ts"), every(3, sectionRuns(SMALL)));
