// Checks of accesses that the verifier could not bound. Each register that holds a pointer has a shadow: the memory that it may reach.
// A pointer gets its shadow where it is born, and keeps it however it is moved. So a shadow never covers what the program may not
// touch, whatever the pointer has become; a pointer without one reaches nothing.
//
// The instructions below are the interpreter's own. The loader (src/ebpf/interpret/prepare.ts) puts them beside instructions of
// programs that need checks: no program may have them, and without checks no program pays for them.
//
//   CHECK   dst offset imm   an access of imm bytes at dst + offset must be in the shadow of dst
//   RANGE   dst src          as many bytes as src says at dst must be in the shadow of dst
//   MOVE    dst src          dst gets the shadow of src
//   SPILL   dst offset src   the stack's word at dst + offset gets the shadow of src
//   FILL    dst src offset   dst gets the shadow of the stack's word at src + offset, or none
//   WINDOW  dst imm          dst gets a window of the record
//   RESULT  imm              r0 gets the imm bytes that it points at, or nothing when it is 0
//   RESUME  imm              goes back to the program, imm slots from the next instruction; takes no fuel
import { MOST_WINDOWS, R0, STACK, STACK_BYTES, STACK_SHADOWS, WINDOWS, setShadow, shadowOf } from "./frame";

export const CHECK: u32 = 0x60;
export const MOVE: u32 = 0x68;
export const SPILL: u32 = 0x70;
export const FILL: u32 = 0x78;
export const WINDOW: u32 = 0x80;
export const RESULT: u32 = 0x88;
export const RESUME: u32 = 0x90;
export const RANGE: u32 = 0x98;

/** Whether an access is in the shadow of the register that it goes through. One of no byte is everywhere. */
export function isInside(register: usize, offset: i32, bytes: u64): bool {
  if (!bytes) return true;
  const size = load<u32>(shadowOf(register), 4);
  if (size < bytes) return false;
  return load<u32>(register) + offset - load<u32>(shadowOf(register)) <= size - <u32>bytes;
}

export function move(to: usize, from: usize): void {
  store<u64>(shadowOf(to), load<u64>(shadowOf(from)));
}

/** Where the shadow of a word of the stack is; 0 for what is none. */
function stackShadow(run: usize, pointer: usize, offset: i32): usize {
  const at = load<u32>(pointer) + offset - <u32>(run + STACK);
  return at < STACK_BYTES && !(at & 7) ? run + STACK_SHADOWS + <usize>at : 0;
}

export function spill(run: usize, pointer: usize, offset: i32, from: usize): void {
  const shadow = stackShadow(run, pointer, offset);
  if (shadow) store<u64>(shadow, load<u64>(shadowOf(from)));
}

export function fill(run: usize, to: usize, pointer: usize, offset: i32): void {
  const shadow = stackShadow(run, pointer, offset);
  store<u64>(shadowOf(to), shadow ? load<u64>(shadow) : 0);
}

export function setWindow(run: usize, to: usize, number: u32): void {
  store<u64>(shadowOf(to), number < MOST_WINDOWS ? load<u64>(run + WINDOWS + (<usize>number << 3)) : 0);
}

export function setResult(run: usize, bytes: u32): void {
  const pointer = load<u32>(run + R0);
  setShadow(run + R0, pointer, pointer ? bytes : 0);
}
