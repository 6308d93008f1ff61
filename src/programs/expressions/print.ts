/**
 * Programs as text, for `toString` and for messages.
 *
 * @module
 */
import { ACT_DELETE, ACT_STOP } from "../../constants.ts";
import { U64 } from "./range.ts";
import { scalarType } from "./scalar_types.ts";
import type { BooleanNode, EffectNode, NumberNode, Run, Statement } from "./tree.ts";

const SYMBOLS = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  mod: "%",
  bitAnd: "&",
  bitOr: "|",
  bitXor: "^",
  shl: "<<",
  shr: ">>",
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
  and: "&&",
  or: "||",
} as const;

/** Operations that need no parentheses inside another. */
const CLOSED: readonly string[] = ["load", "constant", "convert", "fold"];

/** Bytes of a constant that are printed. */
const SHOWN_BYTES = 8;

function printRun(run: Run): string {
  if (!(run instanceof Uint8Array)) return run.path;
  const shown = Array.from(run.subarray(0, SHOWN_BYTES), (byte) => byte.toString(16).padStart(2, "0"));
  if (run.length > SHOWN_BYTES) shown.push("...");
  return `[${shown.join(" ")}]`;
}

/** Minus and complement have no nodes of their own: `0 - x`, `x ^ 0xffff...`. */
function printPrefix(node: NumberNode | BooleanNode): string | undefined {
  if (node.op === "neg") return `-${printInner(node.operand)}`;
  if (node.op === "not") return `!${printInner(node.operand)}`;
  if (node.op === "sub" && node.left.op === "constant" && node.left.value === 0n) {
    return `-${printInner(node.right)}`;
  }
  const complement = node.op === "bitXor" && node.right.op === "constant" && node.right.value;
  if (node.op === "bitXor" && (complement === U64.high || complement === -1n))
    return `~${printInner(node.left)}`;
  return undefined;
}

/** A number or a condition inside another. */
export function printInner(node: NumberNode | BooleanNode): string {
  return CLOSED.includes(node.op) ? print(node) : `(${print(node)})`;
}

/** A number or a condition, as one would write it in C. */
export function print(node: NumberNode | BooleanNode): string {
  const prefixed = printPrefix(node);
  if (prefixed !== undefined) return prefixed;
  switch (node.op) {
    case "load":
      return node.place.path;
    case "constant":
      return String(node.value);
    case "convert":
      return `${scalarType(node.scalar).name}(${print(node.operand)})`;
    case "fold":
      return `${node.how}(${print(node.body)} for each of ${node.element.array.path})`;
    case "bytes":
      return `${node.left.path} == ${node.text === undefined ? printRun(node.right) : JSON.stringify(node.text)}`;
    case "texts":
      return `${node.left.path} == ${node.right.path}`;
    case "integers":
    case "floats":
      return `${printInner(node.left)} ${SYMBOLS[node.how]} ${printInner(node.right)}`;
    case "neg":
    case "not":
      return "";
    default:
      return `${printInner(node.left)} ${SYMBOLS[node.op]} ${printInner(node.right)}`;
  }
}

function printEffect({ counter, amount }: EffectNode): string {
  return `${counter.path} += ${print(amount)}`;
}

function printAction(action: number): string {
  const names = [];
  if ((action & ACT_DELETE) !== 0) names.push("ACT_DELETE");
  if ((action & ACT_STOP) !== 0) names.push("ACT_STOP");
  return names.length === 0 ? "ACT_KEEP" : names.join(" | ");
}

/** One line per statement. */
export function printStatement({ when, effects, action }: Statement): string {
  const steps = effects.map(printEffect);
  if (action !== undefined) steps.push(printAction(action));
  return `${when === undefined ? "always" : print(when)}: ${steps.join(", ")}`;
}
