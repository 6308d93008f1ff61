/**
 * Runs jobs of test/threads/jobs on the built package: in another process, whose main thread coordinates worker_threads
 * (platform/node.mjs). A process, so that a crash or a hang of the core is a failed test and not the end of all: the next job has a new one.
 */
import { type ChildProcess, fork } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";

export interface JobOptions {
  /** Name of a file in jobs/. */
  readonly job: string;
  readonly seed: number;
  readonly options?: Readonly<Record<string, unknown>>;
  /** ms, for all of it. */
  readonly limit?: number | undefined;
  /** Takes what the job hands out while it runs. */
  readonly onData?: (data: unknown) => void;
}

interface Answer {
  readonly data?: unknown;
  readonly note?: string;
  readonly result?: unknown;
  readonly error?: string;
}

const LIMIT_MS = 45_000;
const MAIN = fileURLToPath(new URL("platform/node.mjs", import.meta.url));

/** A process that has done its last job; to start one with its threads takes longer than most jobs of `npm test`. */
let idle: { readonly child: ChildProcess; readonly jobs: number } | undefined;
/** Of one process: what the hosts of its jobs leave is freed when each of its threads has collected its garbage. */
const MOST_JOBS = 20;

function takeProcess(): { readonly child: ChildProcess; readonly jobs: number } {
  const last = idle;
  idle = undefined;
  if (last?.child.connected) {
    last.child.ref();
    return last;
  }
  const child = fork(MAIN, [], {
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", 2, "pipe", "ipc"],
  });
  child.stderr?.setEncoding("utf8");
  return { child, jobs: 0 };
}

/** Keeps a process for the next job. It ends with this one (platform/node.mjs). */
async function giveBack(child: ChildProcess, jobs: number): Promise<void> {
  if (jobs >= MOST_JOBS || idle !== undefined) return end(child);
  child.removeAllListeners();
  child.stderr?.removeAllListeners("data");
  child.unref();
  child.channel?.unref();
  (child.stderr as Socket | null)?.unref();
  idle = { child, jobs };
}

/** What the job returns. Errors name the job, its options and the seed. */
export async function runJob<T>({
  job,
  seed,
  options = {},
  limit = LIMIT_MS,
  onData,
}: JobOptions): Promise<T> {
  const { child, jobs } = takeProcess();
  let timer: NodeJS.Timeout | undefined;
  let note = "";
  try {
    const result = await new Promise<T>((resolve, reject) => {
      let stderr = "";
      child.stderr?.on("data", (text: string) => {
        stderr += text;
      });
      timer = setTimeout(() => reject(new Error(`no result after ${limit} ms\n${stderr}`)), limit);
      child.once("error", reject);
      child.once("exit", (code, signal) =>
        reject(new Error(`the process ended (${signal ?? code})\n${stderr}`)),
      );
      child.on("message", (message) => {
        const answer = message as Answer;
        if (answer.note !== undefined) note = answer.note;
        else if (answer.error !== undefined) reject(new Error(answer.error));
        else if ("data" in answer) {
          try {
            onData?.(answer.data);
          } catch (error) {
            reject(error as Error);
          }
        } else resolve(answer.result as T);
      });
      // It has less time, so that it can say who is late, if it still can.
      child.send({ job, seed, options, limit: limit - 2000 });
    });
    await giveBack(child, jobs + 1);
    return result;
  } catch (error) {
    await end(child);
    const reached = note === "" ? "" : `\nreached: ${note}`;
    const what = `TEST_SEED=${seed} job ${job} ${JSON.stringify(options)}`;
    throw new Error(`${what}\n${(error as Error).message}${reached}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

/** A whole number from the environment. */
export function fromEnvironment(name: string, byDefault: number): number {
  const given = process.env[name];
  const number = given === undefined ? byDefault : Number(given);
  if (!Number.isInteger(number) || number < 1) {
    throw new RangeError(`${name} is ${JSON.stringify(given)}, expected a whole number from 1`);
  }
  return number;
}
