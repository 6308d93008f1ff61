/**
 * Plans: what a rollout does, pair by pair; for people before it runs, and for the undo behind it.
 *
 * @module
 */
import { checkKnown } from "../../arguments/known.ts";
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import { hide } from "../../print/hidden.ts";
import { INSPECT } from "../../print/inspect.ts";
import { type Growth, growthOf } from "../manifest/growth.ts";
import {
  type CheckedManifest,
  type CheckedPair,
  describePair,
  differencesOf,
  encodePair,
  isSame,
  type StoredPair,
} from "../manifest/manifest.ts";
import type { StoreHandle } from "../store/store_handle.ts";

/**
 * What happens to a pair: `add` gives it its default; `convert` makes its value from the old one by the function of the manifest, `grow`
 * without one; `version` leaves its value as it is; `drop` takes it away.
 */
export type PlanAction = "add" | "convert" | "grow" | "version" | "drop";

/** One pair of a {@link Plan}. */
export interface PlanStep {
  readonly action: PlanAction;
  readonly name: string;
  /** Layout and version in words, `u32 (4 bytes), version 1`; undefined for a pair that is added. */
  readonly from: string | undefined;
  /** The same of the new manifest; undefined for a pair that is dropped. */
  readonly to: string | undefined;
  /** What an undo does: `reverted`, `old value` where there is no way back for updates, `kept`, `dropped`, `restored`. */
  readonly undo: string;
}

/** How one pair gets from manifest to manifest. */
export type Move =
  | { readonly kind: "keep"; readonly from: StoredPair; readonly to: CheckedPair }
  | { readonly kind: "add"; readonly to: CheckedPair }
  | { readonly kind: "drop"; readonly from: StoredPair }
  | {
      readonly kind: "convert";
      readonly from: StoredPair;
      readonly to: CheckedPair;
      readonly forward: (old: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
      /** Undefined: there is none; one that gives undefined: the value is none of the old layout. */
      readonly back: ((value: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | undefined) | undefined;
    };

/** Options of {@link Plan.undo}. */
export interface UndoOptions {
  /** Take the old values even where an update was made after the rollout that has no way back. */
  readonly discardUpdates?: boolean | undefined;
}

/** What a plan that was run can still do. */
export interface Executed {
  undo(discardUpdates: boolean): void;
  seal(): void;
}

/**
 * What a rollout does. {@link KvStore.plan} gives one that was not run, {@link KvStore.rollout} one that was.
 *
 * @example
 * ```ts
 * import { createHost, u16, u32 } from "bpfmap";
 *
 * const host = createHost();
 * const store = host.createKvStore({ name: "c", manifest: { pairs: { port: { codec: u16 }, user: { codec: u32 } } } });
 * const plan = store.plan({ pairs: { port: { codec: u32 }, group: { codec: u32 } } });
 * console.log(plan.steps.map(({ action, name }) => `${action} ${name}`)); // [ 'grow port', 'add group', 'drop user' ]
 * console.log(plan.isEmpty, plan.state); // false planned
 * ```
 */
export class Plan {
  /** How messages call the store. */
  readonly subject: string;
  readonly steps: readonly PlanStep[];
  /** Names of the pairs that stay as they are. */
  readonly kept: readonly string[];
  /** @internal */
  declare readonly moves: readonly Move[];
  #state: "planned" | "done" | "undone" | "sealed" = "planned";
  #executed: Executed | undefined;

  /** @internal */
  constructor(subject: string, moves: readonly Move[]) {
    this.subject = subject;
    hide<Plan>(this, { moves });
    this.steps = moves.filter((move) => !isKept(move)).map(stepOf);
    this.kept = moves.filter(isKept).map(({ to }) => to.name);
  }

  /** Whether there is nothing to do. */
  get isEmpty(): boolean {
    return this.steps.length === 0;
  }

  /** `planned`: not run; `done`; `undone`; `sealed`: done for good. */
  get state(): "planned" | "done" | "undone" | "sealed" {
    return this.#state;
  }

  /** @internal It was run. */
  executed(executed: Executed): this {
    this.#executed = executed;
    this.#state = "done";
    return this;
  }

  /**
   * Puts the manifest of before in force again, at once for all readers. Values that were converted go back through `revert`, with all
   * updates made since; those that only grew lose what is new in them. Where there is no `revert` the old value comes back, which is
   * refused when an update has been made since the rollout. Pairs that were dropped come back, pairs that were added go. It is final:
   * to go forward again, make the rollout again.
   *
   * @throws BpfError EBUSY when updates would be lost, which the message lists, unless `discardUpdates` says that they may; EINVAL when the
   *   plan was not run, undone or sealed, or the store has been rolled out since; what `revert` throws. Nothing has changed then.
   */
  undo(options: UndoOptions = {}): void {
    checkKnown(`plan.undo: ${this.subject}`, options, ["discardUpdates"]);
    this.#running("plan.undo").undo(options.discardUpdates === true);
    this.#state = "undone";
    this.#executed = undefined;
  }

  /**
   * Makes the rollout final: frees the old values, which take room in the store until then. The next rollout does so, too.
   *
   * @throws BpfError EINVAL when the plan was not run, undone or sealed
   */
  seal(): void {
    this.#running("plan.seal").seal();
    this.#state = "sealed";
    this.#executed = undefined;
  }

  #running(operation: Operation): Executed {
    if (this.#executed !== undefined) return this.#executed;
    const cause = this.#state === "planned" ? "has not run this plan" : `has this plan ${this.#state}`;
    throw bpfError(ERRNO.EINVAL, operation, this.subject, cause);
  }

  toJSON(): { store: string; state: string; steps: readonly PlanStep[]; kept: readonly string[] } {
    return { store: this.subject, state: this.#state, steps: this.steps, kept: this.kept };
  }

  /** @internal */
  [INSPECT](): string {
    return `Plan of ${this}`;
  }

  /** A table with a line for each step. */
  toString(): string {
    const count = `${this.steps.length} ${this.steps.length === 1 ? "step" : "steps"}`;
    const head = `${this.subject}: ${this.isEmpty ? "nothing to do" : `${count}, ${this.#state}`}`;
    const rows = this.steps.map(({ action, name, from = "", to = "", undo }) => {
      const change = from === "" ? to : to === "" ? from : `${from} -> ${to}`;
      return [action, name, change, `undo: ${undo}`];
    });
    const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column].length)));
    const lines = rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ")}`);
    const kept = this.kept.length === 0 ? [] : [`  keep ${this.kept.join(", ")}`];
    return [head, ...lines, ...kept].join("\n");
  }
}

function isKept(move: Move): move is Move & { kind: "keep" } {
  return move.kind === "keep" && isSame(move.from, move.to);
}

function stepOf(move: Move): PlanStep {
  switch (move.kind) {
    case "add":
      return {
        action: "add",
        name: move.to.name,
        from: undefined,
        to: describePair(move.to),
        undo: "dropped",
      };
    case "drop":
      return {
        action: "drop",
        name: move.from.name,
        from: describePair(move.from),
        to: undefined,
        undo: "restored",
      };
    default: {
      const [from, to] = [describePair(move.from), describePair(move.to)];
      const action = move.kind === "keep" ? "version" : move.to.convert === undefined ? "grow" : "convert";
      const undo = move.kind === "keep" ? "kept" : move.back === undefined ? "old value" : "reverted";
      return { action, name: move.to.name, from, to, undo };
    }
  }
}

/** The move of a pair whose layout or version has changed; undefined when it needs a conversion that is not there. */
function changeOf(subject: string, stored: StoredPair, from: CheckedPair, to: CheckedPair): Move | undefined {
  const { convert, revert } = to;
  const what = `${subject}: ${JSON.stringify(to.name)}`;
  if (convert === undefined) {
    if (stored.layout === to.layout && stored.size === to.size) return { kind: "keep", from: stored, to };
    const growth: Growth | undefined = growthOf(from, to);
    if (growth === undefined) return undefined;
    return { kind: "convert", from: stored, to, forward: growth.grow, back: growth.shrink };
  }
  const decode = (pair: CheckedPair, bytes: Uint8Array<ArrayBuffer>) =>
    pair.codec.decode(new DataView(bytes.buffer, bytes.byteOffset), 0);
  return {
    kind: "convert",
    from: stored,
    to,
    forward: (old) => encodePair(`${what}: convert`, to, convert(decode(from, old))),
    back: revert && ((value) => encodePair(`${what}: revert`, from, revert(decode(to, value)))),
  };
}

/** The plan from the manifest in force, which the store must be bound to, to another one. */
export function planOf(store: StoreHandle, operation: Operation, next: CheckedManifest): Plan {
  const { binding, subject } = store;
  const { generation, pairs } = store.manifest;
  if (differencesOf(pairs, next).length > 0) {
    if (binding !== undefined) binding.refresh(store, operation);
    else if (generation > 0) {
      const cause = "has a manifest in force, and this handle is bound to none";
      throw bpfError(ERRNO.EINVAL, operation, subject, cause, "bind() the one in force first");
    }
  }
  const moves: Move[] = [];
  const missing: string[] = [];
  const before = new Map(pairs.map((pair) => [pair.name, pair]));
  for (const to of next.values()) {
    const from = before.get(to.name);
    const old = binding?.manifest.get(to.name);
    if (from === undefined) moves.push({ kind: "add", to });
    else if (isSame(from, to) || old === undefined) moves.push({ kind: "keep", from, to });
    else {
      const move = changeOf(`${operation}: ${subject}`, from, old, to);
      if (move !== undefined) moves.push(move);
      else missing.push(`\n  ${JSON.stringify(to.name)}: ${describePair(from)} -> ${describePair(to)}`);
    }
  }
  if (missing.length > 0) {
    const many = missing.length === 1 ? "1 pair needs" : `${missing.length} pairs need`;
    throw new TypeError(
      `${operation}: ${subject}: ${many} a convert() in the new manifest:${missing.join("")}`,
    );
  }
  for (const from of pairs) if (!next.has(from.name)) moves.push({ kind: "drop", from });
  return new Plan(subject, moves);
}
