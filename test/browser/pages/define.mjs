// Names tests and offers them to run.mjs.
const tests = new Map();

/** `run(seed)` throws, or rejects, when the test fails. */
export function test(name, run) {
  if (tests.has(name)) throw new Error(`two tests are named ${name}`);
  tests.set(name, run);
}

/** Call it once all tests are defined: run.mjs takes its presence as the sign that the page has loaded. */
export function ready() {
  globalThis.testNames = [...tests.keys()];
  globalThis.runTest = async (name, seed) => {
    // A call of the debugger may do what the policy of the page forbids: the test runs in a task of the page itself.
    await new Promise((resolve) => setTimeout(resolve));
    try {
      await tests.get(name)(seed);
      return undefined;
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  };
}

const show = (value) =>
  JSON.stringify(value, (_, inner) =>
    typeof inner === "bigint" ? `${inner}n` : ArrayBuffer.isView(inner) ? [...inner] : inner,
  );

/** Compares what JSON can show, and bigints and byte arrays. */
export function equal(what, expected, got) {
  if (show(expected) !== show(got)) throw new Error(`${what}: expected ${show(expected)}, got ${show(got)}`);
}

export function check(what, condition) {
  if (!condition) throw new Error(`${what} does not hold`);
}

/** The error that `call` throws. */
export function thrown(call) {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("expected an error, got none");
}
