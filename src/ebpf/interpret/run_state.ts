/**
 * The record of a run of bytecode in host memory (assembly/ebpf/frame.ts).
 *
 * @module
 */
import type { CoreMemory } from "../../core/memory/core_memory.ts";
import {
  EBPF_CODE,
  EBPF_DEPTH,
  EBPF_ENDED_AT,
  EBPF_FUEL,
  EBPF_OUTCOME,
  EBPF_RUN_BYTES,
  EBPF_SHADOWS,
  EBPF_STACK,
  EBPF_STACK_BYTES,
  EBPF_WINDOWS,
} from "../../generated/abi.js";
import type { PreparedCode } from "./prepare.ts";

/** Code in host memory. */
export interface LoadedCode {
  readonly address: number;
  readonly bytes: number;
  readonly prepared: PreparedCode;
}

export class RunState {
  readonly address: number;
  readonly #host: CoreMemory;
  /** Code of this run by its address: a function that has made a tail call returns to other code. */
  readonly #codes = new Map<number, LoadedCode>();

  constructor(host: CoreMemory, address: number) {
    this.#host = host;
    this.address = address;
    host.u8.fill(0, address, address + EBPF_RUN_BYTES);
  }

  /** Sets up a run of its own: no frames, registers and stack zero, no shadows. */
  begin(code: LoadedCode, fuel: number): void {
    const { u8 } = this.#host;
    u8.fill(0, this.address, this.address + EBPF_WINDOWS);
    u8.fill(0, this.address + EBPF_SHADOWS, this.address + EBPF_RUN_BYTES);
    this.#codes.clear();
    this.setCode(code);
    this.fuel = fuel;
  }

  /** The code that {@link Interpreter.run} and a tail call begin. */
  setCode(code: LoadedCode): void {
    this.#codes.set(code.address, code);
    this.#set(EBPF_CODE, code.address);
  }

  /** Jumps back and calls that are left. */
  get fuel(): number {
    return this.#get(EBPF_FUEL);
  }

  set fuel(fuel: number) {
    this.#set(EBPF_FUEL, fuel);
  }

  /** Frames in use. */
  get depth(): number {
    return this.#get(EBPF_DEPTH);
  }

  get outcome(): number {
    return this.#get(EBPF_OUTCOME);
  }

  set outcome(outcome: number) {
    this.#set(EBPF_OUTCOME, outcome);
  }

  /** The instruction of the program that ended the run, of one that did not return. */
  get endedAt(): number {
    return this.#codes.get(this.#get(EBPF_CODE))!.prepared.slotOf(this.#get(EBPF_ENDED_AT));
  }

  /** The lower half of a register: an address, a size. */
  word(register: number): number {
    return this.#get(register * 8);
  }

  register(register: number): bigint {
    return (BigInt(this.#get(register * 8 + 4)) << 32n) | BigInt(this.#get(register * 8));
  }

  /** Sets a register to an u32. */
  setWord(register: number, value: number): void {
    this.#set(register * 8, value);
    this.#set(register * 8 + 4, 0);
  }

  setRegister(register: number, value: bigint): void {
    this.#set(register * 8, Number(BigInt.asUintN(32, value)));
    this.#set(register * 8 + 4, Number(BigInt.asUintN(32, value >> 32n)));
  }

  /** What the pointer in a register may reach. */
  reach(register: number): { readonly address: number; readonly bytes: number } {
    const at = EBPF_SHADOWS + register * 8;
    return { address: this.#get(at), bytes: this.#get(at + 4) };
  }

  /** Memory that pointers may get as their reach. Window 0 is the packet, from which classic instructions load. */
  setWindow(window: number, address: number, bytes: number): void {
    this.#set(EBPF_WINDOWS + window * 8, address);
    this.#set(EBPF_WINDOWS + window * 8 + 4, bytes);
  }

  /** What the pointer in a register may reach when the run begins. */
  setReach(register: number, address: number, bytes: number): void {
    this.#set(EBPF_SHADOWS + register * 8, address);
    this.#set(EBPF_SHADOWS + register * 8 + 4, bytes);
  }

  /** The same for a pointer that one register has from another: arguments of callbacks. */
  copyReach(to: number, from: number): void {
    const at = EBPF_SHADOWS + from * 8;
    this.setReach(to, this.#get(at), this.#get(at + 4));
  }

  /** The stack of all frames: the outermost function has its last 512 bytes. */
  get stack(): { readonly address: number; readonly bytes: number } {
    return { address: this.address + EBPF_STACK, bytes: EBPF_STACK_BYTES };
  }

  #get(offset: number): number {
    return this.#host.word(this.address + offset);
  }

  #set(offset: number, value: number): void {
    this.#host.putWord(this.address + offset, value);
  }
}
