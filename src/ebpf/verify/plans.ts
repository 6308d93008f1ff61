/**
 * What the verifier tells who runs the program: for each instruction that touches memory whether its bounds are proven, for each call
 * what is constant about it.
 *
 * @module
 */
import type { PointerKind } from "./pointer.ts";
import type { VerifiedMap } from "./program.ts";

/** A load, a store, or an atomic instruction. */
export interface AccessPlan {
  /** What it touches; `mixed` where that differs between paths, or the register itself is mixed. */
  readonly kind: PointerKind;
  readonly bytes: number;
  /**
   * Whether it stays inside on every path. If not, it runs only when address and size lie in the window of the base register, base and
   * limit: `address >= base && address <= limit && limit - address >= bytes`, all of u32. The window of NULL is 0, 0: nothing fits.
   */
  readonly proven: boolean;
  /** Why it is not proven. */
  readonly reason?: string | undefined;
  /**
   * Of accesses to the function's own frame, where every path has the same constant offset from r10: that offset. Slots that are so
   * accessed may be kept in locals; a pointer that is stored and loaded so keeps its window.
   */
  readonly frameOffset?: number | undefined;
  /** Of loads from the context that give a pointer: which; its window begins here. */
  readonly gives?: PointerKind | undefined;
}

/** A check that a call needs before it: the memory that an argument points to lies in the window of its register. */
export interface ArgumentCheck {
  /** 1 .. 5. */
  readonly register: number;
  /** How many bytes; or the register that says how many. */
  readonly bytes: number | { readonly register: number };
  readonly reason: string;
}

export interface CallPlan {
  readonly helper: number;
  /** The map, when it is the same on all paths. */
  readonly map?: VerifiedMap | undefined;
  /** What the map is like in type and sizes, when it may be one of several. */
  readonly mapLike?: VerifiedMap | undefined;
  /** Arguments that are the same number on all paths, by register: sizes, flags. */
  readonly constants: ReadonlyMap<number, number>;
  /** The function that is called back. */
  readonly callback?: number | undefined;
  readonly checks: readonly ArgumentCheck[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What has been seen of an access so far. */
export interface SeenAccess extends Mutable<AccessPlan> {
  /** Whether some path comes without a window. */
  lacksWindow: boolean;
}

export interface SeenCall {
  helper: number;
  maps: Set<VerifiedMap>;
  isOneMap: boolean;
  constants: Map<number, number>;
  callback: number | undefined;
  checks: Map<number, ArgumentCheck>;
  /** Registers through which some path comes without a window. */
  windowless: Set<number>;
}

/** In the place of a constant: it is not the same on all paths. */
export const VARIES = Number.NaN;

export function newCall(helper: number): SeenCall {
  return {
    helper,
    maps: new Set(),
    isOneMap: true,
    constants: new Map(),
    callback: undefined,
    checks: new Map(),
    windowless: new Set(),
  };
}

export function planOfCall(seen: SeenCall): CallPlan {
  const [first] = seen.maps;
  const isOne = seen.maps.size === 1 && seen.isOneMap;
  return {
    helper: seen.helper,
    map: isOne ? first : undefined,
    mapLike: isOne ? undefined : first,
    constants: new Map([...seen.constants].filter(([, value]) => !Number.isNaN(value))),
    callback: seen.callback,
    checks: [...seen.checks.values()],
  };
}
