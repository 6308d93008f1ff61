// The long runs: npm run test:slow. TEST_STEPS (default 10 million operations) and TEST_SEED come from the environment.
// TEST_PROTOCOL=short leaves out the ten minutes of every kill and every schedule (test/slow/protocol.test.ts).
import { defineConfig } from "vitest/config";
import { sharedHosts } from "./test/slow/shared_hosts/project.ts";

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "slow",
          include: ["test/slow/**/*.test.ts"],
          exclude: process.env.TEST_PROTOCOL === "short" ? ["test/slow/protocol.test.ts"] : [],
          testTimeout: 24 * 60 * 60 * 1000,
        },
      },
      sharedHosts,
    ],
  },
});
