/**
 * Makes code that runs of code that was given: checks its structure, verifies it, and puts it into host memory with the addresses of what it
 * refers to.
 *
 * @module
 */
import { noBlock } from "../core/memory/scratch.ts";
import { ERRNO } from "../errors.ts";
import { DATA_WINDOWS, FIRST_DATA_WINDOW, META_WINDOW, PACKET_WINDOW } from "./context/packet.ts";
import type { BoundMap } from "./helpers/bound_map.ts";
import type { Execution, Helper } from "./helpers/execution.ts";
import { PROTOTYPES } from "./helpers/prototypes.ts";
import { HELPERS } from "./helpers/table.ts";
import { type ArgumentRange, type Checks, prepare, type Reach } from "./interpret/prepare.ts";
import type { LoadedCode } from "./interpret/run_state.ts";
import { type Code, decode } from "./isa/decode.ts";
import { helperName } from "./isa/helper_names.ts";
import { CALL, CALLEE } from "./isa/opcodes.ts";
import { structureProblem } from "./isa/structure.ts";
import type { Machine } from "./machine.ts";
import type { ProgramType, Reference, SourceLine } from "./verify/program.ts";
import { VerifierError } from "./verify/verifier_error.ts";
import { type Verified, verifyProgram } from "./verify/verify.ts";

/**
 * Does what a program calls by a number that the package has no helper for: given r1 to r5, it gives r0. For tests of programs that call what
 * only a kernel can do.
 */
export type HelperFunction = (r1: bigint, r2: bigint, r3: bigint, r4: bigint, r5: bigint) => bigint | number;

/** How programs are loaded. */
export interface LoadOptions {
  /**
   * `check`, the default: an access whose bounds the verifier cannot prove is checked when it runs. `strict`: it is an error, as for who will
   * load the program into a kernel.
   */
  readonly verify?: "check" | "strict" | undefined;
  /** Jumps back and calls that a run may take, up to 2^32 - 1. Default 100,000,000. */
  readonly fuel?: number | undefined;
  /** Helpers by their numbers, in the place of those that there are. */
  readonly helpers?: Readonly<Record<number, HelperFunction>> | undefined;
  /** What `verified.log` says. 0, the default: how much was done; 1: all paths; 2: registers after each instruction. */
  readonly log?: 0 | 1 | 2 | undefined;
}

/** A program with all that it refers to. */
export interface ProgramSource {
  readonly name: string;
  readonly type: ProgramType;
  readonly contextSize: number;
  readonly code: Uint8Array;
  /** By slot. Their maps are those of the machine. */
  readonly references: ReadonlyMap<number, Reference>;
  readonly functions: readonly { readonly entry: number; readonly name: string }[];
  readonly lineOf: (slot: number) => SourceLine | undefined;
}

export interface LoadedProgram {
  readonly instructions: Code;
  readonly verified: Verified;
  readonly loaded: LoadedCode;
  readonly helpers: ReadonlyMap<number, Helper>;
  /** Windows of the run record from {@link FIRST_DATA_WINDOW} on: the data sections that checks look into. */
  readonly dataWindows: readonly BoundMap[];
}

/** Throws a {@link VerifierError}, or ENOMEM. */
export function load(machine: Machine, source: ProgramSource, options: LoadOptions): LoadedProgram {
  const { name, code, type } = source;
  const problem = structureProblem(code, type === "raw" ? "rfc" : "kernel");
  if (problem !== undefined) {
    const { errno, text, instruction } = problem;
    throw new VerifierError(errno, text, name, instruction, source.lineOf(instruction), "");
  }
  const instructions = decode(code);
  const verified = verifyProgram({
    ...source,
    instructions,
    mode: options.verify ?? "check",
    logLevel: options.log ?? 0,
    helpers: new Set(Object.keys(options.helpers ?? {}).map(Number)),
  });
  const helpers = helpersOf(source, instructions, options.helpers ?? {});
  const dataWindows = dataSectionsIn(source);
  const prepared = prepare(instructions, valuesOf(machine, source), checksOf(source, verified, dataWindows));
  const loaded = machine.interpreter.load(prepared);
  if (loaded === undefined) throw noBlock(machine.host, "program", "the host");
  return { instructions, verified, loaded, helpers, dataWindows };
}

/** The helpers that a program calls. */
function helpersOf(
  source: ProgramSource,
  instructions: Code,
  given: Readonly<Record<number, HelperFunction>>,
): Map<number, Helper> {
  const helpers = new Map<number, Helper>();
  instructions.forEach((instruction, slot) => {
    if (instruction?.opcode !== CALL || instruction.src !== CALLEE.HELPER) return;
    const id = instruction.imm;
    const brought = given[id];
    const helper = brought === undefined ? HELPERS.get(id) : helperOf(brought);
    if (helper === undefined) {
      const text = `unknown func ${helperName(id) ?? "helper"}#${id}`;
      throw new VerifierError(ERRNO.EINVAL, text, source.name, slot, source.lineOf(slot), "");
    }
    helpers.set(id, helper);
  });
  return helpers;
}

function helperOf(brought: HelperFunction): Helper {
  return ({ state }: Execution) => {
    const [r1, r2, r3, r4, r5] = [1, 2, 3, 4, 5].map((register) => state.register(register));
    return BigInt.asIntN(64, BigInt(brought(r1, r2, r3, r4, r5)));
  };
}

/** Of each 64-bit immediate that refers to something: the address. */
function valuesOf({ host }: Machine, { references }: ProgramSource): Map<number, number> {
  const values = new Map<number, number>();
  for (const [slot, reference] of references) {
    if (reference.kind === "callback") continue;
    const { handle } = (reference.map as BoundMap).table;
    values.set(
      slot,
      reference.kind === "map" ? handle : (host.core.arrayElement(handle, 0) >>> 0) + reference.offset,
    );
  }
  return values;
}

function dataSectionsIn({ references }: ProgramSource): BoundMap[] {
  const maps = new Set<BoundMap>();
  for (const reference of references.values()) {
    if (reference.kind === "data") maps.add(reference.map as BoundMap);
  }
  return [...maps].slice(0, DATA_WINDOWS);
}

/** What the verifier leaves to the interpreter. */
function checksOf(source: ProgramSource, verified: Verified, windows: readonly BoundMap[]): Checks {
  const accesses = new Set<number>();
  const reaches = new Map<number, Reach>();
  const given = new Map<number, readonly ArgumentRange[]>();
  for (const [slot, access] of verified.accesses) {
    if (!access.proven) accesses.add(slot);
    if (access.gives === "packet") reaches.set(slot, { kind: "window", window: PACKET_WINDOW });
    if (access.gives === "packet_meta") reaches.set(slot, { kind: "window", window: META_WINDOW });
  }
  for (const [slot, { helper, map, mapLike, checks }] of verified.calls) {
    if (checks.length > 0) given.set(slot, checks);
    const like = map ?? mapLike;
    if (PROTOTYPES.get(helper)?.result === "value_or_null" && like !== undefined) {
      reaches.set(slot, { kind: "result", bytes: like.valueSize });
    }
  }
  for (const slot of verified.pointerSources) reaches.set(slot, { kind: "source" });
  for (const [slot, reference] of source.references) {
    if (reference.kind !== "data") continue;
    const window = windows.indexOf(reference.map as BoundMap);
    if (window >= 0) reaches.set(slot, { kind: "window", window: FIRST_DATA_WINDOW + window });
  }
  return { accesses, reaches, arguments: given };
}
