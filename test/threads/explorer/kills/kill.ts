/**
 * Kills a thread at a step of an operation, and looks whether the others find everything in order: the second slot works, an
 * exception out of `env.step` ends it, the first recovers it. Or the first is killed in the middle of that, and the third recovers both.
 */

import { STEP_BLOCKED } from "../../../../src/generated/abi.js";
import { pointName } from "../core.ts";
import { entriesIn, entriesText, Model } from "../model.ts";
import { contents, endWorld, useAll } from "../programs/contents.ts";
import type { Operation } from "../programs/operation.ts";
import { Operations } from "../programs/operations.ts";
import type { Shape } from "../programs/shapes.ts";
import { type Start, start } from "../start.ts";
import { FIRST, SECOND, THIRD, World } from "../world.ts";

class Killed extends Error {}

/** The functions of the core that were being executed, where it has their names: compile it with --debug. */
function wasmStack(error: Error): string {
  const names = [...(error.stack ?? "").matchAll(/at assembly\/(\S+) \(wasm/g)].map(([, name]) => name);
  return names.length === 0 ? "" : ` in ${names.join(" < ")}`;
}

export interface Case {
  readonly shape: Shape;
  readonly start: Start;
  readonly operation: (operations: Operations) => Operation;
  /** Whether the third slot has a section open. */
  readonly pinned: boolean;
}

/** One operation on one map, from the same memory again and again. */
export class KillCase {
  readonly operation: Operation;
  /** Steps of the operation when nothing happens to it. */
  readonly steps: number;
  readonly #world: World;
  readonly #table: number;
  readonly #before: Model;
  readonly #case: Case;
  readonly #allowed = new Map<string, Model>();
  #victim = -1;
  #left = 0;
  #steps = 0;
  #last = 0;
  #stack = "";

  constructor(module: WebAssembly.Module, given: Case) {
    const { shape, pinned } = given;
    this.#case = given;
    const world = new World(module);
    this.#world = world;
    this.#table = world.createMap(shape);
    this.#before = new Model(shape);
    start(world, this.#table, this.#before, given.start);
    if (pinned) world.cores[THIRD].enterSection();
    this.operation = given.operation(new Operations(world, SECOND, this.#table, shape));
    const model = this.#before.clone();
    this.#allow(model);
    for (const part of this.operation.parts) {
      part(model);
      this.#allow(model);
    }
    world.onStep = (cpu, point) => this.#step(cpu, point);
    world.save();
    this.#run(SECOND, Number.POSITIVE_INFINITY, () =>
      this.#checkOutcomes(world.run(SECOND, this.operation.calls)),
    );
    this.steps = this.#steps;
  }

  #allow(model: Model): void {
    this.#allowed.set(`${model}`, model.clone());
  }

  #checkOutcomes(results: ArrayLike<number>): void {
    const model = this.#before.clone();
    const { name, parts } = this.operation;
    const outcomes = this.operation.outcomes(results, this.#world).slice(0, parts.length);
    for (const [i, outcome] of outcomes.entries()) {
      const expected = parts[i](model);
      if (outcome !== expected) {
        throw new Error(`${this.#case.shape.name}: ${name} gives ${outcome}, expected ${expected}`);
      }
    }
  }

  #step(cpu: number, point: number): void {
    if (point === STEP_BLOCKED) throw new Error(`slot ${cpu} waits for a lock that nobody will release`);
    if (cpu !== this.#victim) return;
    this.#steps++;
    this.#last = point;
    if (--this.#left <= 0) throw new Killed();
  }

  /** Whether the slot was killed, at its `at`th step. */
  #run(cpu: number, at: number, action: () => void): boolean {
    this.#victim = cpu;
    this.#left = at;
    this.#steps = 0;
    try {
      action();
      return false;
    } catch (error) {
      if (error instanceof Killed) {
        this.#stack = wasmStack(error);
        return true;
      }
      throw error;
    } finally {
      this.#victim = -1;
    }
  }

  /**
   * Kills the operation at its step `at`, and with `recovery` its recoverer at that step of the recovery: whether there was such a step.
   * Throws when what is left is wrong.
   */
  kill(at: number, recovery?: number): boolean {
    const world = this.#world;
    world.restore();
    let where = `killed at step ${at} of ${this.operation.name}`;
    try {
      if (!this.#run(SECOND, at, () => world.run(SECOND, this.operation.calls))) return false;
      where += ` (${pointName(this.#last)}${this.#stack})`;
      let witness: number = FIRST;
      if (recovery === undefined) this.#reap(FIRST, SECOND);
      else {
        if (!this.#run(FIRST, recovery, () => world.cores[FIRST].reap(SECOND))) return false;
        where += `, its recoverer at step ${recovery} (${pointName(this.#last)}${this.#stack})`;
        witness = THIRD;
        this.#reap(THIRD, FIRST);
        if (!world.isFree(SECOND)) this.#reap(THIRD, SECOND);
      }
      if (this.#case.pinned) {
        world.cores[THIRD].leaveSection();
        world.cores[THIRD].sweepTables();
      }
      this.#check(witness);
      endWorld(world);
      return true;
    } catch (error) {
      const { shape, start, pinned } = this.#case;
      const from = typeof start === "object" ? `${start.entries} entries` : start;
      const what = `${shape.name}, ${from}${pinned ? ", in a section of another" : ""}: ${where}`;
      throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Steps of the recovery behind a kill. */
  recoverySteps(at: number): number {
    const world = this.#world;
    world.restore();
    this.#run(SECOND, at, () => world.run(SECOND, this.operation.calls));
    this.#run(FIRST, Number.POSITIVE_INFINITY, () => world.cores[FIRST].reap(SECOND));
    return this.#steps;
  }

  #reap(by: number, cpu: number): void {
    const errno = this.#world.cores[by].reap(cpu);
    if (errno !== 0) throw new Error(`reap(${cpu}) gives errno ${errno}`);
    if (!this.#world.isFree(cpu)) throw new Error(`slot ${cpu} is not free after reap`);
  }

  #check(witness: number): void {
    const world = this.#world;
    const path = world.writePath(world.scratch[witness].take(16));
    const held = world.cores[witness].holdPinned(path, 1) >>> 0;
    if (held === 0 && this.operation.name === "destroy()") return;
    if (held !== this.#table) throw new Error(`the path leads to ${held}`);
    world.cores[witness].dropTable(held);
    const { shape } = this.#case;
    const entries = contents(world, witness, this.#table, shape, this.#before.entries.keys());
    useAll(world, witness, this.#table, this.#stateOf(entries));
  }

  /** The state that the map is in. */
  #stateOf(entries: ReadonlyMap<number, readonly number[]>): Model {
    const text = entriesText(entries);
    const given = entriesIn(entries);
    const isAllowed = this.#case.shape.evicts
      ? [...this.#allowed.values()].some((state) => state.allows(given))
      : this.#allowed.has(text);
    if (isAllowed) {
      const limit = this.#world.words[(this.#table + this.#maxEntriesOffset()) >>> 2];
      return new Model(this.#case.shape, entries, limit);
    }
    const { entries: before, limit } = this.#before;
    const kept = [...entries].every(([key, value]) => before.get(key)?.join() === value.join());
    if (!this.operation.removesAll || !kept) {
      throw new Error(`the map is in no state that it may be in: ${text}\nbefore: ${this.#before}`);
    }
    return new Model(this.#case.shape, entries, limit);
  }

  #maxEntriesOffset(): number {
    const exports = this.#world.cores[FIRST] as unknown as Record<string, WebAssembly.Global>;
    return exports.MAX_ENTRIES_OFFSET.value;
  }
}
