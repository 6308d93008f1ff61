/**
 * Writes the body of a WebAssembly function, instruction by instruction.
 *
 * @module
 */
import { ByteWriter } from "./bytes.ts";
import { ATOMIC_FENCE, CONTROL, type MemoryOpcode, type Opcode, V128, type ValueType } from "./opcodes.ts";

/** An open `block`, `loop` or `if`: where {@link CodeWriter.br} goes to. */
export interface Label {
  /** How many were open around it. */
  readonly depth: number;
}

/** The type of a block that leaves nothing on the stack. */
const EMPTY_BLOCK = 0x40;

/** A function's locals: its parameters come first, then those that {@link CodeWriter.local} made. */
export type Local = number;

/**
 * The body of one function. Made by `ModuleWriter.function`.
 *
 * Instructions go to the stack machine in the order they are written; nothing is checked here but the nesting of blocks: the
 * engine validates the module. Branches name the block they leave (or the loop they go on with), not a depth:
 *
 * ```
 * const scan = code.loop();          // loop
 * code.get(left).op(I32.eqz);        //   local.get left   i32.eqz
 * code.ifThen(() => code.return());  //   if  return  end
 * code.br(scan);                     //   br scan
 * code.end(scan);                    // end
 * ```
 */
export class CodeWriter {
  readonly #bytes = new ByteWriter();
  readonly #parameters: number;
  readonly #locals: ValueType[] = [];
  readonly #open: Label[] = [];

  /** @param parameters how many the function has */
  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  /** A new local, zero at the start of the function. */
  local(type: ValueType): Local {
    this.#locals.push(type);
    return this.#parameters + this.#locals.length - 1;
  }

  get(local: Local): this {
    return this.#indexed(CONTROL.localGet, local);
  }

  set(local: Local): this {
    return this.#indexed(CONTROL.localSet, local);
  }

  /** `local.tee`: sets the local and leaves the value on the stack. */
  tee(local: Local): this {
    return this.#indexed(CONTROL.localTee, local);
  }

  /** An instruction without immediate operands. */
  op(opcode: Opcode): this {
    if (opcode > 0xff) {
      this.#bytes.byte(opcode >>> 16);
      this.#bytes.u32(opcode & 0xffff);
    } else this.#bytes.byte(opcode);
    return this;
  }

  /** A signed or unsigned integer of 32 bits. */
  i32(value: number): this {
    this.#bytes.byte(CONTROL.i32Const);
    this.#bytes.i32(value);
    return this;
  }

  /** A signed or unsigned integer of 64 bits. */
  i64(value: bigint): this {
    this.#bytes.byte(CONTROL.i64Const);
    this.#bytes.i64(value);
    return this;
  }

  f64(value: number): this {
    this.#bytes.byte(CONTROL.f64Const);
    this.#bytes.f64(value);
    return this;
  }

  /** @param value 16 bytes, the lowest lane first */
  v128Const(value: Uint8Array): this {
    if (value.length !== 16) throw new RangeError(`wasm: expected 16 bytes, got ${value.length}`);
    this.op(V128.const);
    this.#bytes.bytes(value);
    return this;
  }

  /**
   * Loads from the address on the stack plus `offset`, which is unsigned and part of the instruction.
   *
   * The alignment written is only a hint, but for atomics, where it must be the natural one and must hold.
   */
  load(opcode: MemoryOpcode, offset = 0): this {
    return this.#memory(opcode, offset);
  }

  /** Stores the value on the stack at the address below it plus `offset`. */
  store(opcode: MemoryOpcode, offset = 0): this {
    return this.#memory(opcode, offset);
  }

  /** `atomic.fence`. */
  fence(): this {
    this.op(ATOMIC_FENCE);
    this.#bytes.byte(0);
    return this;
  }

  /** Opens a block; branches to it go to its end. */
  block(result?: ValueType): Label {
    return this.#begin(CONTROL.block, result);
  }

  /** Opens a loop; branches to it go to its start. */
  loop(result?: ValueType): Label {
    return this.#begin(CONTROL.loop, result);
  }

  /** Opens an `if` on the i32 on the stack; branches to it go to its end. */
  if(result?: ValueType): Label {
    return this.#begin(CONTROL.if, result);
  }

  else(label: Label): this {
    this.#innermost(label);
    return this.op(CONTROL.else);
  }

  end(label: Label): this {
    this.#innermost(label);
    this.#open.pop();
    return this.op(CONTROL.end);
  }

  /** `if ... else ... end` without a result, on the i32 on the stack. */
  ifThen(then: () => void, otherwise?: () => void): this {
    const label = this.if();
    then();
    if (otherwise !== undefined) {
      this.else(label);
      otherwise();
    }
    return this.end(label);
  }

  br(label: Label): this {
    return this.#indexed(CONTROL.br, this.#distance(label));
  }

  /** Branches when the i32 on the stack is not 0. */
  brIf(label: Label): this {
    return this.#indexed(CONTROL.brIf, this.#distance(label));
  }

  unreachable(): this {
    return this.op(CONTROL.unreachable);
  }

  return(): this {
    return this.op(CONTROL.return);
  }

  call(functionIndex: number): this {
    return this.#indexed(CONTROL.call, functionIndex);
  }

  drop(): this {
    return this.op(CONTROL.drop);
  }

  /** The lower of two values when the i32 above them is not 0, else the upper one. */
  select(): this {
    return this.op(CONTROL.select);
  }

  /** @internal The entry of the code section: locals, instructions, `end`; without its size. */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.#open.length > 0) throw new Error(`wasm: ${this.#open.length} blocks are open at the end`);
    const entry = new ByteWriter();
    // Locals are written as runs of one type.
    const runs: [count: number, type: ValueType][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    entry.u32(runs.length);
    for (const [count, type] of runs) {
      entry.u32(count);
      entry.byte(type);
    }
    entry.bytes(this.#bytes.finish());
    entry.byte(CONTROL.end);
    return entry.finish();
  }

  #indexed(opcode: number, index: number): this {
    this.#bytes.byte(opcode);
    this.#bytes.u32(index);
    return this;
  }

  #memory({ code, align }: MemoryOpcode, offset: number): this {
    this.op(code);
    this.#bytes.u32(align);
    this.#bytes.u32(offset);
    return this;
  }

  #begin(opcode: number, result: ValueType | undefined): Label {
    this.#bytes.byte(opcode);
    this.#bytes.byte(result ?? EMPTY_BLOCK);
    const label = { depth: this.#open.length };
    this.#open.push(label);
    return label;
  }

  #innermost(label: Label): void {
    if (this.#open.at(-1) !== label) throw new Error("wasm: this block is not the innermost one");
  }

  #distance(label: Label): number {
    if (this.#open[label.depth] !== label) throw new Error("wasm: a branch to a block that is closed");
    return this.#open.length - 1 - label.depth;
  }
}
