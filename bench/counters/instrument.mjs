// Counts executed WebAssembly instructions: puts a counter into every basic block of a module, with binaryen.
//
// An instruction is an instruction of the binary, each counted as one whatever it costs: a load, an add, a local.get, a constant,
// a call, a branch, an `if` (which is a conditional branch). Not counted are `block`, `loop`, `else`, `end` and `nop`, which
// only mark places. An instruction counts when it is reached with all its operands.
//
// A basic block ends at every branch, taken or not, and where a branch can lead to: after each `br_if`, at the arms of an `if` and
// behind it, at the head of a loop, behind a block that has a label. It does not end at a call or at anything else that comes back
// unless the program traps (a block that traps counts whole). Total = sum over blocks of executions * instructions.
//
// The counters are wasm globals (one i64 each, exported): memory, table and addresses of the program stay as they were. No pass of
// binaryen that changes code is run, but its tree form of the code is not always that of the binary:
// - Local variables for values that stay on the stack while other code runs ("scratch", recognised by their names: no local of
//   the core has one) are not counted.
// - A `drop` before an unconditional branch that leaves values on the stack is counted, though the binary has none. Compilers
//   leave none there: a counter at the level of the binary gave the same total for the core, to the instruction.
import binaryen from "binaryen";

/** The operands of an instruction in the order in which they are evaluated, by the names of binaryen's accessors. */
const OPERANDS = new Map([
  [binaryen.BreakId, [binaryen.Break, "Value", "Condition"]],
  [binaryen.SwitchId, [binaryen.Switch, "Value", "Condition"]],
  [binaryen.LocalGetId, [binaryen.LocalGet]],
  [binaryen.LocalSetId, [binaryen.LocalSet, "Value"]],
  [binaryen.GlobalGetId, [binaryen.GlobalGet]],
  [binaryen.GlobalSetId, [binaryen.GlobalSet, "Value"]],
  [binaryen.LoadId, [binaryen.Load, "Ptr"]],
  [binaryen.StoreId, [binaryen.Store, "Ptr", "Value"]],
  [binaryen.ConstId, [binaryen.Const]],
  [binaryen.UnaryId, [binaryen.Unary, "Value"]],
  [binaryen.BinaryId, [binaryen.Binary, "Left", "Right"]],
  [binaryen.SelectId, [binaryen.Select, "IfTrue", "IfFalse", "Condition"]],
  [binaryen.DropId, [binaryen.Drop, "Value"]],
  [binaryen.ReturnId, [binaryen.Return, "Value"]],
  [binaryen.UnreachableId, [binaryen.Unreachable]],
  [binaryen.MemorySizeId, [binaryen.MemorySize]],
  [binaryen.MemoryGrowId, [binaryen.MemoryGrow, "Delta"]],
  [binaryen.MemoryCopyId, [binaryen.MemoryCopy, "Dest", "Source", "Size"]],
  [binaryen.MemoryFillId, [binaryen.MemoryFill, "Dest", "Value", "Size"]],
  [binaryen.SIMDExtractId, [binaryen.SIMDExtract, "Vec"]],
  [binaryen.SIMDReplaceId, [binaryen.SIMDReplace, "Vec", "Value"]],
  [binaryen.SIMDShuffleId, [binaryen.SIMDShuffle, "Left", "Right"]],
  [binaryen.SIMDTernaryId, [binaryen.SIMDTernary, "A", "B", "C"]],
  [binaryen.SIMDShiftId, [binaryen.SIMDShift, "Vec", "Shift"]],
  [binaryen.SIMDLoadId, [binaryen.SIMDLoad, "Ptr"]],
]);

const BRANCHES = new Set([binaryen.BreakId, binaryen.SwitchId, binaryen.ReturnId, binaryen.UnreachableId]);

/** What the core is compiled for. */
const FEATURES = [
  binaryen.Features.MutableGlobals,
  binaryen.Features.SignExt,
  binaryen.Features.NontrappingFPToInt,
  binaryen.Features.BulkMemory,
  binaryen.Features.BulkMemoryOpt,
  binaryen.Features.SIMD128,
  binaryen.Features.Multivalue,
].reduce((all, feature) => all | feature, binaryen.Features.MVP);

const exportOf = (block) => `executions_${block}`;

/** Walks the code of one function in the order of execution and gives each instruction to the block it belongs to. */
class FunctionWalk {
  #module;
  #function;
  #index;
  #blocks;
  /** The block that the next instruction belongs to; undefined where a new one begins. */
  #block;

  constructor(module, func, index, blocks) {
    this.#module = module;
    this.#function = func;
    this.#index = index;
    this.#blocks = blocks;
  }

  run() {
    binaryen.Function.setBody(this.#function, this.#visit(binaryen.Function.getBody(this.#function)));
  }

  /** The expression with its counters in place. */
  #visit(expression) {
    const kind = binaryen.getExpressionId(expression);
    if (kind === binaryen.NopId) return expression;
    if (kind === binaryen.BlockId) return this.#visitBlock(expression);
    if (kind === binaryen.LoopId) return this.#visitLoop(expression);
    if (kind === binaryen.IfId) return this.#visitIf(expression);
    if (kind === binaryen.CallId) return this.#visitCall(expression);
    const [accessors, ...names] = OPERANDS.get(kind) ?? [];
    if (!OPERANDS.has(kind)) {
      throw new Error(`an instruction that the instrumenter does not know: ${binaryen.emitText(expression)}`);
    }
    let last;
    for (const name of names) {
      const operand = accessors[`get${name}`](expression);
      if (operand === 0) continue; // optional: the value of a branch, the condition of a br
      last = name;
      accessors[`set${name}`](expression, this.#visit(operand));
    }
    if (this.#isScratch(kind, expression)) return expression;
    const replace = (counted) => accessors[`set${last}`](expression, counted);
    const counted =
      last === undefined
        ? this.#countLeaf(expression)
        : this.#count(expression, accessors[`get${last}`](expression), replace);
    if (BRANCHES.has(kind)) this.#block = undefined;
    return counted;
  }

  #visitBlock(block) {
    const count = binaryen.Block.getNumChildren(block);
    for (let i = 0; i < count; i++) {
      binaryen.Block.setChildAt(block, i, this.#visit(binaryen.Block.getChildAt(block, i)));
    }
    if (binaryen.Block.getName(block)) this.#block = undefined;
    return block;
  }

  #visitLoop(loop) {
    this.#block = undefined;
    binaryen.Loop.setBody(loop, this.#visit(binaryen.Loop.getBody(loop)));
    return loop;
  }

  #visitIf(node) {
    const condition = this.#visit(binaryen.If.getCondition(node));
    binaryen.If.setCondition(node, condition);
    this.#count(node, condition, (counted) => binaryen.If.setCondition(node, counted));
    this.#block = undefined;
    binaryen.If.setIfTrue(node, this.#visit(binaryen.If.getIfTrue(node)));
    this.#block = undefined;
    const ifFalse = binaryen.If.getIfFalse(node);
    if (ifFalse !== 0) binaryen.If.setIfFalse(node, this.#visit(ifFalse));
    this.#block = undefined;
    return node;
  }

  #visitCall(call) {
    if (binaryen.Call.isReturn(call)) throw new Error("tail calls are not instrumented");
    const count = binaryen.Call.getNumOperands(call);
    for (let i = 0; i < count; i++) {
      binaryen.Call.setOperandAt(call, i, this.#visit(binaryen.Call.getOperandAt(call, i)));
    }
    if (count === 0) return this.#countLeaf(call);
    const last = count - 1;
    return this.#count(call, binaryen.Call.getOperandAt(call, last), (counted) =>
      binaryen.Call.setOperandAt(call, last, counted),
    );
  }

  #isScratch(kind, expression) {
    if (kind !== binaryen.LocalGetId && kind !== binaryen.LocalSetId) return false;
    const accessors = kind === binaryen.LocalGetId ? binaryen.LocalGet : binaryen.LocalSet;
    const local = accessors.getIndex(expression);
    return (
      binaryen.Function.hasLocalName(this.#function, local) &&
      binaryen.Function.getLocalName(this.#function, local).startsWith("scratch")
    );
  }

  /** Counts an instruction without operands: where a block begins with it, its counter goes in front. */
  #countLeaf(expression) {
    if (this.#block !== undefined) {
      this.#block.instructions++;
      return expression;
    }
    return this.#module.block(null, [this.#begin(), expression], binaryen.getExpressionType(expression));
  }

  /**
   * Counts an instruction whose last operand is `operand`. When that operand ends in a branch, a block begins with the instruction,
   * after its operands: the operand is kept in a local variable while the counter counts.
   */
  #count(expression, operand, replace) {
    if (this.#block !== undefined) {
      this.#block.instructions++;
      return expression;
    }
    const type = binaryen.getExpressionType(operand);
    if (type === binaryen.unreachable) return expression; // never reached
    // binaryen.js has no other name for this function of the C interface.
    const local = binaryen._BinaryenFunctionAddVar(this.#function, type);
    const module = this.#module;
    const [set, get] = [module.local.set(local, operand), module.local.get(local, type)];
    replace(module.block(null, [set, this.#begin(), get], type));
    return expression;
  }

  /** Begins a block with one instruction in it; the code that counts its executions. */
  #begin() {
    const module = this.#module;
    const name = exportOf(this.#blocks.length);
    this.#block = { function: this.#index, instructions: 1 };
    this.#blocks.push(this.#block);
    module.addGlobal(name, binaryen.i64, true, module.i64.const(0n));
    module.addGlobalExport(name, name);
    const executions = module.global.get(name, binaryen.i64);
    return module.global.set(name, module.i64.add(executions, module.i64.const(1n)));
  }
}

/**
 * Puts counters into a module.
 *
 * @param {Uint8Array} binary
 * @returns {{ binary: Uint8Array, blocks: { function: number, instructions: number }[] }} `function` counts the functions that
 *   the module defines, from 0
 */
export function instrument(binary) {
  const module = binaryen.readBinaryWithFeatures(binary, FEATURES);
  try {
    const blocks = [];
    let index = 0;
    for (let i = 0; i < module.getNumFunctions(); i++) {
      const func = module.getFunctionByIndex(i);
      // Functions that are imported have no code.
      if (binaryen.Function.getBody(func) !== 0) new FunctionWalk(module, func, index++, blocks).run();
    }
    if (!module.validate()) throw new Error("the instrumented module is not valid");
    return { binary: module.emitBinary(), blocks };
  } finally {
    module.dispose();
  }
}

/**
 * Instructions executed so far by an instance of an instrumented module, in each of its functions.
 *
 * @param {WebAssembly.Exports} exports
 * @param {{ function: number, instructions: number }[]} blocks
 * @returns {number[]}
 */
export function executedByFunction(exports, blocks) {
  const executed = [];
  for (const [i, block] of blocks.entries()) {
    const instructions = Number(exports[exportOf(i)].value) * block.instructions;
    executed[block.function] = (executed[block.function] ?? 0) + instructions;
  }
  return executed;
}
