import { fork } from "node:child_process";

/** What is kept of the standard error of a child, to say why it failed. */
const LAST_WORDS = 2000;

/**
 * Runs a program of bench/children in a fresh process of the same Node: nothing of the contenders before it is in its heap, its
 * memory or its optimised code. See `answer.mjs` there for the other side.
 *
 * @param {string} program file name
 * @param {object} task what the program gets
 * @param {object} [options]
 * @param {string[]} [options.flags]   flags of Node
 * @param {(text: string) => void} [options.progress]
 * @param {(child: import("node:child_process").ChildProcess) => void} [options.started]
 * @returns {Promise<any>} what it answers; undefined when Ctrl-C ended it, which the terminal sends to children too
 */
export function runChild(program, task, { flags = [], progress, started } = {}) {
  return new Promise((resolve, reject) => {
    const child = fork(new URL(`../children/${program}`, import.meta.url), [], {
      execArgv: ["--expose-gc", ...flags],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let errors = "";
    let reply;
    child.stderr.setEncoding("utf8").on("data", (text) => {
      errors = (errors + text).slice(-LAST_WORDS);
    });
    child.on("message", (message) => {
      if (message.progress !== undefined) progress?.(message.progress);
      else reply = message;
    });
    child.on("error", reject);
    child.on("close", (status, signal) => {
      if (signal === "SIGINT") resolve(undefined);
      else if (reply?.error !== undefined) reject(new Error(reply.error));
      else if (reply !== undefined) resolve(reply.result);
      else {
        const how = signal === null ? `exit status ${status}` : `killed by ${signal}`;
        reject(new Error(`${program}: ${how}: ${errors.trim()}`));
      }
    });
    child.send(task);
    started?.(child);
  });
}
