/**
 * The log of a verification, in the kernel's form.
 *
 * @module
 */
import { printInstruction } from "../isa/print.ts";
import type { Register } from "./pointer.ts";
import { isScalar, typeName } from "./pointer.ts";
import type { ProgramToVerify } from "./program.ts";
import { constantOf, S64_MAX, S64_MIN, type Scalar, U64_MAX } from "./scalar/scalar.ts";
import { FRAME_BYTES, SLOTS } from "./stack.ts";
import { running, type State } from "./state.ts";

/** Characters that are kept; what comes later is left out. */
const MOST = 4_000_000;

export class Log {
  readonly #program: ProgramToVerify;
  readonly #parts: string[] = [];
  #length = 0;
  #line: string | undefined;

  constructor(program: ProgramToVerify) {
    this.#program = program;
  }

  get text(): string {
    return this.#parts.join("");
  }

  /** 0, 1 or 2. */
  get level(): number {
    return this.#program.logLevel;
  }

  /** A path begins. */
  path(from: number, to: number, state: State): void {
    this.#add(`\nfrom ${from} to ${to}:${printState(state)}\n`);
    this.#line = undefined;
  }

  /** A path ends where another one has been. */
  pruned(pc: number): void {
    this.#add(`${pc}: safe\n`);
  }

  instruction(pc: number): void {
    const line = this.#program.lineOf?.(pc);
    if (line !== undefined && line.text !== this.#line) {
      this.#add(`; ${line.text.trim()} @ ${line.file}:${line.line}\n`);
      this.#line = line.text;
    }
    this.#add(`${pc}: ${printInstruction(this.#program.instructions[pc]!, pc)}\n`);
  }

  state(pc: number, state: State): void {
    this.#add(`  ${pc}:${printState(state)}\n`);
  }

  refusal(pc: number, text: string): void {
    if (this.#program.instructions[pc] !== undefined && this.level === 0) this.instruction(pc);
    this.#add(`${text}\n`);
  }

  end(visited: number, limit: number, states: number, joins: number): void {
    this.#add(`processed ${visited} insns (limit ${limit}) total_states ${states} joined_states ${joins}\n`);
  }

  #add(text: string): void {
    if (this.#length > MOST) return;
    this.#length += text.length;
    this.#parts.push(this.#length > MOST ? "(the log is longer than this)\n" : text);
  }
}

/** The registers that can be read, and the slots in which something is known. */
function printState(state: State): string {
  const { registers, stack } = running(state);
  const depth = state.frames.length - 1;
  const inRegisters = registers.map((register, r) =>
    register === undefined ? "" : ` R${r}=${print(register)}`,
  );
  const inSlots: string[] = [];
  for (let at = stack.lowest; at < SLOTS; at++) {
    const slot = stack.at(at);
    if (slot === undefined) continue;
    const what = slot.whole ?? slot.low ?? slot.high;
    inSlots.push(` fp${at * 8 - FRAME_BYTES}=${what === undefined ? "mmmmmmmm" : print(what)}`);
  }
  return `${depth === 0 ? "" : ` frame${depth}:`}${inRegisters.join("")} R10=fp0${inSlots.join("")}`;
}

function print(register: Register): string {
  if (isScalar(register)) return printScalar(register);
  const parts: string[] = [];
  if (register.id !== 0) parts.push(`id=${register.id}`);
  if (register.fixed !== 0) parts.push(`off=${register.fixed}`);
  if (register.isPacket) parts.push(`r=${Number.isFinite(register.range) ? register.range : 0}`);
  if (register.kind === "value") parts.push(`vs=${register.target.size}`);
  if (!register.variable.isZero) parts.push(`var=${printScalar(register.variable)}`);
  const name = typeName(register);
  return parts.length === 0 ? `${name}()` : `${name}(${parts.join(",")})`;
}

function printScalar(scalar: Scalar): string {
  if (scalar.isConstant) return `${BigInt.asIntN(64, constantOf(scalar))}`;
  const parts: string[] = [];
  if (scalar.id !== 0) parts.push(`id=${scalar.id}`);
  if (scalar.signedLeast !== S64_MIN) parts.push(`smin=${scalar.signedLeast}`);
  if (scalar.signedMost !== S64_MAX) parts.push(`smax=${scalar.signedMost}`);
  if (scalar.least !== 0) parts.push(`umin=${scalar.least}`);
  if (scalar.most !== U64_MAX) parts.push(`umax=${scalar.most}`);
  return `scalar(${parts.join(",")})`;
}
