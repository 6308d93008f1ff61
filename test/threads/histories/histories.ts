/** Decides over what jobs/histories.mjs has recorded. In Node and, through test/browser/server.mjs, on a page. */
import { type Call, explain, type Kind, type State } from "./linearizability.ts";

/** The record of a call: kind, key, argument, result, start, end. */
const CALL_WORDS = 6;
const KINDS: readonly Kind[] = ["get", "set", "add", "delete", "lookupAndDelete", "insert", "replace"];
const ABSENT = -1;

/** Calls that answer with a value or undefined; the others that answer give a truth value. */
const VALUES: readonly Kind[] = ["get", "add", "lookupAndDelete"];

function decodeCall(words: Int32Array, at: number, thread: number): Call {
  const [kindIndex, key, argument, word, start, end] = words.subarray(at, at + CALL_WORDS);
  const kind = KINDS[kindIndex!]!;
  let result: Call["result"];
  if (VALUES.includes(kind)) result = word === ABSENT ? undefined : word;
  else if (kind !== "set") result = word === 1;
  return { thread, kind, key: key!, argument: argument!, result, start: start!, end: end! };
}

export interface Shape {
  readonly type: string;
  readonly threads: number;
  readonly calls: number;
  readonly rounds: number;
}

/** How many histories were looked at. Throws for the first that is not linearizable. */
export function checkHistories(words: Int32Array, { type, threads, calls, rounds }: Shape): number {
  for (let round = 0; round < rounds; round++) {
    const history: Call[] = [];
    for (let thread = 0; thread < threads; thread++) {
      for (let i = 0; i < calls; i++) {
        history.push(decodeCall(words, ((round * threads + thread) * calls + i) * CALL_WORDS, thread));
      }
    }
    const initial = new Map<number, NonNullable<State>>();
    if (type === "array") for (const { key } of history) initial.set(key, 0);
    const why = explain(history, initial);
    if (why !== undefined) throw new Error(`history ${round} is not linearizable: ${why}`);
  }
  return rounds;
}

/** How many pairs of calls of different threads on one key ran at the same time: without any, the histories test nothing. */
export function overlaps(words: Int32Array, { threads, calls, rounds }: Shape): number {
  let count = 0;
  const perRound = threads * calls;
  for (let round = 0; round < rounds; round++) {
    for (let a = 0; a < perRound; a++) {
      for (let b = (Math.floor(a / calls) + 1) * calls; b < perRound; b++) {
        const x = (round * perRound + a) * CALL_WORDS;
        const y = (round * perRound + b) * CALL_WORDS;
        const sameKey = words[x + 1] === words[y + 1];
        if (sameKey && words[x + 4]! < words[y + 5]! && words[y + 4]! < words[x + 5]!) count++;
      }
    }
  }
  return count;
}
