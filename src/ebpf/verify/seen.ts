/**
 * The states that have been seen at the points where paths meet.
 *
 * @module
 */
import { BOUNDS } from "./flow/needs.ts";
import { forget } from "./forget.ts";
import { joinedState } from "./join.ts";
import { isScalar, type Register } from "./pointer.ts";
import type { VerifiedMap } from "./program.ts";
import type { Session } from "./session.ts";
import { SLOTS } from "./stack.ts";
import { type CallPath, copyOf, type State, shapeOf } from "./state.ts";
import { isWithin, type KnownState, knownState } from "./within.ts";

/** So many states are told apart as they are; then so many by what bounds need; then states of equal types are joined. */
const EXACT_STATES = 16;
const VAGUE_STATES = 32;
/** So many joins go before bounds that move are given up. */
const QUIET_JOINS = 3;
/** So many combinations of types are joined apart; those that come later all in one. */
const MOST_GROUPS = 32;

interface Group {
  known: KnownState;
  joins: number;
}

/** One point, reached through certain calls, with a certain lock and certain reservations. */
class Point {
  readonly states: KnownState[] = [];
  readonly groups = new Map<string, Group>();

  knows(state: State): boolean {
    for (const { known } of this.groups.values()) if (isWithin(state, known)) return true;
    for (let k = this.states.length - 1; k >= 0; k--) if (isWithin(state, this.states[k])) return true;
    return false;
  }
}

export class SeenStates {
  readonly #session: Session;
  readonly #points = new Map<CallPath, Map<string, Point>>();
  readonly #mapNumbers = new Map<VerifiedMap, number>();
  states = 0;
  joins = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** The state to go on with at the instruction that is looked at; undefined when what follows has been looked at already. */
  arrive(state: State): State | undefined {
    const session = this.#session;
    forget(session, state);
    const point = this.#point(state);
    if (point.knows(state)) return undefined;
    if (point.states.length < EXACT_STATES) return this.#keep(point, state);
    forget(session, state, BOUNDS);
    if (point.knows(state)) return undefined;
    if (point.states.length < EXACT_STATES + VAGUE_STATES) return this.#keep(point, state);
    return this.#join(point, state);
  }

  #keep(point: Point, state: State): State {
    point.states.push(knownState(copyOf(state)));
    this.states++;
    return state;
  }

  #join(point: Point, state: State): State {
    this.joins++;
    const types = point.groups.size < MOST_GROUPS ? this.#types(state) : "";
    const key = point.groups.has(types) || point.groups.size < MOST_GROUPS ? types : "";
    const group = point.groups.get(key);
    if (group === undefined) {
      point.groups.set(key, { known: knownState(copyOf(state)), joins: 0 });
      return state;
    }
    group.joins++;
    const joined = joinedState(this.#session, group.known.state, state, group.joins > QUIET_JOINS);
    group.known = knownState(joined);
    return copyOf(joined);
  }

  #point(state: State): Point {
    const calls = state.calls[state.calls.length - 1];
    let points = this.#points.get(calls);
    if (points === undefined) {
      points = new Map();
      this.#points.set(calls, points);
    }
    const key = `${this.#session.pc}${shapeOf(state)}`;
    let point = points.get(key);
    if (point === undefined) {
      point = new Point();
      points.set(key, point);
    }
    return point;
  }

  /** What kinds of things are where. */
  #types(state: State): string {
    const parts: string[] = [];
    for (const { registers, stack } of state.frames) {
      for (const register of registers) parts.push(this.#type(register));
      for (let at = stack.lowest; at < SLOTS; at++) {
        const whole = stack.at(at)?.whole;
        if (whole !== undefined && !isScalar(whole)) parts.push(`${at}${this.#type(whole)}`);
      }
    }
    return parts.join();
  }

  #type(register: Register | undefined): string {
    if (register === undefined) return "";
    if (isScalar(register)) return register.isZero ? "0" : "s";
    const { kind, target, nullable } = register;
    return `${kind}${nullable ? "?" : ""}${target.place}${target.map === undefined ? "" : this.#numberOf(target.map)}`;
  }

  #numberOf(map: VerifiedMap): number {
    let number = this.#mapNumbers.get(map);
    if (number === undefined) {
      number = this.#mapNumbers.size;
      this.#mapNumbers.set(map, number);
    }
    return number;
  }
}
