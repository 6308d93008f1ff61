/**
 * The walk over all paths of a program.
 *
 * A path goes on until it ends or comes to a point in a state that is inside one already seen there. A point that is reached in many
 * states remembers less and less of them, until there is one for each combination of types, with bounds that loops can no longer move: so
 * the walk always ends.
 *
 * @module
 */
import { ERRNO } from "../../errors.ts";
import { HELPER } from "../helpers/prototypes.ts";
import type { Instruction } from "../isa/decode.ts";
import { functionStart, jumpTarget, nextSlot } from "../isa/flow.ts";
import {
  CALL,
  CALLEE,
  CALLX,
  CLASS,
  classOf,
  EXIT,
  GOTO,
  GOTOL,
  IMM64,
  isArithmetic,
  isControl,
  LD_IMM64,
  MAY_GOTO,
  MODE,
  modeOf,
} from "../isa/opcodes.ts";
import { access } from "./access.ts";
import { arithmetic } from "./alu.ts";
import { branches } from "./branch.ts";
import { callHelper, firstRegisters, parametersOfElement } from "./calls.ts";
import { enterCallback, enterFunction, leaveFunction } from "./frames.ts";
import { isPointer, type Pointer, pointerTo, type Register, target } from "./pointer.ts";
import { forgetCallerSaved, readRegister, writeRegister } from "./registers.ts";
import { between, constant64, U32_MAX, UNKNOWN } from "./scalar/scalar.ts";
import { SeenStates } from "./seen.ts";
import type { Session } from "./session.ts";
import { CallPath, copyOf, KEPT_REGISTERS, newFrame, running, type State } from "./state.ts";
import { targetOfMap, targetOfValue } from "./targets.ts";

/** BPF_COMPLEXITY_LIMIT_INSNS. */
const DEFAULT_LIMIT = 1_000_000;

/** No instruction: the path ends. */
const END = -1;

interface Path {
  readonly from: number;
  readonly to: number;
  readonly state: State;
}

/** A function that a timer will call: a program of its own. */
interface TimerFunction {
  readonly entry: number;
  readonly map: Pointer;
}

export interface Walked {
  readonly visited: number;
}

/** Walks all paths, those of timers' functions, too. Everything that is found out is in the session. */
export function explore(session: Session): Walked {
  return new Walk(session).all();
}

class Walk {
  readonly #session: Session;
  readonly #limit: number;
  readonly #seen: SeenStates;
  readonly #left: Path[] = [];
  readonly #timers = new Map<string, TimerFunction>();
  #state: State;
  #visited = 0;

  constructor(session: Session) {
    this.#session = session;
    this.#limit = session.program.limit ?? DEFAULT_LIMIT;
    this.#seen = new SeenStates(session);
    this.#state = firstState(0, firstRegisters(session));
  }

  all(): Walked {
    this.#from({ from: 0, to: 0, state: this.#state });
    // Functions of timers may set others.
    for (const { entry, map } of this.#timers.values()) {
      const registers: (Register | undefined)[] = new Array(KEPT_REGISTERS).fill(undefined);
      parametersOfElement(this.#session, registers, map);
      this.#session.isTimer = true;
      this.#from({ from: entry, to: entry, state: firstState(entry, registers) });
    }
    this.#session.log.end(this.#visited, this.#limit, this.#seen.states, this.#seen.joins);
    return { visited: this.#visited };
  }

  #from(first: Path): void {
    this.#left.push(first);
    for (let path = this.#left.pop(); path !== undefined; path = this.#left.pop()) {
      this.#state = path.state;
      if (this.#session.log.level > 0) this.#session.log.path(path.from, path.to, path.state);
      this.#follow(path.to);
    }
  }

  #push(to: number, state: State): void {
    this.#left.push({ from: this.#session.pc, to, state });
  }

  #follow(start: number): void {
    const session: Session = this.#session;
    const { instructions } = session.program;
    const { level } = session.log;
    for (let pc = start; pc !== END; ) {
      const instruction = instructions[pc];
      if (instruction === undefined) session.invalid("last insn is not an exit or jmp");
      session.pc = pc;
      this.#visited++;
      if (this.#visited > this.#limit) {
        session.refuse(`BPF program is too large. Processed ${this.#visited} insn`, ERRNO.E2BIG);
      }
      if (session.meets[pc] === 1) {
        const state = this.#seen.arrive(this.#state);
        if (state === undefined) {
          if (level > 0) session.log.pruned(pc);
          return;
        }
        this.#state = state;
      }
      if (level > 0) session.log.instruction(pc);
      const next = this.#step(instruction, pc);
      if (level > 1 && next !== END) session.log.state(pc, this.#state);
      pc = next;
    }
  }

  /** Does one instruction; gives the slot where the path goes on. */
  #step(instruction: Instruction, pc: number): number {
    const { opcode } = instruction;
    if (isArithmetic(opcode)) arithmetic(this.#session, this.#state, instruction);
    else if (isControl(opcode)) return this.#control(instruction, pc);
    else if (opcode === LD_IMM64)
      writeRegister(this.#state, instruction.dst, this.#immediate(instruction, pc));
    else if (classOf(opcode) === CLASS.LD) this.#packetLoad(instruction);
    else access(this.#session, this.#state, instruction);
    return nextSlot(instruction, pc);
  }

  #control(instruction: Instruction, pc: number): number {
    switch (instruction.opcode) {
      case EXIT:
        return this.#exit();
      case CALL:
        return this.#call(instruction, pc);
      case CALLX:
        return this.#session.invalid("callx is not supported");
      case GOTO:
      case GOTOL:
        return jumpTarget(instruction, pc);
      case MAY_GOTO:
        this.#push(jumpTarget(instruction, pc), copyOf(this.#state));
        return pc + 1;
    }
    const { taken, notTaken } = branches(this.#session, this.#state, instruction);
    if (notTaken === undefined) {
      if (taken === undefined) return END;
      this.#state = taken;
      return jumpTarget(instruction, pc);
    }
    if (taken !== undefined) this.#push(jumpTarget(instruction, pc), taken);
    this.#state = notTaken;
    return pc + 1;
  }

  #exit(): number {
    const { callback, entry } = running(this.#state);
    const next = leaveFunction(this.#session, this.#state);
    if (callback !== undefined) this.#callBack(callback.site, { entry, parameters: callback.parameters });
    return next;
  }

  /** One path on which a helper calls a function, once more. */
  #callBack(site: number, called: { entry: number; parameters: (Register | undefined)[] }): void {
    const again = copyOf(this.#state);
    enterCallback(this.#session, again, site, called);
    this.#push(called.entry, again);
  }

  #call(instruction: Instruction, pc: number): number {
    const session: Session = this.#session;
    if (instruction.src === CALLEE.LOCAL) {
      const entry = functionStart(instruction, pc);
      enterFunction(session, this.#state, entry, pc + 1);
      return entry;
    }
    const called = callHelper(session, this.#state, instruction);
    if (called !== undefined) this.#callBack(pc, called);
    if (instruction.imm === HELPER.TIMER_SET_CALLBACK) this.#noteTimer(pc);
    if (instruction.imm === HELPER.TAIL_CALL && this.#state.frames.length > 1) this.#returnFromTailCall();
    return pc + 1;
  }

  /** A program that is called in the place of a function returns to the function's caller. */
  #returnFromTailCall(): void {
    const returned = copyOf(this.#state);
    const to = leaveFunction(this.#session, returned);
    writeRegister(returned, 0, UNKNOWN);
    this.#push(to, returned);
  }

  #noteTimer(pc: number): void {
    const seen = this.#session.calls.get(pc)!;
    for (const map of seen.maps) {
      this.#timers.set(`${pc}`, { entry: seen.callback!, map: pointerTo(target("map", { map })) });
    }
  }

  #immediate(instruction: Instruction, pc: number): Register {
    const session: Session = this.#session;
    const reference = session.program.references.get(pc);
    if (reference === undefined) {
      if (instruction.src === IMM64.VALUE) return constant64(instruction.imm64!);
      if (instruction.src === IMM64.FUNC) return functionPointer(functionStart(instruction, pc));
      return session.invalid(`fd ${instruction.imm} is not pointing to valid bpf_map`);
    }
    switch (reference.kind) {
      case "map":
        return pointerTo(targetOfMap(reference.map));
      case "callback":
        return functionPointer(reference.entry);
      case "data": {
        const { map, offset } = reference;
        if (offset < 0 || offset >= map.valueSize) {
          session.invalid(`invalid access to map value pointer, value_size=${map.valueSize} off=${offset}`);
        }
        return pointerTo(targetOfValue(map)).with({ fixed: offset });
      }
    }
  }

  /** LD_ABS and LD_IND: they end the program when the packet is too short. */
  #packetLoad({ opcode, src }: Instruction): void {
    const session: Session = this.#session;
    const { type } = session.program;
    const state = this.#state;
    if (type !== "tc" && type !== "socket_filter" && type !== "cgroup_skb") {
      session.invalid("BPF_LD_[ABS|IND] instructions not allowed for this program type");
    }
    if (state.frames.length > 1) session.invalid("BPF_LD_[ABS|IND] instructions not allowed in functions");
    if (state.reservations.length > 0) session.invalid("BPF_LD_[ABS|IND] would lead to reference leak");
    if (state.lock !== undefined)
      session.invalid("BPF_LD_[ABS|IND] cannot be used inside bpf_spin_lock-ed region");
    const context = readRegister(session, state, 6);
    if (!isPointer(context) || context.kind !== "context" || !context.isUnmoved) {
      session.invalid("at the time of BPF_LD_ABS|IND R6 != pointer to skb");
    }
    if (modeOf(opcode) === MODE.IND) readRegister(session, state, src);
    forgetCallerSaved(state);
    writeRegister(state, 0, between(0, U32_MAX));
  }
}

const functionPointer = (entry: number): Pointer => pointerTo(target("function", { place: entry }));

function firstState(entry: number, registers: (Register | undefined)[]): State {
  return {
    frames: [newFrame(entry, END, registers)],
    calls: [new CallPath()],
    lock: undefined,
    reservations: [],
  };
}
