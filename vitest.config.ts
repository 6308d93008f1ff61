import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/slow/**", "test/browser/**"],
    testTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
