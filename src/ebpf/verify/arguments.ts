/**
 * Arguments of helpers: whether each is what the helper takes.
 *
 * @module
 */
import { type Argument, HELPER, type Prototype, WITHOUT_LOOKUP } from "../helpers/prototypes.ts";
import { noteUnwritten, writtenByHelper } from "./access.ts";
import { unprovenIn } from "./bounds.ts";
import { type SeenCall, VARIES } from "./plans.ts";
import { isPointer, isScalar, mayBe, type Pointer, type Register, typeName } from "./pointer.ts";
import type { VerifiedMap } from "./program.ts";
import { readRegister } from "./registers.ts";
import { EXACT, type Scalar } from "./scalar/scalar.ts";
import type { Session } from "./session.ts";
import type { State } from "./state.ts";

/** Larger sizes are refused, BPF_MAX_VAR_SIZ. */
const MOST_BYTES = 1 << 29;

/** What the arguments of a call are. */
export interface Arguments {
  map?: Pointer;
  record?: Pointer;
  lock?: Pointer;
  timer?: Pointer;
  callback?: Pointer;
  /** The size of a reserved record. */
  size?: number;
}

export function checkArguments(
  session: Session,
  state: State,
  prototype: Prototype,
  seen: SeenCall,
): Arguments {
  const found: Arguments = {};
  // Memory is written once all is checked: a size may stand behind it.
  const written: (() => void)[] = [];
  for (const [index, argument] of prototype.arguments.entries()) {
    const register = index + 1;
    const value = readRegister(session, state, register);
    noteConstant(seen, register, value);
    const memory = new MemoryArgument(session, state, seen, register, value);
    switch (argument) {
      case "anything":
        break;
      case "map":
        found.map = mapArgument(session, prototype, seen, register, value);
        break;
      case "key":
        memory.read(sizeOfPart(found.map, "keySize"));
        break;
      case "value":
        memory.read(sizeOfPart(found.map, "valueSize"));
        break;
      case "value_out":
        memory.write(sizeOfPart(found.map, "valueSize"), written);
        break;
      case "memory":
      case "memory_or_null":
      case "memory_out":
        memory.sized(
          argument,
          prototype.arguments[index + 1],
          readRegister(session, state, register + 1),
          written,
        );
        break;
      case "size":
      case "size_or_zero":
        break;
      case "constant_size":
        found.size = constantArgument(session, register, value);
        break;
      case "function":
        found.callback = expected(session, register, value, "function", "func");
        break;
      case "context":
        expectContext(session, register, value);
        break;
      case "seq":
        expected(session, register, value, "seq", "ptr_seq_file");
        break;
      case "lock":
        found.lock = fieldArgument(session, prototype, seen, register, value, "lockOffset");
        break;
      case "timer":
        found.timer = fieldArgument(session, prototype, seen, register, value, "timerOffset");
        break;
      case "record":
        found.record = expected(session, register, value, "record", "ringbuf_mem");
        if (!found.record.isUnmoved)
          session.invalid(`R${register} must have zero offset when passed to release func`);
        break;
    }
  }
  for (const write of written) write();
  return found;
}

/** A number that is the same on all paths may be built into generated code. */
function noteConstant(seen: SeenCall, register: number, value: Register): void {
  const known = isScalar(value) && value.isConstant && value.most < EXACT ? value.most : VARIES;
  const before = seen.constants.get(register);
  seen.constants.set(register, before === undefined || before === known ? known : VARIES);
}

function mapArgument(
  session: Session,
  prototype: Prototype,
  seen: SeenCall,
  register: number,
  value: Register,
): Pointer {
  const pointer = expected(session, register, value, "map", "map_ptr");
  const map = pointer.target.map!;
  const fits = prototype.mapTypes?.includes(map.type) ?? !WITHOUT_LOOKUP.has(map.type);
  if (!fits && prototype.id !== HELPER.TIMER_INIT) {
    session.invalid(`cannot pass map_type ${map.type} into func bpf_${prototype.name}#${prototype.id}`);
  }
  seen.maps.add(map);
  if (!pointer.target.isOne) seen.isOneMap = false;
  return pointer;
}

const sizeOfPart = (map: Pointer | undefined, part: "keySize" | "valueSize"): number =>
  map?.target.map?.[part] ?? 0;

/** A pointer of one kind that is not NULL. */
function expected(session: Session, register: number, value: Register, kind: string, name: string): Pointer {
  if (isPointer(value) && value.kind === kind && !value.nullable) return value;
  session.refuse(`R${register} type=${typeName(value)} expected=${name}`);
}

function expectContext(session: Session, register: number, value: Register): void {
  const isContext = isPointer(value) && (value.kind === "context" || isRawContext(session, value));
  if (!isContext) session.refuse(`R${register} type=${typeName(value)} expected=ctx`);
  if (!value.isUnmoved)
    session.refuse(`dereference of modified ctx ptr R${register} off=${value.fixed} disallowed`);
}

const isRawContext = (session: Session, value: Pointer): boolean =>
  session.layout === undefined && session.program.type !== "callback" && value.kind === "memory";

function constantArgument(session: Session, register: number, value: Register): number {
  if (!isScalar(value) || !value.isConstant) session.refuse(`R${register} is not a known constant`);
  if (value.most >= MOST_BYTES) session.refuse(`R${register} value is too large`);
  return value.most;
}

/** A pointer to the lock or timer of a value. */
function fieldArgument(
  session: Session,
  { name }: Prototype,
  seen: SeenCall,
  register: number,
  value: Register,
  field: "lockOffset" | "timerOffset",
): Pointer {
  const pointer = expected(session, register, value, "value", "map_value");
  const what = field === "lockOffset" ? "bpf_spin_lock" : "bpf_timer";
  const map = pointer.target.map as VerifiedMap;
  if (!pointer.variable.isConstant) {
    session.invalid(
      `R${register} doesn't have constant offset. bpf_${name} has to be at the constant offset`,
    );
  }
  const at = map[field];
  if (at === undefined) session.invalid(`map '${map.name ?? map.type}' has no valid ${what}`);
  if (pointer.least !== at)
    session.invalid(`off ${pointer.least} doesn't point to 'struct ${what}' that is at ${at}`);
  seen.maps.add(map);
  return pointer;
}

/** An argument that points to memory. */
class MemoryArgument {
  readonly #session: Session;
  readonly #state: State;
  readonly #seen: SeenCall;
  readonly #register: number;
  readonly #value: Register;

  constructor(session: Session, state: State, seen: SeenCall, register: number, value: Register) {
    this.#session = session;
    this.#state = state;
    this.#seen = seen;
    this.#register = register;
    this.#value = value;
  }

  read(bytes: number): void {
    this.#touch(bytes, bytes, false);
  }

  write(bytes: number, written: (() => void)[]): void {
    this.#touch(bytes, bytes, true);
    written.push(() => writtenByHelper(this.#state, this.#pointer(), bytes, bytes));
  }

  /** Memory whose size is the next argument. */
  sized(argument: Argument, sizeKind: Argument, size: Register, written: (() => void)[]): void {
    const register = this.#register + 1;
    const bytes = this.#sizeArgument(register, size, sizeKind === "size");
    if (bytes.most === 0) return;
    const value = this.#value;
    if (argument === "memory_or_null" && isScalar(value) && value.isZero) {
      this.#session.refuse(`R${this.#register} type=scalar expected=fp, pkt, map_value`);
    }
    const isStore = argument === "memory_out";
    this.#touch(bytes.most, { register }, isStore);
    if (isStore) written.push(() => writtenByHelper(this.#state, this.#pointer(), bytes.least, bytes.most));
  }

  #sizeArgument(register: number, size: Register, isPositive: boolean): Scalar {
    const session: Session = this.#session;
    if (!isScalar(size)) session.refuse(`R${register} type=${typeName(size)} expected=scalar`);
    if (size.signedLeast < 0) {
      session.refuse(`R${register} min value is negative, either use unsigned or 'var &= const'`);
    }
    if (isPositive && size.least === 0) {
      const text = `R${register} invalid zero-sized read: u64=[${size.least},${size.most}]`;
      if (size.most === 0 || session.isStrict) session.refuse(text);
    }
    if (size.most >= MOST_BYTES) {
      session.refuse(`R${register} unbounded memory access, use 'var &= const' or 'if (var < const)'`);
    }
    return size;
  }

  #pointer(): Pointer {
    const value = this.#value;
    if (isPointer(value) && value.isMemory && value.kind !== "context") return value;
    const names = "fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem";
    this.#session.refuse(`R${this.#register} type=${typeName(value)} expected=${names}`);
  }

  #touch(most: number, bytes: number | { readonly register: number }, isStore: boolean): void {
    if (most === 0) return;
    const pointer = this.#pointer();
    const session: Session = this.#session;
    const register = this.#register;
    const reason = unprovenIn(session, { pointer, register, offset: 0, bytes: most, isStore });
    session.argument(this.#seen, pointer, register, bytes, reason);
    if (isStore) return;
    if (pointer.kind === "stack") noteUnwritten(session, this.#state, pointer, 0, most);
    else if (mayBe(pointer, "stack")) session.readsUnwritten = true;
  }
}
