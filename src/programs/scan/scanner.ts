/**
 * Generates the loops of a compiled program over its table: straight code, in which the filter is written out. Only what happens to
 * few entries or once per bucket is a call, from module to module: unlinking, and on shared hosts the lock.
 *
 * @module
 */
import type { CoreHost } from "../../core/core_host.ts";
import type { SharedExports } from "../../core/wasm/shared_exports.ts";
import { instantiate } from "../codegen/compile.ts";
import { ModuleWriter, type Signature, TYPE_I32, type ValueType } from "../wasm/index.ts";
import { writeBucketLoop } from "./bucket_loop.ts";
import { writeElementLoop } from "./element_loop.ts";
import type { CoreCalls, FilterCode } from "./loop_parts.ts";
import { isOutOfLine } from "./table_blocks.ts";

/**
 * Visits `planned` buckets of a run; on a shared host as many as its record says. What it did is in the record
 * (assembly/programs/run.ts).
 */
export type Loop = (table: number, run: number, planned: number) => void;

/** The loops of a program. */
export interface Scanner {
  readonly buckets: Loop;
  /** Only of tables with entries out of line, for runs in memory order. */
  readonly elements: Loop | undefined;
}

/** The types of functions over addresses and numbers of 32 bits. */
function signature(parameters: number, results: number): Signature {
  const types = (count: number) => new Array<ValueType>(count).fill(TYPE_I32);
  return { parameters: types(parameters), results: types(results) };
}

/** The module with the loops for a table of a host. */
export function scannerModule(host: CoreHost, table: number, filter: FilterCode): Uint8Array<ArrayBuffer> {
  const { shared } = host;
  const module = new ModuleWriter({ shared });
  const calls: CoreCalls = {
    drop: module.import("programDrop", signature(5, 0)),
    stop: module.import("programStop", signature(5, 0)),
    unlinkRows: module.import("programUnlinkRows", signature(3, 0)),
    lock: shared ? module.import("programLock", signature(2, 1)) : 0,
    unlock: shared ? module.import("programUnlock", signature(2, 1)) : 0,
  };
  const loop = signature(3, 0);
  module.function("buckets", loop, (code, parameters) => {
    writeBucketLoop(code, parameters, { host, table, filter, calls });
  });
  if (!shared && isOutOfLine(host, table)) {
    module.function("elements", loop, (code, parameters) => {
      writeElementLoop(code, parameters, { host, table, filter, calls });
    });
  }
  return module.finish();
}

/** The loops, ready to run; undefined where code generation is forbidden. */
export function instantiateScanner(host: CoreHost, table: number, filter: FilterCode): Scanner | undefined {
  // Wasm calls them, so no trap of theirs needs a function around it: it ends the loop, too.
  const { programDrop, programStop, programUnlinkRows } = host.bare;
  const { programLock, programUnlock } = host.bare as SharedExports;
  const calls = { programDrop, programStop, programUnlinkRows };
  const imports = host.shared ? { ...calls, programLock, programUnlock } : calls;
  return instantiate(host, scannerModule(host, table, filter), imports) as Scanner | undefined;
}
