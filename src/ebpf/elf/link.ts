/**
 * Makes one program of a function and all functions of the object that it needs: they go behind it, and calls are counted anew.
 *
 * @module
 */
import { encode, type Instruction } from "../isa/decode.ts";
import { CALLEE, IMM64, LD_IMM64, SLOT_BYTES } from "../isa/opcodes.ts";
import type { BtfExt, LineRecord } from "./btf_ext.ts";
import type { ObjectFunction } from "./functions.ts";
import { ObjectError } from "./object_error.ts";
import { type Parts, type Reference, referenceOf } from "./relocate.ts";

/** What an instruction of a linked program refers to. */
export interface Relocation {
  readonly slot: number;
  /** A map; a byte of a data section; a function of the program; a function of the kernel; something else of the kernel. */
  readonly kind: "map" | "data" | "callback" | "kfunc" | "ksym";
  /** Of the map, the section, or the function. */
  readonly name: string;
  /** Of data, the byte; of a callback, the slot where it begins; otherwise 0. */
  readonly offset: number;
  /** Whether the program can do without: such a reference is 0. */
  readonly isWeak: boolean;
}

/** A function of a linked program. */
export interface LinkedFunction {
  readonly name: string;
  /** The slot where it begins. */
  readonly start: number;
  /** Its type in BTF. */
  readonly type: number | undefined;
  /** Whether it may be verified by itself, as its prototype says. */
  readonly isGlobal: boolean;
}

/** Which line of the source an instruction comes from, and those behind it up to the next one that is named. */
export interface Line {
  readonly slot: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

export interface LinkedProgram {
  /** Maps and variables are zeros: see {@link relocations}. Calls and callbacks are as they will be. */
  readonly code: Uint8Array<ArrayBuffer>;
  readonly relocations: readonly Relocation[];
  readonly functions: readonly LinkedFunction[];
  /** In the order of slots. */
  readonly lines: readonly Line[];
}

/** Instructions of a program, BPF_COMPLEXITY_LIMIT_INSNS: functions that hold each other are no way around it. */
const MOST_SLOTS = 1_000_000;

/** @throws ObjectError for a reference to nothing */
export function link(parts: Parts, main: ObjectFunction, ext: BtfExt | undefined): LinkedProgram {
  const starts = new Map<ObjectFunction, number>();
  const order: ObjectFunction[] = [];
  let end = 0;
  const place = (callee: ObjectFunction): number => {
    const placed = starts.get(callee);
    if (placed !== undefined) return placed;
    const start = end;
    starts.set(callee, start);
    order.push(callee);
    end += callee.code.length;
    if (end > MOST_SLOTS) throw new ObjectError(`${main.name} has more than ${MOST_SLOTS} instructions`);
    return start;
  };
  place(main);
  const code: (Instruction | undefined)[] = [];
  const relocations: Relocation[] = [];
  // It grows while it is walked.
  for (const function_ of order) {
    function_.code.forEach((instruction, i) => {
      const slot = code.length;
      const reference = instruction && referenceOf(parts, function_, instruction, i);
      if (reference === undefined) code.push(instruction);
      else {
        const target = "function" in reference ? place(reference.function) : 0;
        code.push(resolved(instruction!, reference, target - slot - 1));
        const relocation = relocationOf(reference, slot, target);
        if (relocation !== undefined) relocations.push(relocation);
      }
    });
  }
  return {
    code: encode(code),
    relocations,
    functions: order.map((function_) => ({
      name: function_.name,
      start: starts.get(function_)!,
      type: function_.type,
      isGlobal: function_.isGlobal,
    })),
    lines: order.flatMap((function_) => linesOf(function_, starts.get(function_)!, ext)),
  };
}

/** An instruction with what is known of its reference. */
function resolved(instruction: Instruction, reference: Reference, distance: number): Instruction {
  switch (reference.kind) {
    case "call":
      return { ...instruction, imm: distance };
    case "callback":
      return immediate(instruction, IMM64.FUNC, BigInt(distance >>> 0));
    case "map":
      return immediate(instruction, IMM64.MAP_FD, 0n);
    case "data":
      return immediate(instruction, IMM64.MAP_VALUE, BigInt(reference.offset) << 32n);
    case "kfunc":
      return { ...instruction, src: CALLEE.KFUNC, imm: 0 };
    case "ksym":
      return immediate(instruction, IMM64.VALUE, 0n);
  }
}

function immediate(instruction: Instruction, src: number, imm64: bigint): Instruction {
  return { ...instruction, opcode: LD_IMM64, src, imm: Number(BigInt.asIntN(32, imm64)), imm64 };
}

function relocationOf(reference: Reference, slot: number, target: number): Relocation | undefined {
  switch (reference.kind) {
    case "call":
      return undefined;
    case "callback":
      return { slot, kind: "callback", name: reference.function.name, offset: target, isWeak: false };
    case "map":
      return { slot, kind: "map", name: reference.name, offset: 0, isWeak: false };
    case "data":
      return { slot, kind: "data", name: reference.name, offset: reference.offset, isWeak: false };
  }
  return { slot, kind: reference.kind, name: reference.name, offset: 0, isWeak: reference.isWeak };
}

/** The lines of a function that has been placed. Line 0 is for what the compiler has added: it belongs to the line before it. */
function linesOf({ section, start, code }: ObjectFunction, placed: number, ext: BtfExt | undefined): Line[] {
  const own = (ext?.lines.get(section.name) ?? []).filter(({ offset, line }) => {
    const slot = offset / SLOT_BYTES;
    return line > 0 && slot >= start && slot < start + code.length && code[slot - start] !== undefined;
  });
  const placedLine = ({ offset, ...line }: LineRecord): Line => ({
    slot: offset / SLOT_BYTES - start + placed,
    ...line,
  });
  return own.map(placedLine).sort((a, b) => a.slot - b.slot);
}

/** The line that an instruction of a program comes from; undefined where the object does not say it. */
export function lineAt({ lines, functions }: LinkedProgram, slot: number): Line | undefined {
  const line = lines.findLast((candidate) => candidate.slot <= slot);
  const start = functions.findLast((candidate) => candidate.start <= slot)?.start ?? 0;
  return line !== undefined && line.slot >= start ? line : undefined;
}
