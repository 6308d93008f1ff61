// The tests of the protocol for threads at full size: a thread is killed at every step of every operation, and two threads go through
// every order of their steps with up to two preemptions, or three where threads meet.

import { MEETINGS } from "../threads/explorer/core.ts";
import { testInterleavings, testKills } from "../threads/explorer/suite.ts";

const ALL = 1_000_000;

testKills({ steps: ALL, recoverySteps: 40, recoveries: 10, cases: 1 });
testInterleavings({
  "two preemptions at every step": { preemptions: 2 },
  "three where threads meet": { preemptions: 3, points: MEETINGS },
});
