// The two cores that count: the target "counted" of asconfig.json, whose source counts what it does (assembly/counting.ts), and
// the release core with a counter in every basic block. Both are built when they are out of date, and dist/ with them.

import { readFileSync } from "node:fs";
import binaryen from "binaryen";
import { buildCore, buildPackage } from "../../scripts/build.mjs";
import {
  COUNTER_BYTES_COPIED,
  COUNTER_OVERFLOW_VISITS,
  COUNTER_PROBES,
  COUNTER_TAG_FALSE_HITS,
} from "../../src/generated/abi.js";
import { executedByFunction, instrument } from "./instrument.mjs";

/** The counters of assembly/counting.ts: addresses of u64 in host memory. */
export const COUNTERS = {
  probes: COUNTER_PROBES,
  overflowVisits: COUNTER_OVERFLOW_VISITS,
  tagFalseHits: COUNTER_TAG_FALSE_HITS,
  bytesCopied: COUNTER_BYTES_COPIED,
};

/** @typedef {{ module: WebAssembly.Module, read(host: import("../../dist/index.js").Host): Record<string, number> }} CountingCore */

/** @returns {Promise<CountingCore>} */
export async function loadCounted() {
  return {
    module: new WebAssembly.Module(readFileSync(await buildCore("counted"))),
    read(host) {
      host.refresh(); // growth detaches the views
      const values = {};
      for (const [name, address] of Object.entries(COUNTERS)) {
        values[name] = host.view.getUint32(address, true) + host.view.getUint32(address + 4, true) * 2 ** 32;
      }
      return values;
    },
  };
}

/** @returns {Promise<CountingCore & { executed(host): number[] }>} `executed`: the instructions of each function, in their order */
export async function loadInstrumented() {
  await buildPackage();
  const { binary, blocks } = instrument(readFileSync(await buildCore("release")));
  const executed = (host) => executedByFunction(host.core, blocks);
  return {
    module: new WebAssembly.Module(binary),
    executed,
    read: (host) => ({ instructions: executed(host).reduce((sum, n) => sum + n, 0) }),
  };
}

/** Names of the functions of the release core, in their order. It has none itself: the target "named" is the same code with names. */
export async function functionNames() {
  const cores = await Promise.all(["named", "release"].map(buildCore));
  const [binary, release] = cores.map((path) => readFileSync(path));
  if (!binary.subarray(0, release.length).equals(release))
    throw new Error("the core with names is other code");
  const named = binaryen.readBinary(binary);
  const names = Array.from({ length: named.getNumFunctions() }, (_, i) =>
    binaryen.Function.getName(named.getFunctionByIndex(i)).replaceAll("assembly/", ""),
  );
  named.dispose();
  return names;
}
