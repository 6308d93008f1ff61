/**
 * Generates the WebAssembly code of a program: what it decides about one entry.
 *
 * @module
 */
import { Scalar } from "../../codec/codec.ts";
import { ACT_DELETE, ACT_KEEP } from "../../constants.ts";
import type { NumberKind } from "../expressions/scalar_types.ts";
import type { EffectNode, ProgramTree, Statement } from "../expressions/tree.ts";
import { type CodeWriter, F32, F64, I32, I64, type MemoryOpcode, TYPE_I32 } from "../wasm/index.ts";
import { BooleanWriter } from "./codegen_boolean.ts";
import type { FilterLocals } from "./codegen_places.ts";

/** Loads and stores of counters: those of integers up to 32 bits are i32, all others as wide as they are. */
const COUNTERS: Readonly<Record<NumberKind, readonly [load: MemoryOpcode, store: MemoryOpcode]>> = {
  [Scalar.U8]: [I32.load8_u, I32.store8],
  [Scalar.I8]: [I32.load8_u, I32.store8],
  [Scalar.U16]: [I32.load16_u, I32.store16],
  [Scalar.I16]: [I32.load16_u, I32.store16],
  [Scalar.U32]: [I32.load, I32.store],
  [Scalar.I32]: [I32.load, I32.store],
  [Scalar.U53]: [I64.load, I64.store],
  [Scalar.U64]: [I64.load, I64.store],
  [Scalar.I64]: [I64.load, I64.store],
  [Scalar.F32]: [F32.load, F32.store],
  [Scalar.F64]: [F64.load, F64.store],
};

/**
 * Appends code that leaves the action for one entry on the stack as an i32, and adds to the counters of the rule that decided.
 * It makes locals of its own and leaves those of the caller as they are.
 *
 * @param block address of the program's own memory
 */
export function writeFilter(code: CodeWriter, locals: FilterLocals, tree: ProgramTree, block: number): void {
  new FilterWriter(code, locals, tree, block).write();
}

class FilterWriter {
  readonly #code: CodeWriter;
  readonly #tree: ProgramTree;
  readonly #booleans: BooleanWriter;

  constructor(code: CodeWriter, locals: FilterLocals, tree: ProgramTree, block: number) {
    this.#code = code;
    this.#tree = tree;
    this.#booleans = new BooleanWriter(code, locals, block, tree.zeros);
  }

  write(): void {
    const code = this.#code;
    const { statements } = this.#tree;
    const [first] = statements;
    if (statements.length === 1 && first.effects.length === 0 && first.when !== undefined) {
      // A condition is 0 or 1: no branch of its own beside the caller's, who looks at the action.
      this.#booleans.write(first.when);
      if (first.action !== ACT_DELETE) code.i32(first.action ?? ACT_KEEP).op(I32.mul);
      return;
    }
    const decided = code.block(TYPE_I32);
    for (const statement of statements) {
      const { when, action } = statement;
      if (when !== undefined) this.#booleans.write(when);
      const met = when === undefined ? undefined : code.if();
      this.#act(statement);
      if (action !== undefined) code.i32(action).br(decided);
      if (met !== undefined) code.end(met);
    }
    code.i32(ACT_KEEP);
    code.end(decided);
  }

  #act({ effects }: Statement): void {
    for (const effect of effects) this.#count(effect);
  }

  #count({ scalar, counter, amount }: EffectNode): void {
    const code = this.#code;
    const numbers = this.#booleans.numbers;
    const [load, store] = COUNTERS[scalar];
    // Twice: below the sum for the store, and for the load.
    numbers.places.address(counter);
    const offset = numbers.places.address(counter);
    code.load(load, offset);
    if (amount.type === "float") {
      if (scalar === Scalar.F32) code.op(F64.promote_f32);
      numbers.float(amount);
      code.op(F64.add);
      if (scalar === Scalar.F32) code.op(F32.demote_f64);
    } else if (load === I64.load) {
      numbers.wide(amount);
      code.op(I64.add);
    } else {
      numbers.low(amount);
      code.op(I32.add);
    }
    code.store(store, offset);
  }
}
