/**
 * What the verifier is given: a program with all that it refers to.
 *
 * @module
 */
import type { Instruction } from "../isa/decode.ts";

/**
 * What a program is called with, and what it may do.
 *
 * - `raw`: r1 is memory of `contextSize` bytes, r2 their number. The rules of RFC 9669.
 * - `callback`: a function with the signature of `bpf_for_each_map_elem`'s: r1 the map, r2 a key, r3 its value, r4 `contextSize` bytes.
 */
export type ProgramType =
  | "raw"
  | "xdp"
  | "tc"
  | "socket_filter"
  | "cgroup_skb"
  | "iter"
  | "syscall"
  | "callback";

/** A map as far as programs see it. One object stands for one map: maps are told apart by it. */
export interface VerifiedMap {
  /** For messages. */
  readonly name?: string;
  /** As in `bpf_map_type`, in lower case: `"hash"`, `"array_of_maps"`. */
  readonly type: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** The bytes of its only value, when they never change: reads of them are constants. */
  readonly frozen?: Uint8Array;
  /** Whether programs may write: not with BPF_F_RDONLY_PROG. */
  readonly writable: boolean;
  /** Whether programs may read: not with BPF_F_WRONLY_PROG. Default: they may. */
  readonly readable?: boolean;
  /** Where in the value a `bpf_spin_lock` is (4 bytes), and a `bpf_timer` (16 bytes). */
  readonly lockOffset?: number;
  readonly timerOffset?: number;
  /** Of maps of maps: what their maps are like. */
  readonly inner?: VerifiedMap;
}

/** What LD_IMM64 loads when it is no number. */
export type Reference =
  | { readonly kind: "map"; readonly map: VerifiedMap }
  /** An address in the only value of a map. */
  | { readonly kind: "data"; readonly map: VerifiedMap; readonly offset: number }
  /** A function of the program. */
  | { readonly kind: "callback"; readonly entry: number };

export interface SourceLine {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

export interface ProgramToVerify {
  /** For messages. */
  readonly name?: string;
  /** By slot, as `decode` gives them; they have passed the structural checks. */
  readonly instructions: readonly (Instruction | undefined)[];
  readonly type: ProgramType;
  /** Bytes of memory that `raw`, `syscall` and `callback` are given. */
  readonly contextSize: number;
  /** Of `callback` and `iter`: the map whose entries it sees. An iterator need not know it when it is loaded. */
  readonly map?: VerifiedMap;
  /** By slot of LD_IMM64. */
  readonly references: ReadonlyMap<number, Reference>;
  /** Functions by the slot where they begin, for messages. */
  readonly functions?: readonly { readonly entry: number; readonly name: string }[];
  readonly lineOf?: (slot: number) => SourceLine | undefined;
  /** `check` leaves what it cannot prove about bounds to a check at run time, `strict` refuses it. */
  readonly mode: "check" | "strict";
  /** 0: how much was done; 1: also the registers where paths begin; 2: and after each instruction. */
  readonly logLevel: 0 | 1 | 2;
  /** Visited instructions, 1,000,000 as in the kernel. */
  readonly limit?: number;
  /** Ids of helpers that the caller brings: they take numbers and give one. */
  readonly helpers?: ReadonlySet<number>;
}
