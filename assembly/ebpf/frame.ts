// The record of a run of bytecode: registers, frames, and what JavaScript and the interpreter tell each other.
//
//    0 r0 .. r10, u64 each                            88 u32 address of the code | u32 fuel left
//   96 u32 frames in use | u32 outcome               104 u32 slot of the instruction that ended the run
//  112 windows, 16 times: u32 address, u32 bytes      (shadow.ts)
//  240 shadows of r0 .. r10: u32 address, u32 bytes
//  328 what a frame keeps of its caller, 8 times:
//        0 u32 address where it goes on, 0 for JavaScript | u32 address of its code | 8 r6 .. r9 | 40 their shadows
//       72 u32 rounds of `may_goto` left | u32 free
// 1024 stack, 8 times 512 bytes; the frame of the outermost function is the last one
// 5120 shadows of the stack's words of 8 bytes: u32 address, u32 bytes
//
// A helper may run code of its own, a callback, on the same record: its frames lie on top.

/** Registers are named by where they are in the record. */
export const R0: usize = 0;
const R6: usize = 6 << 3;
const R10: usize = 10 << 3;
export const CODE: usize = 88;
export const FUEL: usize = 92;
export const DEPTH: usize = 96;
export const OUTCOME: usize = 100;
export const ENDED_AT: usize = 104;
export const WINDOWS: usize = 112;
export const MOST_WINDOWS: u32 = 16;
export const SHADOWS: usize = 240;
const FRAMES: usize = 328;
export const STACK: usize = 1024;
export const STACK_SHADOWS: usize = 5120;
/** Bytes of a record. */
export const RUN_BYTES: u32 = 9216;

/** Frames that one run may have: MAX_CALL_FRAMES. */
export const MOST_FRAMES: u32 = 8;
/** MAX_BPF_STACK. */
export const FRAME_BYTES: u32 = 512;
export const STACK_BYTES: u32 = MOST_FRAMES * FRAME_BYTES;
/** BPF_MAX_LOOPS. */
const MOST_ROUNDS: u32 = 8 << 20;

const KEPT_BYTES: u32 = 80;
const KEPT_CODE: usize = 4;
const KEPT_REGISTERS: usize = 8;
const KEPT_SHADOWS: usize = 40;
const KEPT_ROUNDS: usize = 72;
/** r6 .. r9. */
const KEPT_COUNT: u32 = 4;

/** In OUTCOME. It returned; an access that is not in its window; the fuel is used up; more than 8 frames; what is no instruction. */
export const RETURNED: u32 = 0;
export const FAULT: u32 = 1;
export const NO_FUEL: u32 = 2;
export const TOO_DEEP: u32 = 3;
export const NO_OPCODE: u32 = 4;

/**
 * What a helper answers. The program goes on; it ends here, with the outcome that is in the record; the code in the record begins; it has
 * ended in a callback, which has left outcome and slot in the record.
 */
export const GO_ON: u32 = 0;
export const STOP: u32 = 1;
export const TAIL_CALL: u32 = 2;
export const ENDED: u32 = 3;

@inline export function word(run: usize, offset: usize): u32 {
  return load<u32>(run + offset);
}

@inline export function setWord(run: usize, offset: usize, value: u32): void {
  store<u32>(run + offset, value);
}

/** Where the shadow of a register is that lies at an address. */
@inline export function shadowOf(register: usize): usize {
  return register + SHADOWS;
}

@inline export function setShadow(register: usize, address: u32, bytes: u32): void {
  store<u32>(shadowOf(register), address);
  store<u32>(shadowOf(register), bytes, 4);
}

@inline function kept(run: usize, depth: u32): usize {
  return run + FRAMES + <usize>(depth * KEPT_BYTES);
}

/** Begins a frame. `back`: where its caller goes on. False when there is none left. */
export function enter(run: usize, back: usize): bool {
  const depth = word(run, DEPTH);
  if (depth >= MOST_FRAMES) return false;
  const frame = kept(run, depth);
  store<u32>(frame, <u32>back);
  store<u32>(frame, word(run, CODE), KEPT_CODE);
  memory.copy(frame + KEPT_REGISTERS, run + R6, KEPT_COUNT << 3);
  memory.copy(frame + KEPT_SHADOWS, shadowOf(run + R6), KEPT_COUNT << 3);
  store<u32>(frame, MOST_ROUNDS, KEPT_ROUNDS);
  setDepth(run, depth + 1);
  return true;
}

/** Ends the frame on top; where its caller goes on. */
export function leave(run: usize): usize {
  const depth = word(run, DEPTH) - 1;
  const frame = kept(run, depth);
  setWord(run, CODE, load<u32>(frame, KEPT_CODE));
  memory.copy(run + R6, frame + KEPT_REGISTERS, KEPT_COUNT << 3);
  memory.copy(shadowOf(run + R6), frame + KEPT_SHADOWS, KEPT_COUNT << 3);
  setDepth(run, depth);
  return <usize>load<u32>(frame);
}

/** So many frames are in use; r10 is the end of the last one. */
function setDepth(run: usize, depth: u32): void {
  setWord(run, DEPTH, depth);
  const frame = run + STACK + <usize>((MOST_FRAMES - depth) * FRAME_BYTES);
  store<u64>(run, <u64>(frame + FRAME_BYTES), R10);
  setShadow(run + R10, <u32>frame, FRAME_BYTES);
}

/** Whether the loop of a `may_goto` in the frame on top may go round once more. */
export function mayGoRound(run: usize): bool {
  const rounds = kept(run, word(run, DEPTH) - 1) + KEPT_ROUNDS;
  const left = load<u32>(rounds);
  if (!left) return false;
  store<u32>(rounds, left - 1);
  return true;
}
