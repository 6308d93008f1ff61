/**
 * One run of a program as helpers see it: its arguments, its packet, the host and its maps.
 *
 * @module
 */
import type { Table } from "../../core/tables/table.ts";
import { EBPF_GO_ON, EBPF_NO_FUEL, EBPF_RETURNED, EBPF_STOP } from "../../generated/abi.js";
import type { Host } from "../../host/host.ts";
import type { Packet } from "../context/packet.ts";
import type { Interpreter } from "../interpret/interpreter.ts";
import type { RunState } from "../interpret/run_state.ts";
import type { ProgramType } from "../verify/program.ts";
import type { BoundMap } from "./bound_map.ts";

/** The run ends: an outcome was set. */
export const STOPPED = undefined;

/** What a helper gives: what r0 is afterwards, a negative number for an errno. */
export type Result = number | bigint | typeof STOPPED;

/** Arguments are in r1 .. r5 of the run. */
export type Helper = (run: Execution) => Result;

/** What all runs on a host share. */
export interface Surroundings {
  readonly host: Host;
  readonly interpreter: Interpreter;
  /** By the number that programs have for them, the address of the table. */
  readonly maps: ReadonlyMap<number, BoundMap>;
  /** Takes what programs print. */
  trace(line: string): void;
  /** A random u32. */
  random(): number;
}

export class Execution {
  readonly surroundings: Surroundings;
  readonly host: Host;
  readonly state: RunState;
  /** Of the program that runs, by id. */
  helpers: ReadonlyMap<number, Helper> = new Map();
  /** Of programs that have one. */
  packet: Packet | undefined;
  /** Where the context is. */
  context = 0;
  /** Of the program that runs, in the verifier's words. */
  programType: ProgramType = "raw";
  /** Where bpf_redirect has sent the packet: an interface, or a key of a map. */
  redirect: number | undefined;
  /** Entries that had expired and were removed by the way: the table is to be tidied when the section is over. */
  readonly swept = new Map<Table, number>();

  /** @param open makes the record of the run, with what answers the program's calls */
  constructor(surroundings: Surroundings, open: (call: (number: number) => number) => RunState) {
    this.surroundings = surroundings;
    this.host = surroundings.host;
    this.state = open((number) => this.#call(number));
  }

  /** The lower half of an argument: an address, a size. */
  word(register: number): number {
    return this.state.word(register);
  }

  /** The map that an argument names. */
  map(register: number): BoundMap {
    return this.surroundings.maps.get(this.state.word(register))!;
  }

  /** Calls a function of the program with what is in r1 .. r5, for a turn of fuel: whether it has returned. */
  callBack(slot: number): boolean {
    const { state } = this;
    if (state.fuel === 0) {
      state.outcome = EBPF_NO_FUEL;
      return false;
    }
    state.fuel--;
    return this.surroundings.interpreter.run(state, slot) === EBPF_RETURNED;
  }

  #call(number: number): number {
    const result = this.helpers.get(number)!(this);
    if (result === STOPPED) return EBPF_STOP;
    const { state } = this;
    if (typeof result === "bigint" || result < 0) state.setRegister(0, BigInt.asUintN(64, BigInt(result)));
    else state.setWord(0, result);
    return EBPF_GO_ON;
  }
}
