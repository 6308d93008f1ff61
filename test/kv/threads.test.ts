// KV stores under several threads: no torn value, no mix of manifests, no lost update, and rollouts whose threads are killed.
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { beforeAll, describe, expect, test } from "vitest";
import type * as bpfmap from "../../src/index.ts";
import { BUILD_MS, builtRoot } from "../support/built.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";

const seed = testSeed("kv/threads.test.ts");
/** Rounds of every thread at least, one roll of many being a round, too. */
const ROUNDS = bySize(2, 300);
const KILLS = bySize(1, 12);
const CPUS = 6;

let lib: typeof bpfmap;
let v1: bpfmap.Manifest<Record<string, unknown>>;
let v2: bpfmap.Manifest<Record<string, unknown>>;

beforeAll(async () => {
  lib = await import(join(builtRoot(), "dist/index.js"));
  ({ v1, v2 } = await import(new URL("jobs/manifests.mjs", import.meta.url).href));
}, BUILD_MS);

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface State {
  readonly done: number;
  readonly rounds: number;
}

class Threads {
  readonly host = lib.createHost({
    shared: true,
    cpus: CPUS,
    maxMemory: 32 * 1024 * 1024,
    lockTimeout: 20_000,
  });
  readonly #flags = new SharedArrayBuffer(4 * (CPUS + 1));
  readonly #words = new Int32Array(this.#flags);
  readonly #ends: Promise<State>[] = [];
  /** Slots of the threads. */
  readonly #cpus: number[] = [];
  #next = seed;

  /** Starts a thread; resolves when it is at work. */
  start(role: string, number = 0): Promise<{ worker: Worker; cpu: number }> {
    const workerData = { handle: this.host.share(), role, number, flags: this.#flags, seed: this.#next++ };
    const worker = this.host.watch(new Worker(new URL("jobs/worker.mjs", import.meta.url), { workerData }));
    return new Promise((resolve, reject) => {
      this.#ends.push(
        new Promise((end, fail) => {
          worker.on("message", ({ ready, done, error }) => {
            if (error !== undefined) fail(new Error(error));
            else if (done !== undefined) end(done);
            else {
              this.#cpus.push(ready);
              resolve({ worker, cpu: ready });
            }
          });
          worker.on("error", (error) => {
            reject(error);
            fail(error);
          });
        }),
      );
      this.#ends.at(-1)!.catch(() => {}); // whoever waits for it hears of it
    });
  }

  /** How much a thread has done. */
  rounds(cpu: number): number {
    return Atomics.load(this.#words, 1 + cpu);
  }

  /** Waits until every thread has done so much. One that failed ends the wait. */
  async reach(rounds: number): Promise<void> {
    const behind = () => this.#cpus.some((cpu) => this.rounds(cpu) < rounds);
    const failed = Promise.race(this.#ends);
    failed.catch(() => {}); // whoever waits for the threads hears of it
    while (behind()) await Promise.race([sleep(5), failed]);
  }

  /** Ends the threads that are not dead: what they have done. */
  stop(): Promise<State[]> {
    Atomics.store(this.#words, 0, 1);
    return Promise.all(this.#ends);
  }

  /** Forgets a thread that was killed. */
  forget(): void {
    this.#ends.pop();
    this.#cpus.pop();
  }
}

test("values that are moved about are never torn", async () => {
  const threads = new Threads();
  const store = threads.host.createKvStore({ maxKeys: 12, maxPages: 2 });
  threads.host.pin("/store", store);
  for (const role of ["write", "write", "read", "read"]) await threads.start(role);
  await threads.reach(20 * ROUNDS);
  await threads.stop();
  expect(threads.host.verify()).toEqual([]);
}, 60_000);

describe("rollouts back and forth", () => {
  test("readers see one manifest or the other, and no update is lost", async () => {
    const threads = new Threads();
    const { host } = threads;
    const store = host.createKvStore({ manifest: v1 });
    host.pin("/store", store);
    await threads.start("watch");
    await threads.start("count", 0);
    await threads.start("count", 1);
    await threads.start("roll");
    await threads.reach(ROUNDS);
    const [, n0, n1] = (await threads.stop()) as [State, State, State, State];
    const last = host.openKvStore("/store");
    const isFirst = last.manifest.pairs.some(({ name }) => name === "only1");
    const values = last.bind(isFirst ? v1 : v2).read();
    expect([values.n0, values.n1, values.x]).toEqual([n0.done, n1.done, isFirst ? 7 : 1007]);
    expect(n0.done).toBeGreaterThan(0);
    expect(host.verify()).toEqual([]);
  }, 60_000);

  test("a thread that is killed in a rollout leaves one manifest in force, and the next one completes", async () => {
    const threads = new Threads();
    const { host } = threads;
    const store = host.createKvStore({ manifest: v1 });
    host.pin("/store", store);
    await threads.start("watch");
    await threads.start("count", 0);
    const seen = new Set<boolean>();
    // Which of the two is in force is chance: until both have been.
    for (let kill = 0; kill < KILLS || seen.size < 2; kill++) {
      const { worker, cpu } = await threads.start("roll");
      const before = threads.rounds(cpu);
      while (threads.rounds(cpu) < before + 2) await sleep(1);
      const until = performance.now() + (kill % 10) * 0.3;
      while (performance.now() < until);
      await worker.terminate();
      threads.forget();
      const found = host.openKvStore("/store");
      const isFirst = found.manifest.pairs.some(({ name }) => name === "only1");
      seen.add(isFirst);
      const [now, next] = isFirst ? [v1, v2] : [v2, v1];
      const { x, y, z } = found.bind(now).read();
      expect([x, y, z]).toEqual(new Array(3).fill(isFirst ? 7 : 1007));
      const plan = found.rollout(next);
      expect([plan.isEmpty, plan.state]).toEqual([false, "done"]);
      expect(found.bind(next).read().x).toBe(isFirst ? 1007 : 7);
      plan.seal();
      // What the dead ones have left is gone: six pairs, and no other key.
      expect(found.size).toBe(6);
      found.close();
    }
    const [, n0] = (await threads.stop()) as [State, State];
    const last = host.openKvStore("/store");
    const isFirst = last.manifest.pairs.some(({ name }) => name === "only1");
    expect(last.bind(isFirst ? v1 : v2).read().n0).toBe(n0.done);
    expect(host.verify()).toEqual([]);
  }, 120_000);

  test("a thread that is killed inside of a conversion", async () => {
    const threads = new Threads();
    const { host } = threads;
    const store = host.createKvStore({ manifest: v1 });
    host.pin("/store", store);
    const { worker, cpu } = await threads.start("stick");
    while (threads.rounds(cpu) === 0) await sleep(1);
    threads.forget();
    // It has staged the first pairs, and waits in the conversion of another one.
    expect(store.size).toBeGreaterThan(6);
    store.pair("x").set(70);
    await worker.terminate();
    expect(store.read().x).toBe(70);
    const plan = store.rollout({ pairs: { ...v2.pairs, y: v1.pairs.y!, z: v1.pairs.z! } });
    expect(plan.isEmpty).toBe(false);
    plan.seal();
    expect([store.size, store.read().x]).toEqual([6, 1070]);
    expect(host.verify()).toEqual([]);
  }, 60_000);
});
