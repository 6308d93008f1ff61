/**
 * What of a state is still needed: the registers and frame slots that some path reads before it writes them, and what for.
 *
 * One backward pass to a fixpoint. It need not be right to the last byte: what is forgotten though somebody needs it is unknown there,
 * never wrong. So reads of a frame through pointers that have left the function are guessed.
 *
 * @module
 */
import { type Argument, PROTOTYPES } from "../../helpers/prototypes.ts";
import type { Code, Instruction } from "../../isa/decode.ts";
import {
  fallsThrough,
  functionStart,
  isJump,
  jumpTarget,
  nextSlot,
  type Subprogram,
} from "../../isa/flow.ts";
import {
  ALU,
  ATOMIC,
  accessBytes,
  CALL,
  CALLEE,
  CLASS,
  classOf,
  EXIT,
  FRAME_POINTER,
  hasRegisterSource,
  isArithmetic,
  isAtomic,
  isControl,
  JMP,
  LD_IMM64,
  MODE,
  modeOf,
  operationOf,
} from "../../isa/opcodes.ts";
import { inFrame, SLOTS, slotOf } from "../stack.ts";
import {
  BOUNDS,
  DECIDES,
  dropRegister,
  dropSlot,
  EVERY_USE,
  LIVE,
  NEED_WORDS,
  needRegister,
  needSlot,
  registerUse,
  slotUse,
} from "./needs.ts";
import { type Origin, writtenBy } from "./origins.ts";

export class Liveness {
  readonly #code: Code;
  readonly #origins: readonly ((Origin | undefined)[] | undefined)[];
  /** `NEED_WORDS` for each slot of the program, and once more for its end. */
  readonly #uses: Int32Array;
  /** While an instruction is worked on: what is needed behind it, then before it. */
  readonly #needed = new Int32Array(NEED_WORDS);

  constructor(
    code: Code,
    functions: readonly Subprogram[],
    origins: readonly ((Origin | undefined)[] | undefined)[],
  ) {
    this.#code = code;
    this.#origins = origins;
    this.#uses = new Int32Array((code.length + 1) * NEED_WORDS);
    while (this.#pass()) {}
    for (const { start, end } of functions) this.#keepEscaped(start, end);
  }

  /** What a register is needed for before an instruction. */
  register(pc: number, register: number): number {
    return registerUse(this.#uses, pc * NEED_WORDS, register);
  }

  /** What a slot of the frame is needed for before an instruction. */
  slot(pc: number, slot: number): number {
    return slotUse(this.#uses, pc * NEED_WORDS, slot);
  }

  #pass(): boolean {
    let changed = false;
    for (let pc = this.#code.length - 1; pc >= 0; pc--) {
      const instruction = this.#code[pc];
      if (instruction === undefined || this.#origins[pc] === undefined) continue;
      const needed = this.#needed.fill(0);
      if (fallsThrough(instruction)) this.#add(nextSlot(instruction, pc));
      if (isJump(instruction)) this.#add(jumpTarget(instruction, pc));
      this.#before(instruction, pc);
      const at = pc * NEED_WORDS;
      for (let k = 0; k < NEED_WORDS; k++) {
        if (needed[k] !== this.#uses[at + k]) {
          this.#uses[at + k] = needed[k];
          changed = true;
        }
      }
    }
    return changed;
  }

  #add(pc: number): void {
    const at = pc * NEED_WORDS;
    for (let k = 0; k < NEED_WORDS; k++) this.#needed[k] |= this.#uses[at + k];
  }

  #before(instruction: Instruction, pc: number): void {
    const { opcode } = instruction;
    if (isArithmetic(opcode)) this.#arithmetic(instruction);
    else if (isControl(opcode)) this.#control(instruction, pc);
    else if (opcode === LD_IMM64) this.#take(instruction.dst);
    else if (classOf(opcode) === CLASS.LD) this.#packetLoad(instruction);
    else if (classOf(opcode) === CLASS.LDX) this.#load(instruction, instruction.src, pc);
    else if (isAtomic(opcode)) this.#atomic(instruction, pc);
    else this.#store(instruction, pc);
  }

  /** What a register that is written is needed for; before that it is needed for nothing. */
  #take(register: number): number {
    const use = this.#use(register);
    dropRegister(this.#needed, 0, register);
    return use;
  }

  #need(register: number, use: number): void {
    if (register !== FRAME_POINTER) needRegister(this.#needed, 0, register, use);
  }

  #use(register: number): number {
    return register === FRAME_POINTER ? 0 : registerUse(this.#needed, 0, register);
  }

  #arithmetic({ opcode, dst, src }: Instruction): void {
    const operation = operationOf(opcode);
    const isUnary = operation === ALU.NEG || operation === ALU.END;
    const use = operation === ALU.MOV ? this.#take(dst) : this.#use(dst);
    if (operation !== ALU.MOV) this.#need(dst, LIVE);
    if (hasRegisterSource(opcode) && !isUnary) this.#need(src, use | LIVE);
  }

  #control(instruction: Instruction, pc: number): void {
    const { opcode, dst, src } = instruction;
    if (opcode === EXIT) {
      this.#need(0, EVERY_USE);
      return;
    }
    if (operationOf(opcode) === JMP.CALL) {
      this.#call(instruction, pc);
      return;
    }
    if (operationOf(opcode) === JMP.JA || operationOf(opcode) === JMP.JCOND) return;
    this.#need(dst, LIVE | DECIDES);
    if (!hasRegisterSource(opcode)) return;
    // The bounds of one become bounds of the other.
    const use = this.#use(dst) | this.#use(src) | LIVE | DECIDES;
    this.#need(dst, use);
    this.#need(src, use);
  }

  #call(instruction: Instruction, pc: number): void {
    const { opcode, src, imm, dst } = instruction;
    for (const register of writtenBy(instruction)) dropRegister(this.#needed, 0, register);
    if (opcode !== CALL) {
      this.#need(dst, LIVE);
      return;
    }
    if (src === CALLEE.LOCAL) {
      const entry = functionStart(instruction, pc);
      for (let r = 1; r <= 5; r++) this.#need(r, this.register(entry, r));
      return;
    }
    const prototype = src === CALLEE.HELPER ? PROTOTYPES.get(imm) : undefined;
    if (prototype === undefined) {
      for (let r = 1; r <= 5; r++) this.#need(r, LIVE);
      return;
    }
    prototype.arguments.forEach((argument, index) => {
      this.#need(index + 1, argument === "anything" ? LIVE : LIVE | BOUNDS);
      const bytes = this.#bytesOf(argument, pc, index + 1);
      if (bytes !== undefined) this.#reach(this.#origins[pc]![index + 1], bytes, LIVE);
    });
  }

  /** How much memory a helper reads through an argument, if it is memory: as far as the text tells, all that is there. */
  #bytesOf(argument: Argument, pc: number, register: number): number | undefined {
    const origins = this.#origins[pc]!;
    const map = origins[1]?.kind === "map" ? origins[1].map : undefined;
    if (argument === "key") return map?.keySize ?? Number.POSITIVE_INFINITY;
    if (argument === "value") return map?.valueSize ?? Number.POSITIVE_INFINITY;
    if (argument !== "memory" && argument !== "memory_or_null") return undefined;
    const size = origins[register + 1];
    return size?.kind === "constant" ? size.value : Number.POSITIVE_INFINITY;
  }

  /** Slots that are read through a pointer into the own frame. */
  #reach(base: Origin | undefined, bytes: number, use: number): void {
    if (base?.kind !== "frame") return;
    const end = base.isExact ? Math.min(0, base.offset + bytes) : 0;
    for (let at = Math.max(0, slotOf(base.offset)); at <= slotOf(end - 1) && at < SLOTS; at++) {
      needSlot(this.#needed, 0, at, use);
    }
  }

  #packetLoad({ opcode, src }: Instruction): void {
    for (let r = 0; r <= 5; r++) dropRegister(this.#needed, 0, r);
    this.#need(6, LIVE);
    if (modeOf(opcode) === MODE.IND) this.#need(src, LIVE);
  }

  #load({ opcode, dst, offset }: Instruction, base: number, pc: number): void {
    const use = this.#take(dst);
    this.#need(base, LIVE | BOUNDS);
    const origin = this.#origins[pc]![base];
    if (origin?.kind === "frame") {
      this.#reach({ ...origin, offset: origin.offset + offset }, accessBytes(opcode), use | LIVE);
    }
  }

  #store({ opcode, dst, src, offset }: Instruction, pc: number): void {
    const origin = this.#origins[pc]![dst];
    let use = LIVE;
    const bytes = accessBytes(opcode);
    if (origin?.kind === "frame" && origin.isExact && inFrame(origin.offset + offset, bytes)) {
      const at = origin.offset + offset;
      const slot = slotOf(at);
      use |= slotUse(this.#needed, 0, slot);
      if (bytes === 8 && (at & 7) === 0) dropSlot(this.#needed, 0, slot);
    }
    this.#need(dst, LIVE | BOUNDS);
    if (classOf(opcode) === CLASS.STX) this.#need(src, use);
  }

  #atomic(instruction: Instruction, pc: number): void {
    const { dst, src, imm } = instruction;
    if (imm === ATOMIC.LOAD_ACQ) {
      this.#load(instruction, src, pc);
      return;
    }
    for (const register of writtenBy(instruction)) dropRegister(this.#needed, 0, register);
    this.#need(dst, LIVE | BOUNDS);
    this.#need(src, LIVE);
    if (imm === ATOMIC.CMPXCHG) this.#need(0, LIVE);
    const origin = this.#origins[pc]![dst];
    if (origin?.kind === "frame") {
      this.#reach(
        { ...origin, offset: origin.offset + instruction.offset },
        accessBytes(instruction.opcode),
        LIVE,
      );
    }
  }

  /** Slots to which a pointer is stored, or given to a function: whoever has it may read them at any time. */
  #keepEscaped(start: number, end: number): void {
    const kept = new Int32Array(NEED_WORDS);
    for (let pc = start; pc < end; pc++) {
      const instruction = this.#code[pc];
      const origins = this.#origins[pc];
      if (instruction === undefined || origins === undefined) continue;
      for (const register of escapingIn(instruction)) {
        const origin = origins[register];
        if (origin?.kind !== "frame") continue;
        for (let at = Math.max(0, slotOf(origin.offset)); at < SLOTS; at++) needSlot(kept, 0, at, EVERY_USE);
      }
    }
    for (let pc = start; pc < end; pc++) {
      for (let k = 1; k < NEED_WORDS; k++) this.#uses[pc * NEED_WORDS + k] |= kept[k];
    }
  }
}

/** Registers whose addresses others can use later. */
function escapingIn({ opcode, src, imm }: Instruction): readonly number[] {
  if (opcode === CALL) {
    if (src === CALLEE.LOCAL) return [1, 2, 3, 4, 5];
    const takes = src === CALLEE.HELPER ? PROTOTYPES.get(imm)?.arguments : undefined;
    return takes?.flatMap((argument, index) => (argument === "anything" ? [index + 1] : [])) ?? [];
  }
  return classOf(opcode) === CLASS.STX ? [src] : [];
}
