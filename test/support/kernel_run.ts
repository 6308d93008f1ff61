/** Compares host.bpf with the running kernel: what the short test, the slow one and `npm run test:kernel` share. */
import { createHost } from "../../src/index.ts";
import { findKernel, type OpenKernel } from "../kernel/live_kernel.ts";
import { possibleCpus } from "../kernel/possible_cpus.ts";
import { compareSides } from "../kernel/run.ts";
import { HostSyscalls } from "../kernel/syscalls.ts";

/** Steps between two lines of progress. */
const PROGRESS_STEPS = 100_000;

/** The kernel, or undefined after one line that says why there is none to compare with. */
export async function kernelOrSkip(): Promise<OpenKernel | undefined> {
  const kernel = await findKernel();
  if (typeof kernel !== "string") return kernel;
  console.log(`no comparison with the live kernel: ${kernel}`);
  return undefined;
}

/** Steps to compare: `TEST_KERNEL_STEPS` when it is set. */
export function kernelSteps(otherwise: number): number {
  const given = process.env.TEST_KERNEL_STEPS;
  const steps = given === undefined ? otherwise : Number(given);
  if (!Number.isInteger(steps) || steps < 1) {
    throw new RangeError(`TEST_KERNEL_STEPS is ${JSON.stringify(given)}, expected a whole number from 1`);
  }
  return steps;
}

/** Throws at the first difference; prints how far it got. */
export function compareWithHost(openKernel: OpenKernel, seed: number, steps: number): void {
  const cpus = possibleCpus();
  const reference = openKernel();
  const began = performance.now();
  let shown = 0;
  const show = (done: number): void => {
    const seconds = (performance.now() - began) / 1000;
    console.log(`kernel: ${done} of ${steps} steps in ${seconds.toFixed(0)} s, TEST_SEED=${seed}`);
  };
  compareSides({
    open: () => ({ reference, subject: new HostSyscalls(createHost({ cpus, seed })) }),
    cpus,
    seed,
    steps,
    progress: (done) => {
      if (done - shown < PROGRESS_STEPS && done < steps) return;
      shown = done;
      show(done);
    },
  });
}
