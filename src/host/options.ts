import { describe } from "../codec/mismatch.ts";
import type { HostOptions } from "./host.ts";

/** {@link HostOptions} checked and with all defaults filled in. */
export interface ResolvedOptions {
  readonly seed: number;
  readonly maxMemory: number;
  readonly cpus: number;
}

const PAGE_BYTES = 65536;
/** The last page of 4 GiB stays unused, so that the end of every block is a number of 32 bits. */
const MEMORY_MAX = 2 ** 32 - PAGE_BYTES;

/** Possible CPUs are a u32 index in the kernel; nothing runs more threads than this. */
const CPUS_MAX = 4096;

/** Checks an option that is an integer of a range. */
export function checkInteger(what: string, value: unknown, min: number, max: number): number {
  const expected = `${what}: expected an integer ${min}..${max}, got ${describe(value)}`;
  if (typeof value !== "number") throw new TypeError(expected);
  if (!Number.isInteger(value) || value < min || value > max) throw new RangeError(expected);
  return value;
}

interface Machine {
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly process?: { getBuiltinModule?(id: string): { availableParallelism(): number } | undefined };
}

/** Threads the machine runs at once. Node 20 has no `navigator`, and browsers have no `process`. */
function availableParallelism(): number {
  const { navigator, process } = globalThis as Machine;
  return (
    navigator?.hardwareConcurrency ?? process?.getBuiltinModule?.("node:os")?.availableParallelism() ?? 1
  );
}

export function resolveOptions(options: HostOptions): ResolvedOptions {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`createHost: expected an object of options, got ${describe(options)}`);
  }
  const { seed, maxMemory, cpus } = options;
  const bytes =
    maxMemory === undefined
      ? MEMORY_MAX
      : checkInteger("createHost: maxMemory", maxMemory, PAGE_BYTES, 2 ** 32);
  return {
    seed:
      seed === undefined
        ? crypto.getRandomValues(new Uint32Array(1))[0]
        : checkInteger("createHost: seed", seed, 0, 2 ** 32 - 1),
    maxMemory: Math.min(MEMORY_MAX, Math.floor(bytes / PAGE_BYTES) * PAGE_BYTES),
    cpus: cpus === undefined ? availableParallelism() : checkInteger("createHost: cpus", cpus, 1, CPUS_MAX),
  };
}
