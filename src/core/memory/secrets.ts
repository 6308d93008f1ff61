/**
 * The secrets of the hash (assembly/hash/hash.ts) of a host without a `seed`. Each comes from the system's random numbers by
 * itself: who finds out those of one map, say from its order, knows nothing of another map's. The words of NH, which keys of 8
 * bytes and more meet first, are the exception: all maps of a host have the same.
 *
 * @module
 */
import { SEED_BYTES } from "../../generated/abi.js";
import { drawBytes } from "../../random.ts";
import type { CoreExports } from "../wasm/exports.ts";
import type { WasmMemory } from "../wasm/wasm_types.ts";

/** Draws the words of NH. Once per memory, before there is a table. */
export function drawHostSecrets(memory: WasmMemory, core: CoreExports): void {
  const drawn = drawBytes(new Uint8Array(core.SECRETS_BYTES.value));
  new Uint8Array(memory.buffer).set(drawn, core.SECRETS_ADDRESS.value);
}

/** What a new table gets: S0, S1 and S2, 8 bytes each. */
export function drawTableSecrets(): Uint8Array {
  const drawn = drawBytes(new Uint8Array(SEED_BYTES));
  // Little-endian; S1 and S2 are odd, so that multiplying by them loses nothing.
  drawn[8] |= 1;
  drawn[16] |= 1;
  return drawn;
}
