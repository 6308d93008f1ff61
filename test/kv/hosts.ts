import { createHost, type Host } from "../../src/index.ts";

/** Both kinds of hosts, by name. */
export const HOSTS: readonly (readonly [string, () => Host])[] = [
  ["a host of its own", () => createHost({ seed: 1 })],
  [
    "a shared host",
    () => createHost({ seed: 1, shared: true, cpus: 3, maxMemory: 32 * 1024 * 1024, lockTimeout: 200 }),
  ],
];
