/**
 * Generates code for conditions: an i32, 0 or 1.
 *
 * @module
 */
import { S32, S64, U32, U64, within } from "../expressions/range.ts";
import type { BooleanNode, Comparison, IntegerNode, Place, Run } from "../expressions/tree.ts";
import {
  type CodeWriter,
  F64,
  I32,
  I64,
  type Label,
  type MemoryOpcode,
  type Opcode,
  TYPE_I32,
  TYPE_I64,
} from "../wasm/index.ts";
import { NumberWriter } from "./codegen_number.ts";
import type { FilterLocals } from "./codegen_places.ts";

type Integers = Extract<BooleanNode, { op: "integers" }>;

/** Comparisons of integers of one width that are read alike. */
function instruction(width: typeof I32 | typeof I64, how: Comparison, signed: boolean): Opcode {
  switch (how) {
    case "eq":
      return width.eq;
    case "ne":
      return width.ne;
    case "lt":
      return signed ? width.lt_s : width.lt_u;
    case "le":
      return signed ? width.le_s : width.le_u;
    case "gt":
      return signed ? width.gt_s : width.gt_u;
    case "ge":
      return signed ? width.ge_s : width.ge_u;
  }
}

/** Bytes up to which runs are compared without a loop. */
const STRAIGHT_BYTES = 64;
/** Words that are compared before their differences are looked at: a branch for each would cost more. */
const WORDS_AT_ONCE = 4;

export class BooleanWriter {
  readonly numbers: NumberWriter;
  readonly #code: CodeWriter;

  constructor(code: CodeWriter, locals: FilterLocals, block: number, zeros: number) {
    this.#code = code;
    this.numbers = new NumberWriter(code, locals, block, zeros);
  }

  write(node: BooleanNode): void {
    const code = this.#code;
    switch (node.op) {
      case "constant":
        code.i32(node.value ? 1 : 0);
        break;
      case "not":
        this.write(node.operand);
        code.op(I32.eqz);
        break;
      case "and":
      case "or":
        this.#combine(node.op, node.left, node.right);
        break;
      case "integers":
        this.#compare(node);
        break;
      case "floats":
        this.numbers.float(node.left);
        this.numbers.float(node.right);
        code.op(F64[node.how]);
        break;
      case "bytes":
        if (node.length <= STRAIGHT_BYTES || node.right instanceof Uint8Array)
          this.#sameBytes(node.left, node.right, node.length);
        else this.#sameRuns(node.left, node.right, node.length);
        break;
      case "texts":
        this.#sameTexts(node.left, node.right, node.rooms);
        break;
    }
  }

  /** A right side that costs little is always computed: a branch that is guessed wrong costs more. */
  #combine(op: "and" | "or", left: BooleanNode, right: BooleanNode): void {
    const code = this.#code;
    this.write(left);
    if (isCheap(right)) {
      this.write(right);
      code.op(op === "and" ? I32.and : I32.or);
      return;
    }
    const label = code.if(TYPE_I32);
    if (op === "and") this.write(right);
    else code.i32(1);
    code.else(label);
    if (op === "and") code.i32(0);
    else this.write(right);
    code.end(label);
  }

  #compare({ how, left, right }: Integers): void {
    const code = this.#code;
    const both = (range: typeof S32) => within(left.range, range) && within(right.range, range);
    if (both(S32) || both(U32)) {
      this.numbers.low(left);
      this.numbers.low(right);
      code.op(instruction(I32, how, !both(U32)));
      return;
    }
    if (both(S64) || both(U64)) {
      this.numbers.wide(left);
      this.numbers.wide(right);
      code.op(instruction(I64, how, !both(U64)));
      return;
    }
    // One can be negative, and the other beyond 2^63.
    if (left.sign === "signed") this.#compareSigned(how, left, right);
    else this.#compareSigned(MIRRORED[how], right, left);
  }

  /** A signed integer with an unsigned one: a negative one is the smaller, otherwise both are unsigned. */
  #compareSigned(how: Comparison, signed: IntegerNode, unsigned: IntegerNode): void {
    const code = this.#code;
    const a = code.local(TYPE_I64);
    this.numbers.wide(signed);
    code.tee(a).i64(0n).op(I64.lt_s);
    const negative = code.if(TYPE_I32);
    code.i32(how === "lt" || how === "le" || how === "ne" ? 1 : 0);
    code.else(negative);
    code.get(a);
    this.numbers.wide(unsigned);
    code.op(instruction(I64, how, false));
    code.end(negative);
  }

  /** Compares word by word, some words before each look at what differs. */
  #sameBytes(left: Place, right: Run, length: number): void {
    const code = this.#code;
    const a = this.#pointer(left);
    const b = right instanceof Uint8Array ? right : this.#pointer(right);
    const words = wordsOf(length);
    const done = words.length > WORDS_AT_ONCE ? code.block(TYPE_I32) : undefined;
    for (let first = 0; first < words.length; first += WORDS_AT_ONCE) {
      const group = words.slice(first, first + WORDS_AT_ONCE);
      for (const [index, word] of group.entries()) {
        this.#difference(a, b, word);
        if (index > 0) code.op(I64.or);
      }
      code.op(I64.eqz);
      if (done !== undefined && first + WORDS_AT_ONCE < words.length) this.#leaveUnless(done);
    }
    if (done !== undefined) code.end(done);
  }

  /** Leaves a block with 0 when the i32 on the stack is 0. */
  #leaveUnless(done: Label): void {
    const code = this.#code;
    code.op(I32.eqz);
    code.ifThen(() => code.i32(0).br(done));
  }

  /** The bits of a word in which two runs differ. */
  #difference(a: Pointer, b: Pointer | Uint8Array, { at, bytes }: Word): void {
    const code = this.#code;
    const load = LOADS[bytes];
    code.get(a.local).load(load, a.offset + at);
    if (b instanceof Uint8Array) code.i64(little(b.subarray(at, at + bytes)));
    else code.get(b.local).load(load, b.offset + at);
    code.op(I64.xor);
  }

  /** Compares long runs of memory by 8 bytes in a loop, then what is left. */
  #sameRuns(left: Place, right: Place, length: number): void {
    const code = this.#code;
    const a = code.local(TYPE_I32);
    const b = code.local(TYPE_I32);
    const end = code.local(TYPE_I32);
    const looped = length & ~7;
    this.numbers.places.exact(left);
    code.tee(a).i32(looped).op(I32.add).set(end);
    this.numbers.places.exact(right);
    code.set(b);
    const done = code.block(TYPE_I32);
    const next = code.loop();
    code.get(a).load(I64.load).get(b).load(I64.load).op(I64.eq);
    this.#leaveUnless(done);
    code.get(b).i32(8).op(I32.add).set(b);
    code.get(a).i32(8).op(I32.add).tee(a).get(end).op(I32.ne).brIf(next);
    code.end(next);
    const rest = wordsOf(length - looped);
    code.i64(0n);
    for (const word of rest) {
      this.#difference({ local: a, offset: 0 }, { local: b, offset: 0 }, word);
      code.op(I64.or);
    }
    code.op(I64.eqz);
    code.end(done);
  }

  /** Compares byte by byte, up to a NUL in both or the end of the shorter room, where the longer one must have its NUL. */
  #sameTexts(left: Place, right: Place, [roomOfLeft, roomOfRight]: readonly [number, number]): void {
    const code = this.#code;
    const shorter = Math.min(roomOfLeft, roomOfRight);
    const a = code.local(TYPE_I32);
    const b = code.local(TYPE_I32);
    const end = code.local(TYPE_I32);
    const byte = code.local(TYPE_I32);
    this.numbers.places.exact(left);
    code.tee(a).i32(shorter).op(I32.add).set(end);
    this.numbers.places.exact(right);
    code.set(b);
    const done = code.block(TYPE_I32);
    const next = code.loop();
    code.get(a).load(I32.load8_u).tee(byte).get(b).load(I32.load8_u).op(I32.eq);
    this.#leaveUnless(done);
    code.get(byte).op(I32.eqz);
    code.ifThen(() => code.i32(1).br(done));
    code.get(b).i32(1).op(I32.add).set(b);
    code.get(a).i32(1).op(I32.add).tee(a).get(end).op(I32.ne).brIf(next);
    code.end(next);
    if (roomOfLeft === roomOfRight) code.i32(1);
    else
      code
        .get(roomOfLeft > roomOfRight ? a : b)
        .load(I32.load8_u)
        .op(I32.eqz);
    code.end(done);
  }

  /** The address of a place in a local, so that loads can share it. */
  #pointer(place: Place): Pointer {
    const local = this.#code.local(TYPE_I32);
    const offset = this.numbers.places.address(place);
    this.#code.set(local);
    return { local, offset };
  }
}

interface Pointer {
  readonly local: number;
  readonly offset: number;
}

interface Word {
  readonly at: number;
  readonly bytes: 1 | 2 | 4 | 8;
}

const LOADS: Readonly<Record<Word["bytes"], MemoryOpcode>> = {
  1: I64.load8_u,
  2: I64.load16_u,
  4: I64.load32_u,
  8: I64.load,
};

const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  eq: "eq",
  ne: "ne",
  lt: "gt",
  le: "ge",
  gt: "lt",
  ge: "le",
};

/** A run in words, the largest ones first; none reads beyond its end. */
function wordsOf(length: number): Word[] {
  const words: Word[] = [];
  let at = 0;
  for (const bytes of [8, 4, 2, 1] as const) {
    for (; length - at >= bytes; at += bytes) words.push({ at, bytes });
  }
  return words;
}

/** Bytes as the integer that a load makes of them. */
function little(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Whether a condition is a few instructions without a branch. */
function isCheap(node: BooleanNode): boolean {
  switch (node.op) {
    case "constant":
      return true;
    case "not":
      return isCheap(node.operand);
    case "integers":
    case "floats":
      return [node.left, node.right].every(
        (side) => side.op === "constant" || (side.op === "load" && typeof side.place.base === "string"),
      );
    default:
      return false;
  }
}
