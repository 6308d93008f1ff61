/**
 * What is known of a register that holds an address, or a handle of the kernel's: what it points to, and how far into it.
 *
 *   address = base of what it points to + fixed + variable
 *
 * @module
 */
import type { VerifiedMap } from "./program.ts";
import { plus } from "./scalar/relations.ts";
import { type Scalar, ZERO } from "./scalar/scalar.ts";

/**
 * Memory: `stack` (a frame), `context`, `packet`, `packet_meta` (before the packet), `value` and `key` of a map, `memory` (given by the
 * caller), `record` (reserved in a ring buffer), `meta` (of an iterator), `mixed` (one of several, depending on the path).
 * Handles: `packet_end`, `map`, `function`, `seq` (what an iterator prints to).
 */
export type PointerKind =
  | "stack"
  | "context"
  | "packet"
  | "packet_meta"
  | "value"
  | "key"
  | "memory"
  | "record"
  | "mixed"
  | "packet_end"
  | "map"
  | "function"
  | "meta"
  | "seq";

const HANDLES: ReadonlySet<PointerKind> = new Set(["packet_end", "map", "function", "seq"]);

/** Nothing of a packet is known to be there. */
export const NO_RANGE = Number.NEGATIVE_INFINITY;

/** Of memory whose size is known only when the program runs. */
export const UNKNOWN_SIZE = -1;

/** What a pointer points to. Two pointers with equal targets have the same base, or bases of things that are alike. */
export interface Target {
  readonly kind: PointerKind;
  /** Of `value`, `key` and `map`. */
  readonly map?: VerifiedMap | undefined;
  /** Bytes of `value`, `key`, `memory` and `record`. */
  readonly size: number;
  readonly writable: boolean;
  /** Of `stack`: which frame, 0 the program's; of `mixed` with frames the highest. Of `function`: where it begins. */
  readonly place: number;
  /** Of `mixed`: what it may be. */
  readonly kinds: ReadonlySet<PointerKind>;
  /** Of `map`: whether it is this one always; others are only like it. */
  readonly isOne: boolean;
}

const NO_KINDS: ReadonlySet<PointerKind> = new Set();

/** A target. What is left out does not apply. */
export function target(kind: PointerKind, rest: Partial<Target> = {}): Target {
  return {
    kind,
    map: rest.map,
    size: rest.size ?? 0,
    writable: rest.writable ?? false,
    place: rest.place ?? 0,
    kinds: rest.kinds ?? NO_KINDS,
    isOne: rest.isOne ?? true,
  };
}

export function sameTarget(a: Target, b: Target): boolean {
  if (a === b) return true;
  return (
    a.kind === b.kind &&
    a.map === b.map &&
    a.size === b.size &&
    a.writable === b.writable &&
    a.place === b.place &&
    a.isOne === b.isOne &&
    a.kinds.size === b.kinds.size &&
    [...a.kinds].every((kind) => b.kinds.has(kind))
  );
}

/** Where a pointer points in its target, and what else is known of it. */
export interface Position {
  readonly fixed: number;
  readonly variable: Scalar;
  /**
   * Of packets: pointers with the same id have the same variable part, 0 none. Of others: where it was born, so that copies of a pointer
   * that may be NULL are tested together, a lock is given back where it was taken, a record is released once.
   */
  readonly id: number;
  readonly nullable: boolean;
  /** Of packets: so many bytes from base + variable on are there. */
  readonly range: number;
  /**
   * Whether generated code can know the window of the pointer: base and limit of what it points to, kept beside the register. It cannot
   * where the pointer came through memory that is not a slot of the function's own frame, or out of a function.
   */
  readonly hasWindow: boolean;
}

export class Pointer {
  readonly kind: PointerKind;
  readonly target: Target;
  readonly fixed: number;
  readonly variable: Scalar;
  readonly id: number;
  readonly nullable: boolean;
  readonly range: number;
  readonly hasWindow: boolean;

  constructor(
    target: Target,
    fixed: number,
    variable: Scalar,
    id: number,
    nullable: boolean,
    range: number,
    hasWindow: boolean,
  ) {
    this.kind = target.kind;
    this.target = target;
    this.fixed = fixed;
    this.variable = variable;
    this.id = id;
    this.nullable = nullable;
    this.range = range;
    this.hasWindow = hasWindow;
  }

  /** The same with changes. */
  with(changes: Partial<Position>): Pointer {
    return new Pointer(
      this.target,
      changes.fixed ?? this.fixed,
      changes.variable ?? this.variable,
      changes.id ?? this.id,
      changes.nullable ?? this.nullable,
      changes.range ?? this.range,
      changes.hasWindow ?? this.hasWindow,
    );
  }

  get isMemory(): boolean {
    return !HANDLES.has(this.kind);
  }

  get isPacket(): boolean {
    return this.kind === "packet" || this.kind === "packet_meta";
  }

  /** Whether it points where its target begins, or, of a frame, where it ends. */
  get isUnmoved(): boolean {
    return this.fixed === 0 && this.variable === ZERO;
  }

  /** How far from its base it points at least, and at most: fixed and variable part. */
  get least(): number {
    return this.variable.signedLeast + this.fixed;
  }

  get most(): number {
    return this.variable.signedMost + this.fixed;
  }

  /** Both parts as one number. */
  get offset(): Scalar {
    return plus(this.variable, this.fixed);
  }
}

/** A pointer to where its target begins. Packets begin with a range of 0: their first byte may be missing. */
export function pointerTo(target: Target, { id = 0, nullable = false } = {}): Pointer {
  return new Pointer(target, 0, ZERO, id, nullable, 0, true);
}

/** What is in a register that can be read. */
export type Register = Scalar | Pointer;

export const isPointer = (register: Register | undefined): register is Pointer =>
  register !== undefined && register.kind !== "scalar";

export const isScalar = (register: Register | undefined): register is Scalar =>
  register !== undefined && register.kind === "scalar";

/** Whether a pointer may be one of a kind: it is, or is mixed of some. */
export function mayBe(pointer: Pointer, kind: PointerKind): boolean {
  return pointer.kind === kind || pointer.target.kinds.has(kind);
}

/** Memory that a check at run time can tell from other memory, without anything in it that nobody may touch. */
export function canBeMixed({ kind, target, isMemory }: Pointer): boolean {
  const { map } = target;
  return (
    isMemory &&
    !(
      kind === "value" &&
      (map?.lockOffset !== undefined || map?.timerOffset !== undefined || map?.readable === false)
    )
  );
}

/** Whether a helper needs to know nothing of two maps but which one it is. */
export function isLike(a: VerifiedMap, b: VerifiedMap): boolean {
  return (
    a.type === b.type &&
    a.keySize === b.keySize &&
    a.valueSize === b.valueSize &&
    a.writable === b.writable &&
    a.readable === b.readable &&
    [a, b].every(
      (map) => map.lockOffset === undefined && map.timerOffset === undefined && map.inner === undefined,
    )
  );
}

/** The name that the kernel's messages have for a type. */
export function typeName(register: Register): string {
  if (isScalar(register)) return "scalar";
  const name = NAMES[register.kind];
  return register.nullable ? `${name}_or_null` : name;
}

const NAMES: Readonly<Record<PointerKind, string>> = {
  stack: "fp",
  context: "ctx",
  packet: "pkt",
  packet_meta: "pkt_meta",
  packet_end: "pkt_end",
  value: "map_value",
  key: "map_key",
  memory: "mem",
  record: "ringbuf_mem",
  mixed: "mixed",
  map: "map_ptr",
  function: "func",
  meta: "ptr_bpf_iter_meta",
  seq: "ptr_seq_file",
};
