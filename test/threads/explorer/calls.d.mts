/** A number, or the result of an earlier call of the same list, plus something. */
export type Argument = number | { readonly resultOf: number; readonly plus?: number };

/** One call of an export of the core, or of what `calls.mjs` has beside them. */
export interface Call {
  readonly name: string;
  readonly args: readonly Argument[];
}

export type Exports = Readonly<Record<string, (...args: number[]) => number>>;

/** Makes the calls one after the other. `reached` is told before each and, with the number of calls, at the end. */
export function makeCalls(
  core: Exports,
  memory: WebAssembly.Memory,
  calls: readonly Call[],
  results: { [index: number]: number },
  reached?: (index: number) => void,
): void;
