/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A program that is loaded, and its runs.
 *
 * @module
 */
import { checkInteger } from "../arguments/integer.ts";
import { checkKnown } from "../arguments/known.ts";
import { describe } from "../arguments/mismatch.ts";
import { bpfError, ERRNO } from "../errors.ts";
import { EBPF_FAULT, EBPF_NO_FUEL, EBPF_RETURNED, EBPF_TOO_DEEP } from "../generated/abi.js";
import { hide } from "../print/hidden.ts";
import type { ContextForm, Given } from "./context/context.ts";
import { FIRST_DATA_WINDOW } from "./context/packet.ts";
import { rawForm } from "./context/raw.ts";
import { BARE_SKB_FORM, type SkBuff, TC_FORM } from "./context/skb.ts";
import { XDP_FORM, type XdpMd } from "./context/xdp.ts";
import { ProgramTrap } from "./errors.ts";
import { type LoadedProgram, type LoadOptions, load, type ProgramSource } from "./load.ts";
import type { Machine, Seat } from "./machine.ts";
import { printProgram } from "./print_program.ts";

/** What a program is called with: memory of any form, or a packet as XDP, tc, a socket filter or a cgroup sees it. */
export type ProgramType = "raw" | "xdp" | "tc" | "socket_filter" | "cgroup_skb";

/** What a run is given. */
export interface RunInput {
  /** The packet, from the Ethernet header on. */
  readonly data?: Uint8Array | undefined;
  /** The context: bytes, or of a packet's the fields that are not 0. */
  readonly context?: Uint8Array | Partial<XdpMd> | Partial<SkBuff> | undefined;
  /** How often the program is run, on the same packet and context as they have become. Default 1. */
  readonly repeat?: number | undefined;
}

/** What came of a run; of a repeated one, of the last. */
export interface RunResult {
  /** What the program returned: the lower 32 bits of r0. */
  readonly retval: number;
  readonly r0: bigint;
  /** The packet as the program left it. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly context: Uint8Array<ArrayBuffer>;
  /** Where the program redirects the packet to: the interface, or the key of a map. */
  readonly redirect?: number;
}

/** What came of many runs. */
export interface ManyResult {
  readonly runs: number;
  /** How often each value was returned. */
  readonly retvals: Map<number, number>;
  /** Runs that ended with a {@link ProgramTrap}. */
  readonly traps: number;
}

/** What the verifier found. */
export interface Verification {
  /** Instructions that it has looked at, each as often as it was. */
  readonly instructions: number;
  /** Accesses to memory that are proven to stay inside of it, and those that are checked when they run. */
  readonly proven: number;
  readonly checked: number;
  readonly log: string;
}

const DEFAULT_FUEL = 100_000_000;
const MOST_REPEATS = 1 << 20;
const NO_BYTES = new Uint8Array(0);

/** Options of {@link BpfProgram} that loaders share. */
export const LOAD_OPTIONS = ["verify", "fuel", "helpers", "log"];

/** Checks what JavaScript gives. */
export function checkLoadOptions(what: string, { verify, fuel, helpers, log }: LoadOptions): void {
  if (verify !== undefined && verify !== "check" && verify !== "strict") {
    throw new TypeError(`${what}: verify: expected "check" or "strict", got ${describe(verify)}`);
  }
  if (fuel !== undefined) checkInteger(`${what}: fuel`, fuel, 0, 0xffff_ffff);
  if (log !== undefined) checkInteger(`${what}: log`, log, 0, 2);
  for (const [id, helper] of Object.entries(helpers ?? {})) {
    if (typeof helper !== "function") {
      throw new TypeError(`${what}: helpers: ${id}: expected a function, got ${describe(helper)}`);
    }
  }
}

function formOf(type: ProgramType, contextSize: number): ContextForm {
  switch (type) {
    case "xdp":
      return XDP_FORM;
    case "tc":
      return TC_FORM;
    case "socket_filter":
    case "cgroup_skb":
      return BARE_SKB_FORM;
  }
  return rawForm(contextSize);
}

/** A program that has been verified, on the maps of a host. Made by {@link loadProgram} and {@link loadObject}. */
export class BpfProgram {
  readonly name: string;
  readonly type: ProgramType;
  /** The bytecode, as it was loaded. */
  readonly instructions: Uint8Array<ArrayBuffer>;
  readonly verified: Verification;
  readonly #machine: Machine;
  readonly #source: ProgramSource;
  readonly #form: ContextForm;
  readonly #fuel: number;
  readonly #ownsMachine: boolean;
  #loaded: LoadedProgram | undefined;
  #running = 0;

  /** @internal Use {@link loadProgram}. `ownsMachine`: whether the machine goes with it. */
  constructor(machine: Machine, source: ProgramSource, options: LoadOptions, ownsMachine: boolean) {
    this.name = source.name;
    this.type = source.type as ProgramType;
    this.instructions = Uint8Array.from(source.code);
    const loaded = load(machine, source, options);
    const { visited, proven, checked, log } = loaded.verified;
    this.verified = { instructions: visited, proven, checked, log };
    this.#machine = machine;
    this.#source = source;
    this.#form = formOf(this.type, source.contextSize);
    this.#fuel = options.fuel ?? DEFAULT_FUEL;
    this.#ownsMachine = ownsMachine;
    this.#loaded = loaded;
    hide<BpfProgram>(this, { instructions: this.instructions });
  }

  /**
   * Runs the program once, or `repeat` times, as the kernel's BPF_PROG_TEST_RUN does.
   *
   * @throws {@link ProgramTrap} when the run ends before its end; BpfError EINVAL for a packet or a context that the kernel would not take,
   *   EBADF once the program, its object or its host is closed
   */
  run(input: RunInput = {}): RunResult {
    const loaded = this.#open();
    if (typeof input !== "object" || input === null) {
      throw new TypeError(`run: expected { data, context, repeat }, got ${describe(input)}`);
    }
    checkKnown("run", input, ["data", "context", "repeat"]);
    const { data = NO_BYTES, context, repeat = 1 } = input;
    checkBytes("run: data", data);
    if (context !== undefined && (typeof context !== "object" || context === null)) {
      throw new TypeError(`run: context: expected bytes or fields, got ${describe(context)}`);
    }
    checkInteger("run: repeat", repeat, 1, MOST_REPEATS);
    return this.#seated((seat) => {
      this.#fill(seat, { data, context: context as Given["context"] });
      for (let i = 0; i < repeat; i++) this.#once(loaded, seat);
      return this.#result(seat);
    });
  }

  /**
   * Runs the program over packets, one after the other. A run that ends with a trap is counted, and the next packet comes.
   *
   * @param each is told what each run returned; not of those that trapped
   * @throws as {@link run}, but for traps
   */
  runMany(packets: Iterable<Uint8Array>, each?: (retval: number, index: number) => void): ManyResult {
    const loaded = this.#open();
    const retvals = new Map<number, number>();
    let [runs, traps] = [0, 0];
    this.#seated((seat) => {
      for (const data of packets) {
        checkBytes(`runMany: packet ${runs}`, data);
        this.#fill(seat, { data, context: undefined });
        const index = runs++;
        try {
          this.#once(loaded, seat);
        } catch (error) {
          if (!(error instanceof ProgramTrap)) throw error;
          traps++;
          continue;
        }
        const retval = seat.state.word(0);
        retvals.set(retval, (retvals.get(retval) ?? 0) + 1);
        each?.(retval, index);
        this.#open();
      }
    });
    return { runs, retvals, traps };
  }

  /** The disassembly in the kernel's notation, with the lines of the source where the object has them. */
  toString(): string {
    return printProgram(this.#source);
  }

  /**
   * Gives the memory of the program back. Calling it again does nothing.
   *
   * @throws BpfError EBUSY while it runs
   */
  close(): void {
    if (this.#loaded === undefined) return;
    if (this.#running > 0) {
      throw bpfError(ERRNO.EBUSY, "program", `program ${JSON.stringify(this.name)}`, "is running");
    }
    if (!this.#machine.host.closed) this.#machine.interpreter.unload(this.#loaded.loaded);
    this.#loaded = undefined;
    if (this.#ownsMachine) this.#machine.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get [Symbol.toStringTag](): string {
    return "BpfProgram";
  }

  #open(): LoadedProgram {
    this.#machine.host.check("program");
    if (this.#loaded !== undefined) return this.#loaded;
    throw bpfError(ERRNO.EBADF, "program", `program ${JSON.stringify(this.name)}`, "is closed");
  }

  /** With room for a run, which goes back to the machine. */
  #seated<T>(run: (seat: Seat) => T): T {
    const machine = this.#machine;
    const seat = machine.take(this.#form.bytes);
    this.#running++;
    try {
      return run(seat);
    } finally {
      this.#running--;
      machine.give(seat);
    }
  }

  #fill({ execution, packet }: Seat, given: Given): void {
    const { host } = this.#machine;
    host.u8.fill(0, execution.context, execution.context + this.#form.bytes);
    this.#form.fill(host, execution.context, packet, given);
    execution.packet = this.#form.hasPacket ? packet : undefined;
  }

  /** One run, in a section of its own. */
  #once(loaded: LoadedProgram, { execution, state, packet }: Seat): void {
    const { host, interpreter } = this.#machine;
    const { bytes } = this.#form;
    execution.redirect = undefined;
    execution.helpers = loaded.helpers;
    execution.programType = this.type;
    state.begin(loaded.loaded, this.#fuel);
    state.setWord(1, bytes === 0 ? 0 : execution.context);
    state.setReach(1, execution.context, bytes);
    if (this.type === "raw") state.setWord(2, bytes);
    if (this.#form.hasPacket) packet.show(state);
    loaded.dataWindows.forEach((map, i) => {
      const address = host.core.arrayElement(map.table.handle, 0) >>> 0;
      state.setWindow(FIRST_DATA_WINDOW + i, address, map.valueSize);
    });
    const outcome = host.section(() => interpreter.run(state, 0));
    for (const [table, count] of execution.swept) host.core.programSettle(table.handle, count);
    execution.swept.clear();
    if (outcome !== EBPF_RETURNED) throw this.#trap(outcome, state.endedAt);
  }

  #trap(outcome: number, slot: number): ProgramTrap {
    const line = this.#source.lineOf(slot);
    const because: Readonly<Record<number, string>> = {
      [EBPF_FAULT]: "access outside of what its pointer may reach",
      [EBPF_NO_FUEL]: `the fuel of ${this.#fuel} is used up`,
      [EBPF_TOO_DEEP]: "the call stack of 8 frames is too deep",
    };
    const kind = outcome === EBPF_NO_FUEL || outcome === EBPF_TOO_DEEP ? "loop" : "memory";
    return new ProgramTrap(kind, this.name, because[outcome] ?? "unknown instruction", slot, line);
  }

  #result({ execution, state, packet }: Seat): RunResult {
    const { host } = this.#machine;
    const { bytes, hasPacket } = this.#form;
    const data = hasPacket ? this.#form.data(host, packet) : new Uint8Array(0);
    this.#form.settle(host, execution.context, packet);
    const context = Uint8Array.from(host.u8.subarray(execution.context, execution.context + bytes));
    const result = { retval: state.word(0), r0: state.register(0), data, context };
    return execution.redirect === undefined ? result : { ...result, redirect: execution.redirect };
  }
}

function checkBytes(what: string, bytes: unknown): asserts bytes is Uint8Array {
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError(`${what}: expected a Uint8Array, got ${describe(bytes)}`);
  }
}
