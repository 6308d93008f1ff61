/**
 * Several threads are dead at once: each was killed at a step of an operation, the later ones with the locks of the earlier ones in their
 * way, some while they waited for those. Nobody has been told yet when the next one dies. Then the third slot is told of one after the
 * other, in some order, and may not wait for a lock, for its holder may be one that it has not been told of. Or one more slot is told, and
 * dies while it clears up. Or nobody is told at first, and the third slot finds out when a call of its own waits.
 */
import { STEP_BLOCKED } from "../../../../src/generated/abi.js";
import { pointName } from "../core.ts";
import { entriesText, Model } from "../model.ts";
import { contents, endWorld, useAll } from "../programs/contents.ts";
import type { Operation } from "../programs/operation.ts";
import { Operations } from "../programs/operations.ts";
import type { Shape } from "../programs/shapes.ts";
import { type Start, start } from "../start.ts";
import { FIRST, FOURTH, SECOND, THIRD, World } from "../world.ts";
import type { Make } from "./kills.ts";

const CPUS = 4;
const MEMBERS = [FIRST, SECOND] as const;
const EBUSY = 16;

class Killed extends Error {}

/** Who finds out how: the third slot is told of the dead in this order, or sees it itself. */
export type News = "told, first to last" | "told, last to first" | "asks";
export const NEWS: readonly News[] = ["told, first to last", "told, last to first", "asks"];

export interface Pool {
  readonly shape: Shape;
  readonly start: Start;
  /** What each member is doing. They use different keys. */
  readonly operations: readonly [Make, Make];
  /** What the third slot does when it has not been told. */
  readonly then: Make;
}

/** One pool, from the same memory again and again. */
export class PoolCase {
  /** Steps of the operation of each member, when it is the first. */
  readonly steps: readonly number[];
  readonly #world: World;
  readonly #table: number;
  readonly #before: Model;
  readonly #pool: Pool;
  readonly #operations: readonly Operation[];
  readonly #then: Operation;
  #victim = -1;
  #left = 0;
  #steps = 0;
  #last = 0;

  constructor(module: WebAssembly.Module, pool: Pool) {
    const { shape } = pool;
    const world = new World(module, CPUS);
    this.#world = world;
    this.#pool = pool;
    this.#table = world.createMap(shape);
    this.#before = new Model(shape);
    start(world, this.#table, this.#before, pool.start);
    this.#operations = pool.operations.map((make, i) =>
      make(new Operations(world, MEMBERS[i], this.#table, shape)),
    );
    this.#then = pool.then(new Operations(world, THIRD, this.#table, shape));
    world.onStep = (cpu, point) => this.#step(cpu, point);
    world.save();
    this.steps = MEMBERS.map((cpu) => {
      world.restore();
      this.#run(cpu, Number.POSITIVE_INFINITY, () => void world.run(cpu, this.#operations[cpu].calls));
      return this.#steps;
    });
  }

  #step(cpu: number, point: number): void {
    if (cpu !== this.#victim) {
      if (point === STEP_BLOCKED) throw new Error(`slot ${cpu} waits for a thread that is gone`);
      return;
    }
    this.#steps++;
    this.#last = point;
    // A member that meets the lock of a dead one waits, and dies of its own kill there.
    if (--this.#left <= 0 || (point === STEP_BLOCKED && cpu !== FOURTH)) throw new Killed();
    if (point === STEP_BLOCKED) throw new Error(`slot ${cpu} waits while it clears up`);
  }

  /** Where the slot was killed, at its `at`th step or before; undefined when it came to its end. */
  #run(cpu: number, at: number, action: () => void): string | undefined {
    this.#victim = cpu;
    this.#left = at;
    this.#steps = 0;
    try {
      action();
      return undefined;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      return `slot ${cpu} at step ${this.#steps} (${pointName(this.#last)})`;
    } finally {
      this.#victim = -1;
    }
  }

  /** Kills each member at its step, in this order, and with `clearing` the fourth slot at that step of clearing up behind them. */
  kill(steps: readonly number[], news: News, clearing?: number): void {
    const world = this.#world;
    const { cores } = world;
    world.restore();
    const where: (string | undefined)[] = [];
    try {
      for (const [i, cpu] of MEMBERS.entries()) {
        where.push(this.#run(cpu, steps[i], () => void world.run(cpu, this.#operations[i].calls)));
      }
      const dead: number[] = [...MEMBERS];
      if (clearing !== undefined) {
        where.push(this.#run(FOURTH, clearing, () => void dead.map((cpu) => cores[FOURTH].reap(cpu))));
        dead.push(FOURTH);
      }
      if (news === "asks") {
        for (const cpu of dead) world.gone.add(cpu);
        world.run(THIRD, this.#then.calls);
        world.scratch[THIRD].clear();
      }
      if (news === "told, last to first") dead.reverse();
      for (const cpu of dead) if (!world.isFree(cpu)) this.#reap(cpu);
      const left = dead.filter((cpu) => !world.isFree(cpu));
      if (left.length > 0) throw new Error(`slots ${left} are not free when all is cleared up`);
      this.#check();
      endWorld(world);
    } catch (error) {
      const { shape } = this.#pool;
      const what = `${shape.name}: ${this.#operations.map(({ name }) => name)}: killed: ${where.join(", ")}; ${news}`;
      throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Steps of clearing up behind the members that were killed at these steps. */
  clearingSteps(steps: readonly number[]): number {
    const world = this.#world;
    world.restore();
    for (const [i, cpu] of MEMBERS.entries()) {
      this.#run(cpu, steps[i], () => void world.run(cpu, this.#operations[i].calls));
    }
    this.#run(
      FOURTH,
      Number.POSITIVE_INFINITY,
      () => void MEMBERS.map((cpu) => world.cores[FOURTH].reap(cpu)),
    );
    return this.#steps;
  }

  #reap(cpu: number): void {
    const errno = this.#world.cores[THIRD].reap(cpu);
    if (errno !== 0 && errno !== EBUSY) throw new Error(`reap(${cpu}) gives errno ${errno}`);
  }

  #check(): void {
    const world = this.#world;
    const { shape } = this.#pool;
    const entries = contents(world, THIRD, this.#table, shape, this.#before.entries.keys());
    const text = entriesText(entries);
    const allowed = this.#allowed();
    if (!allowed.has(text)) {
      throw new Error(`the map is in no state that it may be in: ${text}\nbefore: ${this.#before}`);
    }
    useAll(world, THIRD, this.#table, new Model(shape, entries, this.#before.limit));
  }

  /** Each member has got to some part of its operation. */
  #allowed(): Set<string> {
    const states = new Set<string>();
    const [first, second] = this.#operations;
    for (let i = 0; i <= first.parts.length; i++) {
      for (let j = 0; j <= second.parts.length; j++) {
        const model = this.#before.clone();
        for (const part of first.parts.slice(0, i)) part(model);
        for (const part of second.parts.slice(0, j)) part(model);
        states.add(model.toString());
      }
    }
    return states;
  }
}
