// The bare core, for tests of what lies below the typed API.
import type { CoreExports } from "../../src/core/wasm/exports.ts";
import { instantiateCore } from "../../src/core/wasm/wasm.ts";

export interface Core {
  readonly core: CoreExports;
  readonly memory: WebAssembly.Memory;
}

/** A fresh memory with the core set up in it. `maxBytes` 0 = as far as addresses reach. */
export function freshCore({ maxBytes = 0, seed = 1 } = {}): Core {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: maxBytes ? maxBytes / 65536 : 65536 });
  const core = instantiateCore(memory);
  if (core.initHost(maxBytes, seed) !== 0) throw new Error("initHost failed");
  return { core, memory };
}

/** The seed of a random test, as support/seed.ts has it. Tests put it into the messages of their assertions. */
export function testSeed(): number {
  return (
    Number(process.env.TEST_SEED ?? process.env.TEST_RUN_SEED ?? Math.floor(Math.random() * 2 ** 32)) >>> 0
  );
}

/** Wellons' "lowbias32": a bijection on u32 that looks random. */
export function mix32(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}
