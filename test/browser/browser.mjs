// Finds the browser that is installed and starts it.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const COMMANDS = ["chromium", "chromium-browser", "google-chrome"];

/** Without these, a new profile looks up its maker's hosts at every start. --no-sandbox: root may not run with it. */
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const START_MS = 30_000;

/** Path of the browser: CHROMIUM_PATH, Debian's, or what the PATH has. undefined when none is installed. */
export function findBrowser() {
  const given = process.env.CHROMIUM_PATH;
  if (given !== undefined) {
    if (!existsSync(given))
      throw new Error(`CHROMIUM_PATH is ${JSON.stringify(given)}, which does not exist`);
    return given;
  }
  if (existsSync("/usr/bin/chromium")) return "/usr/bin/chromium";
  for (const command of COMMANDS) {
    try {
      return execFileSync("which", [command], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim();
    } catch {
      // Not installed under this name.
    }
  }
  return undefined;
}

/** Starts it with an empty profile. Playwright ends it, with all its processes, when this process exits in whatever way. */
export function startBrowser(executablePath) {
  return chromium.launch({ executablePath, args: ARGUMENTS, timeout: START_MS });
}
