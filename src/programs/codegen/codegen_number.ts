/**
 * Generates code for numbers.
 *
 * An integer of a program has 64 bits, but mostly 32 are enough. Each can be written in two ways: `wide` leaves all of it as an
 * i64, `low` its low 32 bits as an i32. The low bits of sums, products and bit operations depend on nothing but the low bits of
 * the operands; for the other operations `low` needs operands whose range fits 32 bits, and falls back to `wide` otherwise.
 *
 * @module
 */
import { Scalar } from "../../codec/codec.ts";
import { narrow, type Range, readAs, S32, S64, type Sign, U32, within } from "../expressions/range.ts";
import { type NumberKind, scalarType } from "../expressions/scalar_types.ts";
import type { FloatNode, Fold, IntegerNode, NumberNode } from "../expressions/tree.ts";
import {
  type CodeWriter,
  F32,
  F64,
  I32,
  I64,
  type MemoryOpcode,
  type Opcode,
  TYPE_F64,
  TYPE_I32,
  TYPE_I64,
} from "../wasm/index.ts";
import { type FilterLocals, PlaceWriter } from "./codegen_places.ts";

type IntegerKind = Exclude<NumberKind, typeof Scalar.F32 | typeof Scalar.F64>;
type Operation = Extract<IntegerNode, { left: IntegerNode }>;

/** All bits of an integer in memory, and its low 32. */
const LOADS: Readonly<Record<IntegerKind, readonly [wide: MemoryOpcode, low: MemoryOpcode]>> = {
  [Scalar.U8]: [I64.load8_u, I32.load8_u],
  [Scalar.I8]: [I64.load8_s, I32.load8_s],
  [Scalar.U16]: [I64.load16_u, I32.load16_u],
  [Scalar.I16]: [I64.load16_s, I32.load16_s],
  [Scalar.U32]: [I64.load32_u, I32.load],
  [Scalar.I32]: [I64.load32_s, I32.load],
  [Scalar.U53]: [I64.load, I32.load],
  [Scalar.U64]: [I64.load, I32.load],
  [Scalar.I64]: [I64.load, I32.load],
};

/** Operations whose low bits come of the low bits of the operands: on i32 and on i64. */
const BITWISE = {
  add: [I32.add, I64.add],
  sub: [I32.sub, I64.sub],
  mul: [I32.mul, I64.mul],
  bitAnd: [I32.and, I64.and],
  bitOr: [I32.or, I64.or],
  bitXor: [I32.xor, I64.xor],
} as const;

const FLOATS = { add: F64.add, sub: F64.sub, mul: F64.mul, div: F64.div } as const;

/** What a smallest or largest element is compared with first. */
const LIMITS = {
  signed: { min: (1n << 63n) - 1n, max: -(1n << 63n) },
  unsigned: { min: (1n << 64n) - 1n, max: 0n },
} as const;

/** The instructions of one width. */
interface Width {
  readonly ops: Readonly<Record<WidthOp, Opcode>>;
  readonly type: typeof TYPE_I32 | typeof TYPE_I64;
}
type WidthOp = "and" | "shl" | "shr_s" | "shr_u" | "div_s" | "div_u" | "rem_s" | "rem_u" | "eqz";
const NARROW: Width = { ops: I32, type: TYPE_I32 };
const WIDE: Width = { ops: I64, type: TYPE_I64 };

export class NumberWriter {
  readonly places: PlaceWriter;
  readonly #code: CodeWriter;

  constructor(code: CodeWriter, locals: FilterLocals, block: number, zeros: number) {
    this.#code = code;
    this.places = new PlaceWriter(code, locals, block, zeros, this);
  }

  /** All 64 bits, as an i64. */
  wide(node: IntegerNode): void {
    const code = this.#code;
    switch (node.op) {
      case "load":
        code.load(LOADS[node.scalar as IntegerKind][0], this.places.address(node.place));
        break;
      case "constant":
        code.i64(node.value);
        break;
      case "convert":
        if (node.operand.type === "float") this.#truncate(node.scalar, node.operand);
        else this.#cast(node.scalar, node.operand);
        break;
      case "fold":
        this.#foldIntegers(node.sign, node);
        break;
      case "div":
      case "mod":
      case "shr": {
        const short = fitting(node);
        this.#operate(node, short);
        if (short !== undefined) code.op(node.range.low < 0n ? I64.extend_i32_s : I64.extend_i32_u);
        break;
      }
      case "shl":
        this.#operate(node, undefined);
        break;
      default:
        this.wide(node.left);
        this.wide(node.right);
        code.op(BITWISE[node.op][1]);
    }
  }

  /** The low 32 bits, as an i32. */
  low(node: IntegerNode): void {
    const code = this.#code;
    switch (node.op) {
      case "load":
        code.load(LOADS[node.scalar as IntegerKind][1], this.places.address(node.place));
        return;
      case "constant":
        code.i32(Number(BigInt.asIntN(32, node.value)));
        return;
      case "add":
      case "sub":
      case "mul":
      case "bitAnd":
      case "bitOr":
      case "bitXor":
        this.low(node.left);
        this.low(node.right);
        code.op(BITWISE[node.op][0]);
        return;
      case "div":
      case "mod":
      case "shl":
      case "shr": {
        const short = fitting(node);
        this.#operate(node, short);
        if (short === undefined) code.op(I32.wrap_i64);
        return;
      }
      case "convert":
        if (node.operand.type === "integer") {
          this.low(node.operand);
          this.#extendLow(node.scalar);
          return;
        }
    }
    this.wide(node);
    code.op(I32.wrap_i64);
  }

  /** A float, as an f64. */
  float(node: FloatNode): void {
    const code = this.#code;
    switch (node.op) {
      case "load": {
        const offset = this.places.address(node.place);
        if (node.scalar === Scalar.F64) code.load(F64.load, offset);
        else code.load(F32.load, offset).op(F64.promote_f32);
        break;
      }
      case "constant":
        code.f64(node.value);
        break;
      case "neg":
        this.float(node.operand);
        code.op(F64.neg);
        break;
      case "convert":
        this.#toFloat(node.operand);
        if (node.scalar === Scalar.F32) code.op(F32.demote_f64).op(F64.promote_f32);
        break;
      case "fold":
        this.#foldFloats(node);
        break;
      default:
        this.float(node.left);
        this.float(node.right);
        code.op(FLOATS[node.op]);
    }
  }

  #toFloat(node: NumberNode): void {
    if (node.type === "float") {
      this.float(node);
      return;
    }
    const short = narrow(node.range);
    if (short !== undefined) {
      this.low(node);
      this.#code.op(short === "signed" ? F64.convert_i32_s : F64.convert_i32_u);
    } else {
      this.wide(node);
      this.#code.op(node.sign === "signed" ? F64.convert_i64_s : F64.convert_i64_u);
    }
  }

  /** Keeps the bits of an integer that the kind has room for. */
  #cast(scalar: NumberKind, operand: IntegerNode): void {
    const code = this.#code;
    this.wide(operand);
    switch (scalar) {
      case Scalar.U8:
        code.i64(0xffn).op(I64.and);
        break;
      case Scalar.U16:
        code.i64(0xffffn).op(I64.and);
        break;
      case Scalar.U32:
        code.i64(0xffff_ffffn).op(I64.and);
        break;
      case Scalar.I8:
        code.op(I64.extend8_s);
        break;
      case Scalar.I16:
        code.op(I64.extend16_s);
        break;
      case Scalar.I32:
        code.op(I64.extend32_s);
        break;
    }
  }

  /** The same on low words. */
  #extendLow(scalar: NumberKind): void {
    const code = this.#code;
    switch (scalar) {
      case Scalar.U8:
        code.i32(0xff).op(I32.and);
        break;
      case Scalar.U16:
        code.i32(0xffff).op(I32.and);
        break;
      case Scalar.I8:
        code.op(I32.extend8_s);
        break;
      case Scalar.I16:
        code.op(I32.extend16_s);
        break;
    }
  }

  /** The integer of a kind that is nearest to a float cut towards zero. */
  #truncate(scalar: NumberKind, operand: FloatNode): void {
    const code = this.#code;
    const { bytes, range } = scalarType(scalar);
    const { low, high } = range as Range;
    this.float(operand);
    // The instruction goes no further than the ends of 64 bits; NaN comes through to it, and it makes 0 of it.
    if (bytes < 8) code.f64(Number(low)).op(F64.max).f64(Number(high)).op(F64.min);
    code.op(low < 0n ? I64.trunc_sat_f64_s : I64.trunc_sat_f64_u);
  }

  /** An operation that needs all bits of its operands. `short`: how 32 bits of them are read, when they are enough. */
  #operate({ op, sign, left, right }: Operation, short: Sign | undefined): void {
    const width = short === undefined ? WIDE : NARROW;
    if (op === "div" || op === "mod") this.#divide(op, width, short ?? sign, left, right);
    else {
      const { ops } = width;
      this.#write(width, left);
      // All shifts look at the low bits of the count only, as many as the width has.
      this.#write(width, right);
      this.#code.op(op === "shl" ? ops.shl : (short ?? sign) === "signed" ? ops.shr_s : ops.shr_u);
    }
  }

  #divide(op: "div" | "mod", width: Width, sign: Sign, left: IntegerNode, right: IntegerNode): void {
    const code = this.#code;
    const { ops } = width;
    const dividend = readAs(sign, left.range);
    const divisor = readAs(sign, right.range);
    this.#write(width, left);
    const power = dividend.low >= 0n ? powerOf2(divisor) : undefined;
    if (power !== undefined) {
      this.#constant(width, op === "div" ? power : (1n << power) - 1n);
      code.op(op === "div" ? ops.shr_u : ops.and);
      return;
    }
    const division = sign === "signed" ? ops.div_s : ops.div_u;
    const instruction = op === "div" ? division : sign === "signed" ? ops.rem_s : ops.rem_u;
    const mayBeZero = has(divisor, 0n);
    // 32 bits are not used where this could be: -2^31 / -1 does not fit them.
    const mayOverflow = op === "div" && width === WIDE && has(dividend, S64.low) && has(divisor, -1n);
    if (!mayBeZero && !mayOverflow) {
      this.#write(width, right);
      code.op(instruction);
      return;
    }
    // Zero and overflow trap in WebAssembly.
    const a = code.local(width.type);
    const b = code.local(width.type);
    code.set(a);
    this.#write(width, right);
    code.tee(b).op(ops.eqz);
    const byZero = code.if(width.type);
    if (op === "div") this.#constant(width, 0n);
    else code.get(a);
    code.else(byZero);
    if (mayOverflow) {
      code.get(b).i64(-1n).op(I64.eq);
      const negated = code.if(TYPE_I64);
      code.i64(0n).get(a).op(I64.sub);
      code.else(negated);
      code.get(a).get(b).op(instruction);
      code.end(negated);
    } else code.get(a).get(b).op(instruction);
    code.end(byZero);
  }

  #write(width: Width, node: IntegerNode): void {
    if (width === WIDE) this.wide(node);
    else this.low(node);
  }

  #constant(width: Width, value: bigint): void {
    if (width === WIDE) this.#code.i64(value);
    else this.#code.i32(Number(value));
  }

  #foldIntegers(sign: Sign, { how, element, body }: Fold<IntegerNode>): void {
    const code = this.#code;
    const result = code.local(TYPE_I64);
    const each = code.local(TYPE_I64);
    code.i64(how === "sum" ? 0n : LIMITS[sign][how]).set(result);
    this.places.each(element, () => {
      this.wide(body);
      if (how === "sum") code.get(result).op(I64.add).set(result);
      else {
        const signed = sign === "signed";
        const first = how === "min" ? (signed ? I64.lt_s : I64.lt_u) : signed ? I64.gt_s : I64.gt_u;
        code.tee(each).get(result).get(each).get(result).op(first).select().set(result);
      }
    });
    code.get(result);
  }

  #foldFloats({ how, element, body }: Fold<FloatNode>): void {
    const code = this.#code;
    const result = code.local(TYPE_F64);
    const start = { sum: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
    code.f64(start[how]).set(result);
    this.places.each(element, () => {
      code.get(result);
      this.float(body);
      code.op(how === "sum" ? F64.add : F64[how]).set(result);
    });
    code.get(result);
  }
}

/** How 32 bits of both operands are read, when they are enough for an operation. */
function fitting({ op, left, right, range }: Operation): Sign | undefined {
  // A shift by 32 or more would be another one in 32 bits.
  const fewBits = within(right.range, { low: 0n, high: 31n });
  if (op === "shl") return fewBits ? "unsigned" : undefined;
  if (op === "shr") return fewBits ? narrow(left.range) : undefined;
  if (within(left.range, U32) && within(right.range, U32)) return "unsigned";
  return within(left.range, S32) && within(right.range, S32) && within(range, S32) ? "signed" : undefined;
}

function has({ low, high }: Range, value: bigint): boolean {
  return low <= value && value <= high;
}

/** The exponent of a range that is one power of two. */
function powerOf2({ low, high }: Range): bigint | undefined {
  if (low !== high || low <= 0n || (low & (low - 1n)) !== 0n) return undefined;
  return BigInt(low.toString(2).length - 1);
}
