// Hosts on one shared memory, in one thread: each has a CPU slot of its own, as hosts of different threads have.
import { attachHost, createHost, type Host, type HostOptions } from "../../src/index.ts";

const MAX_MEMORY = 64 * 1024 * 1024;

export function sharedHost(options: HostOptions = {}): Host {
  return createHost({ shared: true, seed: 1, cpus: 4, maxMemory: MAX_MEMORY, lockTimeout: 50, ...options });
}

/** Two hosts on one memory. */
export function pair(options: HostOptions = {}): [Host, Host] {
  const host = sharedHost(options);
  return [host, attachHost(host.share())];
}
