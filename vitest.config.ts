// npm test: the small size of every suite (test/support/size.ts). npm run test:all: vitest.all.config.ts.
import { defineConfig } from "vitest/config";

/** Beside the default reporter, or those that the command line asks for instead of it. */
export const REPORTERS = ["default", "./test/support/slowest.ts"];

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/slow/**", "test/browser/**"],
    testTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
    // Files share a process, and with it the modules of src/: to load them anew for each takes half a second of a core.
    isolate: false,
    reporters: REPORTERS,
  },
});
