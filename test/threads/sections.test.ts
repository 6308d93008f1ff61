// One thread writes while others open and close sections (jobs/sections.mjs).
import { testSeed } from "../support/seed.ts";
import { SMALL, sectionRuns } from "./runs.ts";
import { testRuns } from "./suite.ts";

testRuns(testSeed("threads/sections.test.ts"), sectionRuns(SMALL));
