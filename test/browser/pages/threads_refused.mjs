// A page without the headers that allow shared memory.
import { createHost, NotIsolatedError } from "bpfmap";
import { check, ready, test, thrown } from "./define.mjs";

test("a shared host is refused with an error that names the two headers", () => {
  check("the page is not isolated", !globalThis.crossOriginIsolated);
  const error = thrown(() => createHost({ shared: true }));
  check("a NotIsolatedError", error instanceof NotIsolatedError);
  check("the first header", error.message.includes("Cross-Origin-Opener-Policy: same-origin"));
  check("the second header", error.message.includes("Cross-Origin-Embedder-Policy: require-corp"));
});

ready();
