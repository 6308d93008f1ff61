// The coordinator's side of a job: starts members (threads that run one role of the job each), and waits for them with a limit.
// The same on every platform; what differs is handed in as `createThread`.
import { Random } from "bpfmap/testing";

/** Words of the control array that all members of a team share. */
export const CONTROL_WORDS = 256;

/** One thread of a team. */
export class Member {
  /** Once it has attached. */
  ready;
  /** What its role returned. */
  done;
  /** Its CPU slot, once ready. */
  cpu;
  /** It has been told to end. */
  #dying = false;
  #thread;

  constructor(thread, what, message) {
    this.#thread = thread;
    this.what = what;
    this.ready = new Promise((resolve, reject) => {
      this.done = new Promise((resolveDone, rejectDone) => {
        const fail = (error) => {
          const named = new Error(`${what}: ${error}`);
          reject(named);
          rejectDone(named);
        };
        thread.listen({
          message: ({ ready, done, error }) => {
            if (ready !== undefined) {
              this.cpu = ready;
              resolve(ready);
            } else if (error !== undefined) fail(error);
            else resolveDone(done);
          },
          error: fail,
          exit: () => {
            if (this.#dying) resolveDone(undefined);
            else fail("ended without a result");
          },
        });
      });
    });
    // Who waits for `done` hears of it.
    this.ready.catch(() => {});
    thread.post(message);
  }

  /** Ends the thread wherever it is. Resolves when it has stopped; the host has been told on platforms that tell it. */
  async terminate() {
    this.#dying = true;
    await this.#thread.terminate();
  }

  /** How long the host took when it heard of the end (stopwatch.mjs); undefined where it does not hear. */
  get reaping() {
    return this.#thread.reaping;
  }

  /** Whether the host hears of the end by itself. */
  get watched() {
    return this.#thread.watched;
  }
}

export class Team {
  /** Rejects when a member fails. */
  failure;
  #fail;
  #createThread;
  #members = [];
  /** When the job must be done. */
  #end;

  /**
   * @param createThread makes a platform thread: `{ listen, post, terminate, watch(host) }`
   * @param emit takes what the job hands out while it runs
   * @param note takes a line that tells how far the job is, for the message when it hangs
   * @param limit ms that the job may take
   */
  constructor({ job, seed, createThread, emit, note, limit }) {
    this.job = job;
    this.seed = seed;
    this.random = new Random(seed);
    this.emit = emit;
    this.note = note;
    this.#end = performance.now() + limit;
    this.control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
    this.#createThread = createThread;
    this.failure = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failure.catch(() => {});
  }

  /** Starts `role` of the job on a thread of its own, attached to `host`. */
  start(host, role, args = {}) {
    const index = this.#members.length;
    const thread = this.#createThread();
    thread.watch(host);
    const member = new Member(thread, `${role} ${index}`, {
      job: this.job,
      role,
      index,
      seed: (this.seed + Math.imul(index + 1, 0x9e3779b9)) >>> 0,
      handle: host.share(),
      control: this.control,
      args,
    });
    member.done.catch(this.#fail);
    this.#members.push(member);
    return member;
  }

  /** `count` members with one role; `argsOf(i)` are their arguments. */
  startAll(host, role, count, argsOf = () => ({})) {
    return Array.from({ length: count }, (_, i) => this.start(host, role, argsOf(i)));
  }

  /** What all of them returned. The first that fails, or is not done when the job must be, ends the job. */
  async results(members) {
    const waiting = new Set(members.map(({ what }) => what));
    let timer;
    const late = new Promise((_, reject) => {
      const fail = () => reject(new Error(`no result in time from ${[...waiting].join(", ")}`));
      // A timer longer than 2^31 ms goes off at once.
      timer = setTimeout(fail, Math.min(this.#end - performance.now(), 2 ** 31 - 1));
    });
    const all = members.map(async (member) => {
      const result = await member.done;
      waiting.delete(member.what);
      return result;
    });
    try {
      return await Promise.race([Promise.all(all), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends every thread. */
  async close() {
    await Promise.all(this.#members.map((member) => member.terminate()));
  }
}

/** Runs the coordinator of a job, until it is done or a thread fails. */
export async function runTeam(module, team, options) {
  const run = module.run(team, options);
  run.catch(() => {});
  return Promise.race([run, team.failure]);
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
