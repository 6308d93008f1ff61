// Tests that stand in differences.ts must fail on shared hosts: so the list holds what is different, and nothing else.
import { beforeEach, type RunnerTask, type RunnerTestCase, type RunnerTestFile } from "vitest";
import { DIFFERENCES } from "./differences.ts";

function* testsOf(tasks: readonly RunnerTask[]): Generator<RunnerTestCase> {
  for (const task of tasks) {
    if (task.type === "suite") yield* testsOf(task.tasks);
    else yield task;
  }
}

function markDifferences(file: RunnerTestFile): void {
  const listed = DIFFERENCES[file.name] ?? {};
  const tests = [...testsOf(file.tasks)];
  for (const name of Object.keys(listed)) {
    const test = tests.find((test) => test.fullTestName === name);
    if (test === undefined) throw new Error(`differences.ts names a test that is not there: ${name}`);
    test.fails = true;
  }
}

let marked = false;

beforeEach(({ task }) => {
  if (!marked) markDifferences(task.file);
  marked = true;
});
