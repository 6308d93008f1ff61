/**
 * Runs bytecode in the interpreter of assembly/ebpf/, on the memory of a host.
 *
 * @module
 */
import type { CoreMemory } from "../../core/memory/core_memory.ts";
import { EBPF_RUN_BYTES } from "../../generated/abi.js";
import { interpreterModule } from "./module.ts";
import type { PreparedCode } from "./prepare.ts";
import { type LoadedCode, RunState } from "./run_state.ts";

/**
 * Does what the program calls: arguments are in r1 .. r5 of the run, the result goes to r0.
 *
 * @param kind the `src` of the instruction: a helper, or a kfunc
 * @returns EBPF_GO_ON; EBPF_STOP, after an outcome was set; EBPF_TAIL_CALL, after other code was set; EBPF_ENDED when a callback has
 *   ended the run
 */
export type Call = (run: RunState, number: number, kind: number) => number;

export class Interpreter {
  readonly #host: CoreMemory;
  readonly #run: (run: number, slot: number) => number;
  /** By the addresses of their records. */
  readonly #states = new Map<number, { readonly state: RunState; readonly call: Call }>();

  constructor(host: CoreMemory) {
    this.#host = host;
    const helper = (run: number, number: number, kind: number) => {
      const { state, call } = this.#states.get(run >>> 0)!;
      return call(state, number, kind);
    };
    const env = { memory: host.memory as WebAssembly.Memory, helper };
    const { exports } = new WebAssembly.Instance(interpreterModule(host.shared) as WebAssembly.Module, {
      env,
    });
    this.#run = exports.run as (run: number, slot: number) => number;
  }

  /** Puts code into host memory; undefined when there is no room. */
  load(prepared: PreparedCode): LoadedCode | undefined {
    const { length } = prepared.bytes;
    const address = this.#host.allocate(length);
    if (address === 0) return undefined;
    this.#host.u8.set(prepared.bytes, address);
    return { address, bytes: length, prepared };
  }

  unload({ address, bytes }: LoadedCode): void {
    this.#host.release(address, bytes);
  }

  /** A record to run programs with; undefined when there is no room. */
  open(call: Call): RunState | undefined {
    const address = this.#host.allocate(EBPF_RUN_BYTES);
    if (address === 0) return undefined;
    const state = new RunState(this.#host, address);
    this.#states.set(address, { state, call });
    return state;
  }

  close({ address }: RunState): void {
    this.#states.delete(address);
    this.#host.release(address, EBPF_RUN_BYTES);
  }

  /**
   * Runs the function at a slot of the code that the record names, with the arguments that are there. A call from within a helper is a
   * callback: it runs in a frame on top.
   *
   * @returns the outcome, EBPF_RETURNED when it returned
   */
  run({ address }: RunState, slot: number): number {
    try {
      return this.#run(address, slot);
    } finally {
      this.#host.refreshDetached();
    }
  }
}
