// npm run test:all: what npm test runs (the project "fast"), the full size of its suites ("full"), the long runs ("slow") and the suites of
// the API on shared hosts ("shared hosts"). npm run test:slow leaves out "fast". Sizes and seeds come from the environment:
// test/README.md. TEST_PROTOCOL=short leaves out the ten minutes of every kill and every schedule (test/slow/protocol.test.ts).
import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { sharedHosts } from "./test/slow/shared_hosts/project.ts";
import fast, { REPORTERS } from "./vitest.config.ts";

/** Test files that import test/support/size.ts. */
function sizedFiles(): string[] {
  const files = readdirSync("test", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `test/${file.replaceAll("\\", "/")}`);
  const tests = files.filter((file) => file.endsWith(".test.ts") && !/^test\/(slow|browser)\//.test(file));
  return tests.filter((file) => /from "[./]*\/support\/size\.ts"/.test(readFileSync(file, "utf8")));
}

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    reporters: REPORTERS,
    projects: [
      { test: { ...fast.test, name: "fast" } },
      {
        test: {
          name: "full",
          include: sizedFiles(),
          env: { TEST_SIZE: "full" },
          isolate: false,
          testTimeout: 10 * 60 * 1000,
        },
      },
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
