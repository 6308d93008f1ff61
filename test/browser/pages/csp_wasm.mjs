// A page with `script-src 'self' 'wasm-unsafe-eval'`: WebAssembly is allowed, `eval` is not.
import { createMap, u32, useWasm } from "bpfmap";
import { check, equal, ready, test, thrown } from "./define.mjs";

test("script-src 'wasm-unsafe-eval': a map works as it is, without eval", () => {
  check("eval is forbidden", thrown(() => new Function("return 1")) instanceof EvalError);
  const map = createMap({ type: "rhash", key: u32, value: u32, maxEntries: 10 });
  equal("value", 2, map.set(1, 2).get(1));
});

test("script-src 'wasm-unsafe-eval': a module that was compiled while it was fetched runs", async () => {
  useWasm(await WebAssembly.compileStreaming(fetch("/dist/core.wasm")));
  const map = createMap({ type: "rhash", key: u32, value: u32, maxEntries: 10 });
  equal("value", 2, map.set(1, 2).get(1));
});

ready();
