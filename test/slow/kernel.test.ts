import { test } from "vitest";
import { compareWithHost, kernelOrSkip, kernelSteps } from "../support/kernel_run.ts";
import { testSeed } from "../support/seed.ts";

const seed = testSeed("slow/kernel.test.ts");
const openKernel = (await kernelOrSkip())!;

test.skipIf(openKernel === undefined)("host.bpf answers as the kernel does, for long", () => {
  compareWithHost(openKernel, seed, kernelSteps(200_000));
});
