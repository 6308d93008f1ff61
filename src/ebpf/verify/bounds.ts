/**
 * Whether memory that a pointer points to is there: on every path, perhaps, or never.
 *
 * @module
 */
import { fieldAt } from "./contexts.ts";
import { mayBe, type Pointer, typeName, UNKNOWN_SIZE } from "./pointer.ts";
import { trailingZeros } from "./scalar/bits.ts";
import { S64_MAX, S64_MIN } from "./scalar/scalar.ts";
import type { Session } from "./session.ts";
import { FRAME_BYTES } from "./stack.ts";

/** What is asked about memory. */
export interface Touch {
  readonly pointer: Pointer;
  /** The register it is in, for messages. */
  readonly register: number;
  /** From where the pointer points. */
  readonly offset: number;
  /** At most so many bytes, at least one. */
  readonly bytes: number;
  readonly isStore: boolean;
}

/**
 * Why an access is not proven; undefined when it is. Refuses what can never be right, and what a check at run time would not see: that
 * something may not be written, or not be touched at all.
 */
export function unprovenIn(session: Session, touch: Touch): string | undefined {
  const { pointer, register } = touch;
  if (!pointer.isMemory) session.refuse(`R${register} invalid mem access '${typeName(pointer)}'`);
  checkRights(session, touch);
  const reason = boundsProblem(session, touch);
  if (pointer.nullable) return reason ?? `R${register} invalid mem access '${typeName(pointer)}'`;
  return reason;
}

function checkRights(session: Session, { pointer, register, offset, bytes, isStore }: Touch): void {
  const { target } = pointer;
  const at = `value_size=${target.size} off=${pointer.fixed + offset} size=${bytes}`;
  if (isStore) {
    if (mayBe(pointer, "packet") || mayBe(pointer, "packet_meta")) {
      if (session.layout?.packetIsWritable !== true) session.refuse("cannot write into packet");
    }
    if (!target.writable && pointer.kind !== "context" && !pointer.isPacket) {
      if (pointer.kind === "value") session.refuse(`write into map forbidden, ${at}`);
      if (pointer.kind === "key") session.refuse(`write to change key R${register} not allowed`);
      session.refuse(`R${register} cannot write into rdonly_mem`);
    }
  } else if (target.map?.readable === false && pointer.kind === "value") {
    session.refuse(`read from map forbidden, ${at}`);
  }
  checkFields(session, pointer, offset, bytes);
}

/** Locks and timers in a value are for helpers alone. */
function checkFields(session: Session, pointer: Pointer, offset: number, bytes: number): void {
  const { map } = pointer.target;
  if (pointer.kind !== "value" || map === undefined) return;
  const overlaps = (at: number, length: number): boolean =>
    pointer.least + offset < at + length && pointer.most + offset + bytes > at;
  if (map.lockOffset !== undefined && overlaps(map.lockOffset, 4)) {
    session.refuse("bpf_spin_lock cannot be accessed directly by load/store");
  }
  if (map.timerOffset !== undefined && overlaps(map.timerOffset, 16)) {
    session.refuse("bpf_timer cannot be accessed directly by load/store");
  }
}

function boundsProblem(session: Session, touch: Touch): string | undefined {
  const { pointer, register, offset } = touch;
  switch (pointer.kind) {
    case "stack":
      return frameProblem(session, touch);
    case "context":
      return contextProblem(session, touch);
    case "packet":
    case "packet_meta":
      return packetProblem(touch);
    case "mixed":
      return `R${register} points to different memory on different paths (${[...pointer.target.kinds].join(", ")})`;
    default:
      return sizedProblem(session, touch, pointer.least + offset, pointer.most + offset);
  }
}

function frameProblem(
  session: Session,
  { pointer, register, offset, bytes, isStore }: Touch,
): string | undefined {
  const least = pointer.least + offset;
  const most = pointer.most + offset;
  if (least >= -FRAME_BYTES && most + bytes <= 0) return undefined;
  const access = isStore ? "write to" : "read from";
  if (least === most) session.refuse(`invalid ${access} stack R${register} off=${least} size=${bytes}`);
  if (least + bytes > 0 || most < -FRAME_BYTES) {
    session.refuse(`invalid ${access} stack R${register} off=${least} size=${bytes}`);
  }
  return `invalid variable-offset ${access} stack R${register} off=${least} to ${most} size=${bytes}`;
}

/** Fields of a context are at constant offsets: there is nothing to leave to run time. */
function contextProblem(session: Session, { pointer, register, offset, bytes, isStore }: Touch): undefined {
  if (!pointer.variable.isZero) session.refuse(`variable ctx access R${register}`);
  if (pointer.fixed !== 0) {
    session.refuse(`dereference of modified ctx ptr R${register} off=${pointer.fixed} disallowed`);
  }
  if (session.layout === undefined || fieldAt(session.layout, offset, bytes, isStore) === undefined) {
    session.refuse(`invalid bpf_context access off=${offset} size=${bytes}`);
  }
}

function packetProblem({ pointer, register, offset, bytes }: Touch): string | undefined {
  const at = pointer.fixed + offset;
  if (pointer.least + offset >= 0 && at + bytes <= pointer.range) return undefined;
  const range = Number.isFinite(pointer.range) ? pointer.range : 0;
  const what = `R${register}(id=${pointer.id},off=${pointer.fixed},r=${range})`;
  return `invalid access to packet, off=${at} size=${bytes}, ${what}`;
}

function sizedProblem(
  session: Session,
  { pointer, register, bytes }: Touch,
  least: number,
  most: number,
): string | undefined {
  const { kind, target } = pointer;
  if (target.size === UNKNOWN_SIZE) return `R${register} points to a ${kind} whose size is known at run time`;
  if (least >= 0 && most + bytes <= target.size) return undefined;
  if (least + bytes > target.size || most < 0) {
    const off = pointer.variable.isConstant ? least : pointer.least;
    session.refuse(`${outside(kind, target.size)} off=${off} size=${bytes}`);
  }
  if (least <= S64_MIN / 2 || least < 0) {
    return (
      `R${register} min value is negative, either use unsigned index or do a if (index >=0) check ` +
      `(${outside(kind, target.size)})`
    );
  }
  if (most >= S64_MAX / 2) {
    return (
      `R${register} unbounded memory access, make sure to bounds check any such access ` +
      `(${outside(kind, target.size)})`
    );
  }
  return `${outside(kind, target.size)} off=${most} size=${bytes}: R${register} max value is outside of the allowed memory range`;
}

function outside(kind: string, size: number): string {
  if (kind === "value") return `invalid access to map value, value_size=${size}`;
  if (kind === "key") return `invalid access to map key, key_size=${size}`;
  return `invalid access to memory, mem_size=${size}`;
}

/** Atomic instructions need an aligned address, in memory that other threads may see. */
export function checkAtomic(session: Session, { pointer, register, offset, bytes }: Touch): void {
  const { kind } = pointer;
  if (kind !== "stack" && kind !== "value" && kind !== "memory" && kind !== "record") {
    session.refuse(`BPF_ATOMIC stores into R${register} ${typeName(pointer)} is not allowed`);
  }
  const within = (pointer.fixed + offset) % bytes === 0;
  const variable = pointer.variable.isZero || 2 ** trailingZeros(pointer.variable.bits) >= bytes;
  if (within && variable && baseAlignment(pointer) >= bytes) return;
  const name = kind === "value" ? "value" : kind;
  session.refuse(`misaligned ${name} access off ${pointer.fixed + offset} size ${bytes}`);
}

/** Values lie at multiples of 8 in arrays, and elsewhere when their size is a multiple of 8; otherwise at multiples of 4. */
function baseAlignment({ kind, target }: Pointer): number {
  if (kind !== "value" || target.map!.type.endsWith("array")) return 8;
  return target.size % 8 === 0 ? 8 : 4;
}
