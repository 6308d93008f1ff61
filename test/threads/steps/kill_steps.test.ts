// A thread may die between any two steps of the protocol: here it does, and the others must find everything in order
// (explorer/kills/kill.ts). At some of the steps of long operations; TEST_KILL_STEPS=all kills at all of them.

import { bySize } from "../../support/size.ts";
import { testKills } from "../explorer/suite.ts";

const ALL = 1_000_000;

testKills(
  process.env.TEST_KILL_STEPS === "all"
    ? { steps: ALL, recoverySteps: ALL, recoveries: 5, cases: 1 }
    : bySize(
        { steps: 1, recoverySteps: 1, recoveries: 1, cases: 13 },
        { steps: 6, recoverySteps: 2, recoveries: 2, cases: 1 },
      ),
);
