/**
 * The memory of a host with the core that runs on it: what everything else of a host stands on.
 *
 * @module
 */
import { hide } from "../../print/hidden.ts";
import type { CoreExports } from "../wasm/exports.ts";
import type { Trapped } from "../wasm/guard.ts";
import type { WasmMemory } from "../wasm/wasm_types.ts";
import { Pins } from "./pins.ts";
import { clearSlotErrno } from "./shared_core.ts";
import { HostViews } from "./views.ts";

/** What it is made of. */
export interface CoreParts {
  readonly memory: WasmMemory;
  /** The core, whose traps become errors, and as it is (guard.ts). */
  readonly core: CoreExports;
  readonly bare: CoreExports;
  readonly trapped: Trapped;
  readonly cpus: number;
  /** The CPU slot. */
  readonly cpu: number;
  /** Bytes the memory may grow to. */
  readonly limit: number;
  readonly shared: boolean;
}

export class CoreMemory extends HostViews {
  /** Slots of per-CPU values; of a shared host, how many threads may be attached. */
  declare readonly cpus: number;
  /** The CPU slot of this host: which of the per-CPU values is its own. 0 on a host that is not shared. */
  declare readonly cpu: number;
  /** Whether other threads may attach to the memory. */
  declare readonly shared: boolean;
  /** @internal Throws a DamagedError instead of a trap. */
  declare readonly core: CoreExports;
  /** @internal The same for who catches traps by itself (guard.ts). */
  declare readonly bare: CoreExports;
  /** @internal */
  declare closed: boolean;
  /** @internal */
  declare readonly pins: Pins;
  /** @internal Bytes the memory may grow to. */
  declare readonly limit: number;
  /** @internal Values of the core's exported constants. */
  declare readonly layout: {
    readonly count: number;
    readonly version: number;
    readonly frozen: number;
    readonly cursorBytes: number;
    readonly stageBytes: number;
    readonly stageErrno: number;
    readonly arrayData: number;
    readonly arrayBase: number;
    readonly lowFree: number;
  };

  /** @internal */
  constructor({ memory, core, bare, trapped, cpus, cpu, limit, shared }: CoreParts) {
    super(memory);
    hide<CoreMemory>(this, { core, bare, shared, cpu, cpus, closed: false });
    // The memory may have grown before the trap.
    trapped.afterTrap = () => this.refreshDetached();
    const layout = {
      count: core.COUNT_OFFSET.value,
      version: core.VERSION_OFFSET.value,
      frozen: core.FROZEN_OFFSET.value,
      cursorBytes: core.CURSOR_BYTES.value,
      stageBytes: core.STAGE_BYTES.value,
      stageErrno: core.STAGE_ERRNO.value,
      arrayData: core.ARRAY_DATA_OFFSET.value,
      arrayBase: core.ARRAY_BASE_OFFSET.value,
      lowFree: core.LOW_FREE_OFFSET.value,
    };
    hide<CoreMemory>(this, { pins: new Pins(), layout, limit });
  }

  /** @internal A block of host memory, or 0 when there is none. */
  allocate(bytes: number): number {
    // The core counts in 32 bits.
    if (bytes > this.limit) {
      if (this.shared) clearSlotErrno(this);
      return 0;
    }
    const address = this.core.allocate(bytes) >>> 0;
    if (this.u8.length === 0) this.refresh();
    return address;
  }

  /** @internal Gives a block back; not before a call that may still hold its address is done. */
  release(address: number, bytes: number): void {
    if (this.pins.isHeld) this.pins.release(() => this.core.release(address, bytes));
    else this.core.release(address, bytes);
  }
}
