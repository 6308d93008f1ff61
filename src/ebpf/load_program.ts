/**
 * Loads bytecode that belongs to no object.
 *
 * @module
 */
import { checkInteger } from "../arguments/integer.ts";
import { checkKnown } from "../arguments/known.ts";
import { describe } from "../arguments/mismatch.ts";
import { ERRNO } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { EntryMap } from "../maps/base/entry_map.ts";
import { type BoundMap, bindMap } from "./helpers/bound_map.ts";
import { decode, type Instruction } from "./isa/decode.ts";
import { IMM64, LD_IMM64, SLOT_BYTES } from "./isa/opcodes.ts";
import type { LoadOptions } from "./load.ts";
import { Machine } from "./machine.ts";
import { BpfProgram, checkLoadOptions, LOAD_OPTIONS, type ProgramType } from "./program.ts";
import type { Reference } from "./verify/program.ts";
import { VerifierError } from "./verify/verifier_error.ts";

/** A map that a program can use: any but those of objects, and those with keys of any length. */
// biome-ignore lint/suspicious/noExplicitAny: maps of any keys and values
export type ProgramMap = EntryMap<any, any>;

/** What {@link loadProgram} loads bytecode as. */
export interface ProgramSpec extends LoadOptions {
  readonly type: ProgramType;
  /** For messages. Default `program`. */
  readonly name?: string | undefined;
  /** raw: bytes of memory that the program is given, up to 65535. Default 0. */
  readonly contextSize?: number | undefined;
  /** The maps that it names, by their index here in the place of a file descriptor. */
  readonly maps?: readonly ProgramMap[] | undefined;
}

const TYPES: readonly ProgramType[] = ["raw", "xdp", "tc", "socket_filter", "cgroup_skb"];
const MOST_CONTEXT = 0xffff;

/**
 * Loads bytecode, after it was verified.
 *
 * @param code instructions of 8 bytes, as compilers and assemblers write them
 * @throws {@link VerifierError} for a program that could do what it may not; TypeError or RangeError for options of the wrong form; BpfError
 *   ENOMEM when the host's memory is used up
 * @example
 * ```ts
 * import { createHost, u32, u64 } from "bpfmap";
 * import { assemble, loadProgram } from "bpfmap/ebpf";
 *
 * const host = createHost();
 * const hits = host.createMap({ type: "array", key: u32, value: u64, maxEntries: 1 });
 * const code = assemble(`
 *   *(u32 *)(r10 -4) = 0
 *   r1 = map[fd:0]
 *   r2 = r10
 *   r2 += -4
 *   call bpf_map_lookup_elem
 *   if r0 == 0 goto none
 *   r1 = 1
 *   lock *(u64 *)(r0 +0) += r1
 * none:
 *   r0 = 0
 *   exit`);
 * const program = loadProgram(host, code, { type: "raw", maps: [hits] });
 * program.run({ repeat: 3 });
 * console.log(hits.get(0)); // 3n
 * ```
 */
export function loadProgram(host: Host, code: Uint8Array, spec: ProgramSpec): BpfProgram {
  host.check("program");
  if (!(code instanceof Uint8Array)) {
    throw new TypeError(`loadProgram: expected bytecode as a Uint8Array, got ${describe(code)}`);
  }
  const what = "loadProgram";
  if (typeof spec !== "object" || spec === null) {
    throw new TypeError(`${what}: expected { type, maps }, got ${describe(spec)}`);
  }
  checkKnown(what, spec, ["type", "name", "contextSize", "maps", ...LOAD_OPTIONS]);
  checkLoadOptions(what, spec);
  const { type, name = "program", contextSize = 0, maps = [] } = spec;
  if (!TYPES.includes(type)) {
    throw new TypeError(`${what}: type: expected ${TYPES.join(", ")}, got ${describe(type)}`);
  }
  checkInteger(`${what}: contextSize`, contextSize, 0, MOST_CONTEXT);
  if (code.length % SLOT_BYTES !== 0) {
    throw new RangeError(`${what}: expected whole instructions of 8 bytes, got ${code.length} bytes`);
  }
  const machine = new Machine(host);
  try {
    const bound = maps.map((map, i) => machine.add(bindMap(host, `${what}: maps[${i}]`, map)));
    const references = referencesOf(name, decode(code), bound);
    const size = type === "raw" ? contextSize : 0;
    const source = {
      name,
      type,
      contextSize: size,
      code,
      references,
      functions: [],
      lineOf: () => undefined,
    };
    return new BpfProgram(machine, source, spec, true);
  } catch (error) {
    machine.close();
    throw error;
  }
}

function referencesOf(
  name: string,
  code: readonly (Instruction | undefined)[],
  maps: readonly BoundMap[],
): Map<number, Reference> {
  const references = new Map<number, Reference>();
  code.forEach((instruction, slot) => {
    if (instruction?.opcode !== LD_IMM64 || instruction.imm64 === undefined) return;
    const { src, imm, imm64 } = instruction;
    if (src !== IMM64.MAP_FD && src !== IMM64.MAP_VALUE) return;
    const map = maps[imm];
    if (map === undefined) {
      throw new VerifierError(
        ERRNO.EBADF,
        `fd ${imm} is not pointing to valid bpf_map`,
        name,
        slot,
        undefined,
        "",
      );
    }
    if (src === IMM64.MAP_FD) references.set(slot, { kind: "map", map });
    else references.set(slot, { kind: "data", map, offset: Number(imm64 >> 32n) });
  });
  return references;
}
