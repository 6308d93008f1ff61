// The static server of the browser suite: the built package, the pages, and the tests' own TypeScript.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
};

/** Folders of the repository under the path they are served at. Nothing else can be read. */
const FOLDERS = {
  "/dist/": "dist/",
  "/pages/": "test/browser/pages/",
  "/threads/": "test/threads/",
};

/** What many sites have; `'self'` alone forbids `eval` and WebAssembly. */
const NO_WASM = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'";
const WASM =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";

/** What the page, or the worker, at that path may run. */
const POLICIES = {
  "/pages/csp_no_wasm.html": NO_WASM,
  "/pages/csp_wasm.html": WASM,
  "/pages/compile_worker.mjs": WASM,
  "/pages/compile_worker_refused.mjs": NO_WASM,
};

/**
 * What makes a page cross-origin isolated, and may share memory with its workers: their scripts need the second one, too. The
 * pages of all other tests are as a server without settings sends them.
 */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};
const isIsolated = (path) => path === "/pages/threads.html" || path.startsWith("/resolved/threads/");

/**
 * Import maps reach neither workers nor a page whose policy forbids inline scripts: there, as with a development server, the
 * bare names are rewritten to addresses. `/resolved/X` is `/X` with every bare name resolved.
 */
const NAMES = {
  bpfmap: "/resolved/dist/index.js",
  "bpfmap/testing": "/resolved/dist/testing/index.js",
  "#core": "/resolved/dist/core.js",
  "#core_shared": "/resolved/dist/core_shared.js",
  "#random": "/resolved/dist/random.js",
};

const resolveNames = (code) =>
  code.replace(/(\bfrom\s*|\bimport\s*)"([^"./][^"]*)"/g, (all, keyword, name) =>
    Object.hasOwn(NAMES, name) ? `${keyword}"${NAMES[name]}"` : all,
  );

/**
 * test/support/*.ts as /support/*.js, so that browsers run the same sequences of operations as Node does, and test/threads/*.ts
 * as /threads/*.js.
 */
async function compiled(path) {
  const source = await readFile(join(root, "test", path.replace(/\.js$/, ".ts")), "utf8");
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  });
  return outputText
    .replaceAll('"../../src/testing/index.ts"', '"bpfmap/testing"')
    .replaceAll('"../../src/hosts.ts"', '"bpfmap"')
    .replaceAll('"../../src/index.ts"', '"bpfmap"')
    .replace(/(from "\.\/[^"]*)\.ts"/g, '$1.js"');
}

/** The body of a path; throws when there is none. */
async function load(path) {
  if (path.startsWith("/resolved/")) {
    const body = await load(path.slice("/resolved".length));
    return extname(path) === ".wasm" ? body : resolveNames(String(body));
  }
  if (/^\/(support|threads)\/(\w+\/)?\w+\.js$/.test(path)) return compiled(path);
  // The same script under another policy.
  if (path === "/pages/compile_worker_refused.mjs") return load("/pages/compile_worker.mjs");
  for (const [prefix, folder] of Object.entries(FOLDERS)) {
    if (path.startsWith(prefix)) return readFile(join(root, folder, path.slice(prefix.length)));
  }
  throw new Error(`nothing is served at ${path}`);
}

/** Starts the server on a free port of the loopback address; `{ origin, close() }`. */
export async function serve() {
  const server = createServer(async (request, response) => {
    // The URL parser has resolved every "..", encoded ones included, and normalize sees to what it leaves.
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    try {
      const body = await load(path);
      const policy = POLICIES[path];
      response.writeHead(200, {
        "content-type": TYPES[extname(path)] ?? "application/octet-stream",
        "cache-control": "no-store",
        ...(policy === undefined ? {} : { "content-security-policy": policy }),
        ...(isIsolated(path) ? ISOLATION : {}),
      });
      response.end(body);
    } catch (error) {
      response.writeHead(404, { "content-type": "text/plain" });
      response.end(error instanceof Error ? error.message : String(error));
    }
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
