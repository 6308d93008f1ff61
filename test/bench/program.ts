import { spawn } from "node:child_process";
import { join } from "node:path";

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Gets the process at its first output. */
export type WhenStarted = (kill: (signal: NodeJS.Signals) => void) => void;

/** Runs the program of `npm run bench`. */
export function runBench(root: string, args: string[], whenStarted?: WhenStarted): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, "bench/main.mjs"), ...args]);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (stdout === "") whenStarted?.((signal) => child.kill(signal));
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}
