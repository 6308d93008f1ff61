// One contender of the workload grow-pause, once.
import { createHost, f64, u32 } from "../../dist/index.js";
import { growAndShrink } from "../latency/grow_and_shrink.mjs";
import { countsOf } from "../latency/histogram.mjs";
import { switchReader } from "../latency/switches.mjs";
import { answer } from "./answer.mjs";

/** Rounds before the one that counts: enough for V8 to have optimised the loops and the maps. */
const WARM_UP = { size: 50_000, rounds: 3 };

const BYTES_PER_ENTRY = 20;

/** What the clock and the machine do by themselves. */
class NoMap {
  set() {}

  delete() {
    return true;
  }
}

/** And what it costs to get as much memory as bpfmap takes: the kernel gives it page by page, when it is first touched. */
class FreshMemory extends NoMap {
  bytes;

  constructor(size) {
    super();
    this.bytes = new Uint8Array(size * BYTES_PER_ENTRY);
  }

  set(_key, value) {
    this.bytes[value * BYTES_PER_ENTRY] = 1;
  }
}

function opener(contender, seed) {
  if (contender === "js-map") return { open: () => new Map(), memoryBytes: () => 0 };
  if (contender === "clock") return { open: () => new NoMap(), memoryBytes: () => 0 };
  if (contender === "fresh-memory") return { open: (size) => new FreshMemory(size), memoryBytes: () => 0 };
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
    const small = Math.min(size, WARM_UP.size);
    const map = open(small);
    growAndShrink(map, { ...run, size: small });
    map.close?.();
  }
  globalThis.gc();
  const map = open(size);
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
