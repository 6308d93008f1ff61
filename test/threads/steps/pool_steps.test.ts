// All threads of a pool may die, each between any two steps of the protocol, and whoever clears up behind them, too (explorer/kills/pool.ts). At
// some of the steps; TEST_KILL_STEPS=all: at all of them.
import { bySize } from "../../support/size.ts";
import { testPools } from "../explorer/suite.ts";

const ALL = 1_000_000;

testPools(
  process.env.TEST_KILL_STEPS === "all"
    ? { steps: ALL, clearingSteps: 5 }
    : bySize({ steps: 2, clearingSteps: 1 }, { steps: 4, clearingSteps: 2 }),
);
