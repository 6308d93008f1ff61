// Two threads on one memory, in every order of their steps with few preemptions (explorer/explorer.ts). For more:
//   TEST_PREEMPTIONS=3 node node_modules/vitest/vitest.mjs run test/threads/steps/interleavings.test.ts -t "get and split"

import { bySize } from "../../support/size.ts";
import { MEETINGS } from "../explorer/core.ts";
import type { Bounds } from "../explorer/explorer.ts";
import { PROGRAMS } from "../explorer/programs/programs.ts";
import { onOneMap, testInterleavings } from "../explorer/suite.ts";
import { fromEnvironment } from "../workers.ts";

testInterleavings(
  process.env.TEST_PREEMPTIONS
    ? { "at every step": { preemptions: fromEnvironment("TEST_PREEMPTIONS", 1) } }
    : bySize<Readonly<Record<string, Bounds>>>(
        { "one preemption where threads meet": { preemptions: 1, points: MEETINGS } },
        {
          "one preemption at every step": { preemptions: 1 },
          "two where threads meet": { preemptions: 2, points: MEETINGS },
        },
      ),
  process.env.TEST_PREEMPTIONS ? PROGRAMS : bySize(onOneMap(PROGRAMS), PROGRAMS),
);
