// A program in the interpreter of the core, on a host of its own.
import { type Call, Interpreter } from "../../../src/ebpf/interpret/interpreter.ts";
import { type Checks, prepare } from "../../../src/ebpf/interpret/prepare.ts";
import type { RunState } from "../../../src/ebpf/interpret/run_state.ts";
import { type Code, decode } from "../../../src/ebpf/isa/decode.ts";
import { CLASS, classOf } from "../../../src/ebpf/isa/opcodes.ts";
import { EBPF_GO_ON } from "../../../src/generated/abi.js";
import type { Host } from "../../../src/index.ts";

export interface InterpretedOptions {
  readonly memory?: Uint8Array;
  readonly arguments?: readonly bigint[];
  readonly fuel?: number;
  readonly checks?: Checks;
  readonly values?: ReadonlyMap<number, number>;
  readonly call?: Call;
  /** Before the run. `memory`: its address. */
  set?(run: RunState, memory: number): void;
}

export interface Interpreted {
  readonly outcome: number;
  /** r0 .. r10. */
  readonly registers: bigint[];
  /** All eight frames, the outermost one last. */
  readonly stack: Uint8Array;
  /** What became of the memory that was given. */
  readonly memory: Uint8Array;
  readonly endedAt: number;
  readonly fuel: number;
  readonly address: number;
  readonly frame: number;
}

/** Every access of a program is checked; what its pointers may reach is for `reaches` to say. */
export function allChecked(code: Code, reaches: Checks["reaches"] = new Map()): Checks {
  const accesses = new Set<number>();
  code.forEach((instruction, slot) => {
    const kind = instruction === undefined ? CLASS.ALU : classOf(instruction.opcode);
    if (kind === CLASS.LDX || kind === CLASS.ST || kind === CLASS.STX) accesses.add(slot);
  });
  return { accesses, arguments: new Map(), reaches };
}

/**
 * Runs a program once. r1 is the address of the memory and may reach it, r2 its size, unless there are arguments. Everything is given
 * back to the host.
 */
export function interpreted(host: Host, bytecode: Uint8Array, options: InterpretedOptions = {}): Interpreted {
  const interpreter = new Interpreter(host);
  const prepared = prepare(decode(bytecode), options.values ?? new Map(), options.checks);
  const code = interpreter.load(prepared)!;
  const memory = options.memory ?? new Uint8Array(0);
  const address = host.allocate(Math.max(memory.length, 64));
  host.u8.set(memory, address);
  const run = interpreter.open(options.call ?? (() => EBPF_GO_ON))!;
  try {
    run.begin(code, options.fuel ?? 1e6);
    const given = options.arguments ?? [BigInt(memory.length === 0 ? 0 : address), BigInt(memory.length)];
    given.forEach((value, i) => {
      run.setRegister(i + 1, value);
    });
    run.setReach(1, address, memory.length);
    options.set?.(run, address);
    const outcome = interpreter.run(run, 0);
    const { stack } = run;
    return {
      outcome,
      registers: Array.from({ length: 11 }, (_, i) => run.register(i)),
      stack: host.u8.slice(stack.address, stack.address + stack.bytes),
      memory: host.u8.slice(address, address + memory.length),
      endedAt: outcome === 0 ? -1 : run.endedAt,
      fuel: run.fuel,
      address,
      frame: stack.address + stack.bytes,
    };
  } finally {
    interpreter.close(run);
    interpreter.unload(code);
    host.release(address, Math.max(memory.length, 64));
  }
}
