/**
 * Is a recorded history of map operations linearizable? That is: can every operation be given one moment between its call and its
 * return, so that a map used by a single thread in that order gives the same answers?
 *
 * Operations on different keys do not touch each other, so each key is decided alone (Herlihy and Wing: linearizability is
 * local). For a key, the search of Wing and Gong takes one operation after another that no other one has to come before; Lowe's
 * memo of what was already tried keeps it short. As a thread makes one call at a time, how many operations of each thread are
 * placed, and the state of the key, say all about a position of the search.
 */

/** The value of a key; undefined when it is absent. */
export type State = number | undefined;

export type Kind = "get" | "set" | "add" | "delete" | "lookupAndDelete" | "insert" | "replace";

/** One call. Values are numbers. `insert` is an update with BPF_NOEXIST, `replace` one with BPF_EXIST. */
export interface Call {
  readonly thread: number;
  readonly kind: Kind;
  readonly key: number;
  /** Value of `set`, `insert`, `replace`; delta of `add`. */
  readonly argument?: number;
  /**
   * What came back. `get`, `lookupAndDelete`: the value or undefined; `add`: the sum; `delete`: whether the key was there;
   * `insert`, `replace`: whether it was done (false: EEXIST, ENOENT).
   */
  readonly result?: number | boolean | undefined;
  /** Time of the call. All times of a history differ. */
  readonly start: number;
  /** Time of the return; undefined when the thread died in the call: it has taken effect, or it never will. */
  readonly end: number | undefined;
}

/** What a call answers on a state, and the state after it. */
function apply({ kind, argument = 0 }: Call, state: State): { result: Call["result"]; next: State } {
  const present = state !== undefined;
  switch (kind) {
    case "get":
      return { result: state, next: state };
    case "set":
      return { result: undefined, next: argument };
    case "add": {
      const sum = (state ?? 0) + argument;
      return { result: sum, next: sum };
    }
    case "delete":
      return { result: present, next: undefined };
    case "lookupAndDelete":
      return { result: state, next: undefined };
    case "insert":
      return { result: !present, next: present ? state : argument };
    case "replace":
      return { result: present, next: present ? argument : undefined };
  }
}

const endOf = (call: Call) => call.end ?? Number.POSITIVE_INFINITY;

/** Calls of one key by thread, in the order in which each thread made them. */
function byThread(calls: readonly Call[]): Call[][] {
  const threads = new Map<number, Call[]>();
  for (const call of [...calls].sort((a, b) => a.start - b.start)) {
    const own = threads.get(call.thread) ?? [];
    if (own.length > 0 && endOf(own.at(-1)!) > call.start) {
      throw new RangeError(`thread ${call.thread} made two calls at once: ${describeCall(call)}`);
    }
    own.push(call);
    threads.set(call.thread, own);
  }
  return [...threads.values()];
}

/** A search for an order of the calls of one key. */
class Search {
  readonly #threads: Call[][];
  /** Positions that lead nowhere. */
  readonly #tried = new Set<string>();
  /** The longest order found. */
  longest: Call[] = [];

  constructor(calls: readonly Call[]) {
    this.#threads = byThread(calls);
  }

  run(state: State): boolean {
    return this.#from(
      this.#threads.map(() => 0),
      state,
      [],
    );
  }

  /** Whether the calls from number `placed[t]` of each thread `t` on can follow. */
  #from(placed: number[], state: State, order: Call[]): boolean {
    if (order.length > this.longest.length) this.longest = [...order];
    const position = `${placed.join()}:${state}`;
    if (this.#tried.has(position)) return false;
    this.#tried.add(position);
    const next = this.#threads.map((calls, thread) => calls[placed[thread]!]);
    const firstEnd = Math.min(
      ...next.map((call) => (call === undefined ? Number.POSITIVE_INFINITY : endOf(call))),
    );
    // What is left, if anything, has not returned and need not have happened.
    if (firstEnd === Number.POSITIVE_INFINITY) return true;
    for (const [thread, call] of next.entries()) {
      if (call === undefined || call.start > firstEnd) continue;
      const { result, next: after } = apply(call, state);
      if (call.end !== undefined && result !== call.result) continue;
      placed[thread]!++;
      order.push(call);
      if (this.#from(placed, after, order)) return true;
      order.pop();
      placed[thread]!--;
    }
    return false;
  }
}

function describeCall({ thread, kind, key, argument, result, start, end }: Call): string {
  const given = argument === undefined ? "" : `, ${argument}`;
  const answer = end === undefined ? "never returned" : `${result}`;
  return `${start}..${end ?? ""} thread ${thread}: ${kind}(${key}${given}) = ${answer}`;
}

/**
 * Why a history is not linearizable; undefined when it is.
 *
 * @param initial state of each key before the first call; absent without it
 */
export function explain(history: readonly Call[], initial?: ReadonlyMap<number, number>): string | undefined {
  const keys = new Map<number, Call[]>();
  for (const call of history) {
    const calls = keys.get(call.key);
    if (calls === undefined) keys.set(call.key, [call]);
    else calls.push(call);
  }
  for (const [key, calls] of keys) {
    const search = new Search(calls);
    const state = initial?.get(key);
    if (search.run(state)) continue;
    const all = [...calls].sort((a, b) => a.start - b.start).map(describeCall);
    const order = search.longest.map(describeCall);
    return [
      `no order explains the ${calls.length} calls of key ${key}, which was ${state ?? "absent"} before them:`,
      ...all.map((line) => `  ${line}`),
      `the longest order found has ${order.length}:`,
      ...order.map((line) => `  ${line}`),
    ].join("\n");
  }
  return undefined;
}
