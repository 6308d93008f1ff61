// Runs the tests of test/browser/pages in a real browser: node test/browser/run.mjs [part of a test's name]
//
// The seed is printed, and TEST_SEED gives it back.
import { findBrowser, startBrowser } from "./browser.mjs";
import { serve } from "./server.mjs";

/** All of it, and one test. */
const TOTAL_MS = 240_000;
const TEST_MS = 25_000;

const PAGES = [
  "/pages/replays.html",
  "/pages/api.html",
  "/pages/platform.html",
  "/pages/threads.html",
  "/pages/threads_refused.html",
  "/pages/csp_no_wasm.html",
  "/pages/csp_wasm.html",
];

function testSeed() {
  const given = process.env.TEST_SEED ?? process.env.TEST_RUN_SEED;
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new RangeError(`TEST_SEED is ${JSON.stringify(given)}, expected a u32`);
  }
  return seed;
}

const messageOf = (error) => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/** `promise`, or an Error after `ms`. */
async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A new page at `path`, once its tests are defined; errors on it are collected. */
async function openPage(browser, origin, path) {
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(messageOf(error)));
  page.on("requestfailed", (request) => errors.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("response", (response) => {
    // A browser asks for /favicon.ico by itself.
    if (response.status() >= 400 && !response.url().endsWith("/favicon.ico")) {
      errors.push(`${response.url()}: HTTP ${response.status()}`);
    }
  });
  await page.goto(origin + path, { waitUntil: "load", timeout: TEST_MS });
  const ready = await page.evaluate(() => typeof globalThis.runTest === "function");
  if (!ready) throw new Error(`${path} did not load: ${errors.join("; ") || "it defines no tests"}`);
  return page;
}

/** Runs the tests of a page one by one. One that does not answer ends the page, and the next test gets a new one. */
async function runPage(browser, origin, path, only, seed) {
  let page = await openPage(browser, origin, path);
  const names = await page.evaluate(() => globalThis.testNames);
  if (names.length === 0) throw new Error(`${path} defines no tests`);
  for (const name of names) {
    if (!name.includes(only)) continue;
    const start = performance.now();
    let why;
    try {
      page ??= await openPage(browser, origin, path);
      const call = page.evaluate(([name, seed]) => globalThis.runTest(name, seed), [name, seed]);
      why = await within(TEST_MS, "the test", call);
    } catch (error) {
      why = messageOf(error);
      await closePage(page);
      page = undefined;
    }
    report(name, why, performance.now() - start);
  }
  await closePage(page);
}

/** A page that hangs does not always close; the browser then ends it. */
async function closePage(page) {
  if (page !== undefined) await within(5000, "closing the page", page.close()).catch(() => {});
}

const counts = { passed: 0, failed: 0, skipped: 0 };

function finish() {
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  console.log(`browser: ${counts.passed} passed, ${counts.failed} failed${skipped}`);
  // Also ends whatever hangs: Playwright kills the browser on exit.
  process.exit(counts.failed > 0 ? 1 : 0);
}

function report(name, why, ms) {
  if (why === undefined) counts.passed++;
  else counts.failed++;
  console.log(`${why === undefined ? "ok  " : "FAIL"} ${name} (${Math.round(ms)} ms)`);
  if (why !== undefined) console.log(String(why).replace(/^/gm, "       "));
}

async function main() {
  const path = findBrowser();
  if (path === undefined) {
    console.log(
      "no browser is installed (apt-get install chromium, or set CHROMIUM_PATH): the browser tests are skipped",
    );
    counts.skipped = 1;
    return;
  }
  const seed = testSeed();
  const only = process.argv[2] ?? "";
  console.log(`TEST_SEED=${seed} (browser)`);
  const { origin, close } = await serve();
  const browser = await startBrowser(path);
  console.log(`${path}, version ${browser.version()}`);
  for (const page of PAGES) await runPage(browser, origin, page, only, seed);
  await browser.close();
  await close();
}

// An interrupt ends the browser too: without a handler the exit hooks do not run.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

try {
  await within(TOTAL_MS, "the browser suite", main());
} catch (error) {
  report("the browser suite", messageOf(error), performance.now());
}
finish();
