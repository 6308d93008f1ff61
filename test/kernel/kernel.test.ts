import { describe, expect, test } from "vitest";
import { compareWithHost, kernelOrSkip, kernelSteps } from "../support/kernel_run.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";
import { CMD, E } from "./commands.ts";
import { possibleCpus } from "./possible_cpus.ts";
import { compareSides } from "./run.ts";
import type { PointerField, Syscalls } from "./syscalls.ts";

const seed = testSeed("kernel/kernel.test.ts");
const openKernel = (await kernelOrSkip())!;

/** The kernel, with some of its answers changed. */
class Liar implements Syscalls {
  readonly name = "liar";
  readonly wholeBuckets = true;
  readonly memory: Uint8Array;
  readonly #kernel: Syscalls;
  readonly #lie: (cmd: number, attr: Uint8Array, result: number, memory: Uint8Array) => number;

  constructor(
    kernel: Syscalls,
    lie: (cmd: number, attr: Uint8Array, result: number, memory: Uint8Array) => number,
  ) {
    this.#kernel = kernel;
    this.memory = kernel.memory;
    this.#lie = lie;
  }

  bpf(cmd: number, attr: Uint8Array, pointers: readonly PointerField[]): number {
    return this.#lie(cmd, attr, this.#kernel.bpf(cmd, attr, pointers), this.memory);
  }

  address(target: PointerField["target"]): bigint {
    return this.#kernel.address(target);
  }

  close(fd: number): void {
    this.#kernel.close(fd);
  }

  leftOver(): undefined {
    return undefined;
  }
}

describe.skipIf(openKernel === undefined)("bpf(2)", () => {
  test("the kernel agrees with itself, whose order differs from map to map", () => {
    const [reference, subject] = [openKernel(), openKernel()];
    compareSides({
      open: () => ({ reference, subject }),
      cpus: possibleCpus(),
      seed,
      steps: bySize(800, 5000),
    });
  });

  test.each([
    ["an errno", (cmd, _attr, result) => (cmd === CMD.DELETE && result === -E.NOENT ? 0 : result)],
    [
      "a byte of a value",
      (cmd, _attr, result, memory) => {
        if (cmd === CMD.LOOKUP && result === 0) memory[0x2_8000]! ^= 1;
        return result;
      },
    ],
    [
      "a count",
      (cmd, attr, result) => {
        if (cmd === CMD.LOOKUP_BATCH && result === 0) attr[32]!--;
        return result;
      },
    ],
    [
      "a byte behind a buffer",
      (cmd, _attr, result, memory) => {
        if (cmd === CMD.LOOKUP_BATCH && result === -E.NOENT) memory[0x1000 - 1]! ^= 1;
        return result;
      },
    ],
  ] satisfies [string, ConstructorParameters<typeof Liar>[1]][])("%s that differs is found", (_name, lie) => {
    const [reference, kernel] = [openKernel(), openKernel()];
    const liar = new Liar(kernel, lie);
    const run = (): void =>
      compareSides({ open: () => ({ reference, subject: liar }), cpus: possibleCpus(), seed, steps: 20_000 });
    // The sequence is shrunk: a map, an entry or two, the call.
    expect(run).toThrow(/liar differs from kernel; TEST_SEED=\d+\n.*\n.*\n {2}the [1-9] operations/);
  });

  test("host.bpf answers as the kernel does", () => {
    compareWithHost(openKernel, seed, kernelSteps(bySize(2500, 20_000)));
  });
});
