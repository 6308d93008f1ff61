// One contender of the workload grow-pause, once.
import { createHost, f64, u32 } from "../../dist/index.js";
import { growAndShrink } from "../latency/grow_and_shrink.mjs";
import { countsOf } from "../latency/histogram.mjs";
import { switchReader } from "../latency/switches.mjs";
import { answer } from "./answer.mjs";

/** Rounds before the one that counts: enough for V8 to have optimised the loops and the maps. */
const WARM_UP = { size: 50_000, rounds: 3 };

/** What the clock and the machine do by themselves. */
class NoMap {
  set() {}

  delete() {
    return true;
  }
}

function opener(contender, seed) {
  if (contender === "js-map") return { open: () => new Map(), memoryBytes: () => 0 };
  if (contender === "clock") return { open: () => new NoMap(), memoryBytes: () => 0 };
  const host = createHost({ seed });
  return {
    open: () => host.createMap({ type: "rhash", key: u32, value: f64, maxEntries: 2 ** 31 - 1 }),
    memoryBytes: () => host.u8.length,
  };
}

answer(({ contender, size, seed }) => {
  const { open, memoryBytes } = opener(contender, seed);
  const collect = () => globalThis.gc({ type: "minor" });
  const run = { size, seed, collect, memoryBytes, readSwitches: switchReader() };
  for (let i = 0; i < WARM_UP.rounds; i++) {
    const map = open();
    growAndShrink(map, { ...run, size: Math.min(size, WARM_UP.size) });
    map.close?.();
  }
  globalThis.gc();
  const map = open();
  const { insert, delete: remove, curve, removed } = growAndShrink(map, run);
  if (removed !== size) throw new Error(`${contender} had ${removed} of ${size} keys`);
  return {
    insert: sent(insert),
    delete: sent(remove),
    curve,
    work: contender === "bpfmap" ? map.stats().maxPerCall : undefined,
  };
});

const sent = ({ histogram, worstUndisturbed, slowest }) => ({
  ...countsOf(histogram),
  worstUndisturbed,
  slowest,
});
