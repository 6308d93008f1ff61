/**
 * Runs programs without generated code: as closures in JavaScript over the views of host memory. What they compute is bit for
 * bit what the generated code does (codegen.ts).
 *
 * @module
 */
import { Scalar } from "../../codec/codec.ts";
import { ACT_KEEP } from "../../constants.ts";
import type { HostViews } from "../../core/memory/views.ts";
import { scalarType } from "../expressions/scalar_types.ts";
import type { EffectNode, FloatNode, IntegerNode, ProgramTree } from "../expressions/tree.ts";
import { booleanReader } from "./evaluate_boolean.ts";
import { floatAt, floatReader, integerAt, integerReader } from "./evaluate_number.ts";
import { Evaluation } from "./evaluate_places.ts";
import { integerOperation, low } from "./integers.ts";

const WORD = 0x1_0000_0000;

/** Decides about the entry with these addresses. */
export type Evaluate = (key: number, value: number) => number;

/** @param block address of the program's own memory */
export function evaluator(host: HostViews, tree: ProgramTree, block: number): Evaluate {
  const of = new Evaluation(host, block, tree.zeros, integerReader);
  const steps = tree.statements.map(({ when, effects, action }) => ({
    when: when && booleanReader(of, when),
    effects: effects.map((effect) => counting(of, effect)),
    action,
  }));
  return (key, value) => {
    if (host.u8.length === 0) host.refresh();
    of.key = key;
    of.value = value;
    for (const { when, effects, action } of steps) {
      if (when !== undefined && !when()) continue;
      for (const effect of effects) effect();
      if (action !== undefined) return action;
    }
    return ACT_KEEP;
  };
}

function counting(of: Evaluation, effect: EffectNode): () => void {
  const { amount } = effect;
  return amount.type === "float" ? countFloat(of, effect, amount) : countInteger(of, effect, amount);
}

function countFloat(of: Evaluation, { scalar, counter }: EffectNode, amount: FloatNode): () => void {
  const { host } = of;
  const address = of.address(counter);
  const read = floatAt(scalar);
  const by = floatReader(of, amount);
  return () => {
    const at = address();
    const sum = read(host.view, at) + by();
    if (scalar === Scalar.F32) host.view.setFloat32(at, sum, true);
    else host.view.setFloat64(at, sum, true);
  };
}

/** Integers wrap in their own width: a store keeps as many of the low bits. */
function countInteger(of: Evaluation, { scalar, counter }: EffectNode, amount: IntegerNode): () => void {
  const { host } = of;
  const address = of.address(counter);
  const read = integerAt(scalar);
  const by = integerReader(of, amount);
  const { bytes } = scalarType(scalar);
  const add = integerOperation("add", "signed");
  return () => {
    const at = address();
    const { view } = host;
    const sum = add(read(view, at), by());
    if (bytes === 1) view.setUint8(at, low(sum));
    else if (bytes === 2) view.setUint16(at, low(sum), true);
    else if (bytes === 4) view.setUint32(at, low(sum), true);
    else if (typeof sum === "bigint") view.setBigInt64(at, sum, true);
    else {
      view.setUint32(at, low(sum), true);
      view.setInt32(at + 4, Math.floor(sum / WORD), true);
    }
  };
}
