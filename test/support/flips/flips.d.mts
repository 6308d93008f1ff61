export interface Outcome {
  /** Of which scene, in which build. */
  readonly scene: string;
  /** What was damaged: a word of the header, or an address. */
  readonly where: string;
  readonly address: number;
  readonly bit: number;
  /** `typed`: an error of the API; `trap`: any other; `value`: only a value of the user differs; `loop`: it did not end. */
  readonly kind: "harmless" | "typed" | "trap" | "wrong" | "value" | "loop";
  /** Whether verify() noticed it. */
  readonly seen: boolean;
  readonly detail: string;
}

export function flips(root: string, seed: number, count: number): Promise<Outcome[]>;
export function circles(root: string): Promise<Outcome[]>;
export function sizes(root: string): Promise<Outcome[]>;
export function tableOf(outcomes: readonly Outcome[]): string;
export function harmOf(outcomes: readonly Outcome[]): string[];
