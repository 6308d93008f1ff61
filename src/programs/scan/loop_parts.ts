import type { CoreHost } from "../../core/core_host.ts";
import type { CodeWriter, Local } from "../wasm/index.ts";

/** What the loops need of a filter. */
export interface FilterCode {
  /** Actions that it may take, all bits together. */
  readonly actions: number;
  /** Writes the filter: leaves the action on the stack for the entry whose addresses are in two locals. */
  emit(code: CodeWriter, key: Local, value: Local): void;
}

/** Functions of the core that the loops call, by their numbers in the module. */
export interface CoreCalls {
  readonly drop: number;
  readonly stop: number;
  readonly unlinkRows: number;
  readonly lock: number;
  readonly unlock: number;
}

/** What the writers of the loops need. */
export interface LoopParts {
  readonly host: CoreHost;
  readonly table: number;
  readonly filter: FilterCode;
  readonly calls: CoreCalls;
}
