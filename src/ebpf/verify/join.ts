/**
 * One state that holds two: for points that are reached too often to follow each path by itself.
 *
 * @module
 */
import { IdJoin, NULL_ID } from "./ids.ts";
import {
  canBeMixed,
  isLike,
  isScalar,
  NO_RANGE,
  type Pointer,
  type PointerKind,
  pointerTo,
  type Register,
  sameTarget,
  type Target,
  target,
} from "./pointer.ts";
import { eitherScalar, plus, widened } from "./scalar/relations.ts";
import { type Scalar, UNKNOWN } from "./scalar/scalar.ts";
import type { Session } from "./session.ts";
import { halfOf, SLOTS, type Slot } from "./stack.ts";
import { copyOf, type Frame, type State } from "./state.ts";

/**
 * Joins a state into one that was there before.
 *
 * @param widens whether bounds that move are given up, so that loops come to an end
 */
export function joinedState(session: Session, before: State, now: State, widens: boolean): State {
  return new Join(session, widens).states(before, now);
}

class Join {
  readonly #widens: boolean;
  readonly #ids: IdJoin;

  constructor(session: Session, widens: boolean) {
    this.#widens = widens;
    this.#ids = new IdJoin(() => session.newId());
  }

  states(before: State, now: State): State {
    const joined = copyOf(before);
    joined.lock = before.lock && { map: before.lock.map, id: this.#ids.of(before.lock.id, now.lock!.id) };
    joined.reservations = before.reservations.map(({ id, site }, index) => ({
      id: this.#ids.of(id, now.reservations[index].id),
      site,
    }));
    for (const [depth, frame] of joined.frames.entries()) this.#frame(frame, now.frames[depth]);
    return joined;
  }

  #frame(into: Frame, now: Frame): void {
    this.#registers(into.registers, now.registers);
    for (let at = into.stack.lowest; at < SLOTS; at++) {
      const before = into.stack.at(at);
      const joined = this.#slot(before, now.stack.at(at));
      if (joined !== before) into.stack.set(at, joined);
    }
    if (into.callback !== undefined) this.#registers(into.callback.parameters, now.callback!.parameters);
  }

  #registers(into: (Register | undefined)[], now: readonly (Register | undefined)[]): void {
    for (let r = 0; r < into.length; r++) into[r] = this.#register(into[r], now[r]);
  }

  #slot(a: Slot | undefined, b: Slot | undefined): Slot | undefined {
    if (a === undefined || b === undefined) return undefined;
    const written = a.written & b.written;
    if (a.whole !== undefined && b.whole !== undefined) {
      const whole = this.#register(a.whole, b.whole)!;
      return isScalar(whole) && whole.isUnknown && whole.id === 0 ? { written } : { written, whole };
    }
    const low = this.#half(halfOf(a, 0), halfOf(b, 0));
    const high = this.#half(halfOf(a, 4), halfOf(b, 4));
    return { written, low, high };
  }

  #half(a: Scalar | undefined, b: Scalar | undefined): Scalar | undefined {
    return a && b && this.#scalar(a, b);
  }

  #register(a: Register | undefined, b: Register | undefined): Register | undefined {
    if (a === undefined || b === undefined) return undefined;
    if (isScalar(a)) return isScalar(b) ? this.#scalar(a, b) : this.#orNull(b, a, NULL_ID, b.id);
    return isScalar(b) ? this.#orNull(a, b, a.id, NULL_ID) : this.#pointers(a, b);
  }

  #scalar(a: Scalar, b: Scalar): Scalar {
    const id = a.id !== 0 && b.id !== 0 ? this.#ids.of(a.id, b.id) : 0;
    if (a === b) return a.withId(id);
    return (this.#widens ? widened(a, b) : eitherScalar(a, b)).withId(id);
  }

  /** A pointer on one path, NULL on the other. Any other number is not to be told from an address: nobody may follow it. */
  #orNull(pointer: Pointer, number: Scalar, a: number, b: number): Register {
    if (!number.isZero || !(pointer.isMemory || pointer.kind === "map")) return UNKNOWN;
    if (pointer.kind === "context") return UNKNOWN;
    // A packet pointer needs its id for its variable part.
    if (pointer.isPacket && pointer.id !== 0) return UNKNOWN;
    return pointer.with({ nullable: true, id: this.#ids.of(a, b) });
  }

  #pointers(a: Pointer, b: Pointer): Register {
    if (!sameTarget(a.target, b.target)) return this.#mixed(a, b);
    const nullable = a.nullable || b.nullable;
    const hasWindow = a.hasWindow && b.hasWindow;
    if (a.isPacket) {
      if (nullable && (a.id !== b.id || a.fixed !== b.fixed || a.nullable !== b.nullable)) return UNKNOWN;
      return this.#packets(a, b).with({ hasWindow });
    }
    const id = a.id === 0 && b.id === 0 && !nullable ? 0 : this.#ids.of(a.id, b.id);
    if (a.fixed === b.fixed) {
      return a.with({ variable: this.#variable(a.variable, b.variable), id, nullable, hasWindow });
    }
    return a.with({ fixed: 0, variable: this.#variable(a.offset, b.offset), id, nullable, hasWindow });
  }

  #variable(a: Scalar, b: Scalar): Scalar {
    if (a === b) return a;
    return this.#widens ? widened(a, b) : eitherScalar(a, b).withId(0);
  }

  /**
   * Two pointers into the packet. The joined one is as far in as the first; what it is farther or nearer in the second goes to its
   * variable part, the same for all pointers that have moved as far: so their distances, and what is known to be there, survive.
   */
  #packets(a: Pointer, b: Pointer): Pointer {
    const delta = b.fixed - a.fixed;
    if (a.id === 0 && b.id === 0 && delta === 0) return a.with({ range: this.#range(a.range, b.range) });
    const variable = this.#variable(a.variable, plus(b.variable, delta));
    return a.with({
      variable,
      id: this.#ids.of(a.id, b.id, delta),
      range: this.#range(a.range, b.range - delta),
    });
  }

  #range(a: number, b: number): number {
    if (b >= a) return a;
    return this.#widens ? NO_RANGE : b;
  }

  #mixed(a: Pointer, b: Pointer): Register {
    if (a.kind === "map" && b.kind === "map") return this.#maps(a, b);
    if (!canBeMixed(a) || !canBeMixed(b)) return UNKNOWN;
    const nullable = a.nullable || b.nullable;
    const joined = pointerTo(mixedTarget(a.target, b.target), {
      nullable,
      id: nullable ? this.#ids.of(a.id, b.id) : 0,
    });
    return joined.with({ hasWindow: a.hasWindow && b.hasWindow });
  }

  /** Two maps of which helpers can be called with either. */
  #maps(a: Pointer, b: Pointer): Register {
    if (!isLike(a.target.map!, b.target.map!)) return UNKNOWN;
    const nullable = a.nullable || b.nullable;
    const either = target("map", { map: a.target.map, isOne: false });
    return pointerTo(either, { nullable, id: nullable ? this.#ids.of(a.id, b.id) : 0 });
  }
}

function mixedTarget(a: Target, b: Target): Target {
  const kindsOf = ({ kind, kinds }: Target): readonly PointerKind[] =>
    kind === "mixed" ? [...kinds] : [kind];
  return target("mixed", {
    kinds: new Set([...kindsOf(a), ...kindsOf(b)].sort()),
    writable: a.writable && b.writable,
    place: Math.max(a.place, b.place),
  });
}
