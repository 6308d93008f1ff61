// The long model runs: npm run test:slow. TEST_STEPS (default 10 million operations) and TEST_SEED come from the environment.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/slow/**/*.test.ts"],
    testTimeout: 24 * 60 * 60 * 1000,
    pool: "forks",
    maxWorkers: 2,
  },
});
