/**
 * Programs of eBPF on the maps of a host: bytecode, and objects of clang, verified and run without a kernel.
 *
 * @module
 */
export type { SkBuff } from "./context/skb.ts";
export type { XdpMd } from "./context/xdp.ts";
export { ObjectError } from "./elf/object_error.ts";
export { ProgramTrap } from "./errors.ts";
export { useInterpreter } from "./interpret/module.ts";
export { assemble } from "./isa/assemble.ts";
export type { HelperFunction, LoadOptions } from "./load.ts";
export { loadProgram, type ProgramMap, type ProgramSpec } from "./load_program.ts";
export { type BpfObject, loadObject, type ObjectOptions } from "./object.ts";
export type { MapChange } from "./object_maps.ts";
export type { BpfProgram, ManyResult, ProgramType, RunInput, RunResult, Verification } from "./program.ts";
export type { SourceLine } from "./verify/program.ts";
export { VerifierError } from "./verify/verifier_error.ts";
