// Atomic instructions. On shared hosts they are those of WebAssembly, which trap at addresses that are not aligned: the verifier demands
// alignment, as the kernel's does.
import { SHARED } from "../build";
import { R0 } from "./frame";

const FETCH: u32 = 1;
const ADD: u32 = 0x00;
const OR: u32 = 0x40;
const AND: u32 = 0x50;
const XOR: u32 = 0xa0;
const XCHG: u32 = 0xe1;
const CMPXCHG: u32 = 0xf1;
const LOAD_ACQUIRE: u32 = 0x100;
const STORE_RELEASE: u32 = 0x110;

function combined<T>(operation: u32, old: T, value: T): T {
  switch (operation) {
    case ADD: return <T>(old + value);
    case OR: return old | value;
    case AND: return old & value;
    case XOR: return old ^ value;
    default: return value;
  }
}

/** One of the operations that combine, or an exchange. The old value. */
function modify<T>(at: usize, operation: u32, value: T): T {
  if (SHARED) {
    switch (operation) {
      case ADD: return atomic.add<T>(at, value);
      case OR: return atomic.or<T>(at, value);
      case AND: return atomic.and<T>(at, value);
      case XOR: return atomic.xor<T>(at, value);
      default: return atomic.xchg<T>(at, value);
    }
  }
  const old = load<T>(at);
  store<T>(at, combined<T>(operation, old, value));
  return old;
}

function compareExchange<T>(at: usize, expected: T, value: T): T {
  if (SHARED) return atomic.cmpxchg<T>(at, expected, value);
  const old = load<T>(at);
  if (old == expected) store<T>(at, value);
  return old;
}

@inline function loadAcquire<T>(at: usize): T {
  return SHARED ? atomic.load<T>(at) : load<T>(at);
}

@inline function storeRelease<T>(at: usize, value: T): void {
  if (SHARED) atomic.store<T>(at, value);
  else store<T>(at, value);
}

/** An atomic instruction on a T. False for an operation that there is not. `dst`, `src`: where the registers are. */
export function atomically<T>(run: usize, dst: usize, src: usize, offset: i32, operation: u32): bool {
  if (operation == LOAD_ACQUIRE) {
    store<u64>(dst, <u64>loadAcquire<T>(<usize>(load<u32>(src) + offset)));
    return true;
  }
  const at = <usize>(load<u32>(dst) + offset);
  const value = <T>load<u64>(src);
  if (operation == STORE_RELEASE) storeRelease<T>(at, value);
  else if (sizeof<T>() < 4) return false;
  else if (operation == CMPXCHG) store<u64>(run + R0, <u64>compareExchange<T>(at, <T>load<u64>(run + R0), value));
  else if (operation == XCHG) store<u64>(src, <u64>modify<T>(at, operation, value));
  else {
    const kind = operation & ~FETCH;
    if (kind != ADD && kind != OR && kind != AND && kind != XOR) return false;
    const old = modify<T>(at, kind, value);
    if (operation & FETCH) store<u64>(src, <u64>old);
  }
  return true;
}
