// Straight copies and comparisons of keys and values. memory.copy is a call into the engine and pays only for long runs,
// so short ones are moved eight bytes at a time. Reads of a tail may touch up to 7 bytes behind it: every key that the core
// is handed has 8 readable bytes after it, and block layouts leave as much behind theirs.
import { COUNTING, countCopied } from "../counting";
import { STEPPING, STEP_COPY, step } from "../sync/step";

const LONG: u32 = 64;

@inline export function tailMask(bytes: u32): u64 {
  return ((<u64>1) << (<u64>bytes << 3)) - 1;
}

export function copyBytes(target: usize, source: usize, bytes: u32): void {
  if (COUNTING) countCopied(bytes);
  if (bytes == 8) {
    store<u64>(target, load<u64>(source));
    return;
  }
  if (bytes >= LONG) {
    memory.copy(target, source, bytes);
    return;
  }
  while (bytes >= 8) {
    if (STEPPING) step(STEP_COPY);
    store<u64>(target, load<u64>(source));
    target += 8;
    source += 8;
    bytes -= 8;
  }
  if (bytes & 4) {
    store<u32>(target, load<u32>(source));
    target += 4;
    source += 4;
  }
  if (bytes & 2) {
    store<u16>(target, load<u16>(source));
    target += 2;
    source += 2;
  }
  if (bytes & 1) store<u8>(target, load<u8>(source));
}

export function zeroBytes(target: usize, bytes: u32): void {
  memory.fill(target, 0, bytes);
}

export function equalBytes(a: usize, b: usize, bytes: u32): bool {
  while (bytes >= 8) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
    bytes -= 8;
  }
  return !bytes || !((load<u64>(a) ^ load<u64>(b)) & tailMask(bytes));
}

/** Order of two byte strings of one length, as memcmp: negative, zero or positive. */
export function compareBytes(a: usize, b: usize, bytes: u32): i32 {
  while (bytes >= 8) {
    const x = load<u64>(a);
    const y = load<u64>(b);
    if (x != y) return bswap(x) < bswap(y) ? -1 : 1;
    a += 8;
    b += 8;
    bytes -= 8;
  }
  if (!bytes) return 0;
  const x = bswap(load<u64>(a) & tailMask(bytes));
  const y = bswap(load<u64>(b) & tailMask(bytes));
  return x == y ? 0 : x < y ? -1 : 1;
}

/** The last 1 to 7 bytes of a run from `at` on, read from behind: the 8 bytes before its end are memory. */
@inline export function lastBytes(at: usize, bytes: u32): u64 {
  return load<u64>(at + bytes - 8) >> (<u64>(8 - bytes) << 3);
}

/** `equalBytes`, without a look behind the end of either. */
export function equalRuns(a: usize, b: usize, bytes: u32): bool {
  while (bytes >= 8) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
    bytes -= 8;
  }
  return !bytes || lastBytes(a, bytes) == lastBytes(b, bytes);
}

/** An order of two byte strings of one length, without a look behind the end of either: negative, zero or positive. */
export function compareRuns(a: usize, b: usize, bytes: u32): i32 {
  while (bytes >= 8) {
    const x = load<u64>(a);
    const y = load<u64>(b);
    if (x != y) return x < y ? -1 : 1;
    a += 8;
    b += 8;
    bytes -= 8;
  }
  if (!bytes) return 0;
  const x = lastBytes(a, bytes);
  const y = lastBytes(b, bytes);
  return x == y ? 0 : x < y ? -1 : 1;
}
