/**
 * Generates the loops of a compiled program over its table: straight code, in which the filter is written out. Only what happens to
 * few entries or once per bucket is a call, from module to module: unlinking, and on shared hosts the lock.
 *
 * @module
 */

import type { SharedExports } from "../../core/wasm/shared_exports.ts";
import type { Host } from "../../host/host.ts";
import { instantiate } from "../codegen/compile.ts";
import {
  type CodeWriter,
  type Local,
  ModuleWriter,
  type Signature,
  TYPE_I32,
  type ValueType,
} from "../wasm/index.ts";
import { writeBucketLoop } from "./bucket_loop.ts";
import { writeElementLoop } from "./element_loop.ts";
import { isOutOfLine } from "./table_blocks.ts";

/**
 * Visits `planned` buckets of a run; on a shared host as many as its record says. What it did is in the record
 * (assembly/programs/run.ts).
 */
export type Loop = (table: number, run: number, planned: number) => void;

/** What the loops need of a filter. */
export interface FilterCode {
  /** Actions that it may take, all bits together. */
  readonly actions: number;
  /** Writes the filter: leaves the action on the stack for the entry whose addresses are in two locals. */
  emit(code: CodeWriter, key: Local, value: Local): void;
}

/** The loops of a program. */
export interface Scanner {
  readonly buckets: Loop;
  /** Only of tables with entries out of line, for runs in memory order. */
  readonly elements: Loop | undefined;
}

/** Functions of the core that the loops call, by their numbers in the module. */
export interface CoreCalls {
  readonly drop: number;
  readonly stop: number;
  readonly unlinkRows: number;
  readonly lock: number;
  readonly unlock: number;
}

/** The types of functions over addresses and numbers of 32 bits. */
function signature(parameters: number, results: number): Signature {
  const types = (count: number) => new Array<ValueType>(count).fill(TYPE_I32);
  return { parameters: types(parameters), results: types(results) };
}

/** The module with the loops for a table of a host. */
export function scannerModule(host: Host, table: number, filter: FilterCode): Uint8Array<ArrayBuffer> {
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

/** What the writers of the loops need. */
export interface LoopParts {
  readonly host: Host;
  readonly table: number;
  readonly filter: FilterCode;
  readonly calls: CoreCalls;
}

/** The loops, ready to run; undefined where code generation is forbidden. */
export function instantiateScanner(host: Host, table: number, filter: FilterCode): Scanner | undefined {
  // Wasm calls them, so no trap of theirs needs a function around it: it ends the loop, too.
  const { programDrop, programStop, programUnlinkRows } = host.bare;
  const { programLock, programUnlock } = host.bare as SharedExports;
  const calls = { programDrop, programStop, programUnlinkRows };
  const imports = host.shared ? { ...calls, programLock, programUnlock } : calls;
  return instantiate(host, scannerModule(host, table, filter), imports) as Scanner | undefined;
}
