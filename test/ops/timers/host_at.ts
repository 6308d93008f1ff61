// A host whose time the test sets.
import { createHost, type Host, type HostOptions } from "../../../src/index.ts";

export interface HostAt {
  readonly host: Host;
  /** Sets the time, and has the host do what is due. */
  at(now: number): void;
}

/** It starts at 1000. */
export function hostAt(options: HostOptions = {}): HostAt {
  let time = 1000;
  const host = createHost({ seed: 1, cpus: 2, maxMemory: 16 << 20, ...options, clock: () => time });
  const at = (now: number) => {
    time = now;
    host.tick();
  };
  return { host, at };
}

/** Lets the current task end, and the work that waits for that be done. */
export const task = () => new Promise<void>((done) => setImmediate(done));
