// A page with `script-src 'self'`: no WebAssembly from bytes.
import { createMap, u32, useWasm } from "bpfmap";
import { check, equal, ready, test, thrown } from "./define.mjs";

const SPEC = { type: "rhash", key: u32, value: u32, maxEntries: 10 };

test("script-src 'self': the first map gives an error that names the ways out", () => {
  const error = thrown(() => createMap(SPEC));
  for (const word of ["useWasm", "wasm-unsafe-eval", "Content-Security-Policy"]) {
    check(`${word} in: ${error.message}`, error.message.includes(word));
  }
  check("the engine's own error as its cause", error.cause instanceof Error);
});

test("script-src 'self': bytes given to useWasm meet the same error", async () => {
  const response = await fetch("/dist/core.wasm");
  const bytes = await response.arrayBuffer();
  check("useWasm in the message", thrown(() => useWasm(bytes)).message.includes("wasm-unsafe-eval"));
});

test("script-src 'self': compiling while fetching is forbidden too", async () => {
  const compiled = WebAssembly.compileStreaming(fetch("/dist/core.wasm"));
  const outcome = await compiled.then(
    () => "compiled",
    (error) => error.name,
  );
  equal("outcome", "CompileError", outcome);
});

/** What a worker answers that is asked to compile the core. */
async function compileIn(script, core) {
  const worker = new Worker(script, { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message ?? "the worker did not load"));
      worker.onmessageerror = () => reject(new Error("the module did not arrive"));
      worker.postMessage(core);
    });
  } finally {
    worker.terminate();
  }
}

test("script-src 'self': a worker whose own policy is the same compiles nothing", async () => {
  const { module, error } = await compileIn("/pages/compile_worker_refused.mjs", "/dist/core.wasm");
  equal("module", undefined, module);
  check(`CompileError in: ${error}`, error.startsWith("CompileError"));
});

test("script-src 'self': a module that a worker with 'wasm-unsafe-eval' compiled runs", async () => {
  const { module, error } = await compileIn("/pages/compile_worker.mjs", "/dist/core.wasm");
  equal("error of the worker", undefined, error);
  useWasm(module);
  equal("value", 2, createMap(SPEC).set(1, 2).get(1));
});

ready();
