// The contenders from npm live in bench/peers, with a lock of their own: nobody needs them to work on the library.
import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(`${folder}package.json`);

let tried = false;

/** Installs what the lock says, unless that was done. Once: without a network npm takes minutes to give up. */
function install() {
  if (tried) return;
  tried = true;
  const done = `${folder}node_modules/.package-lock.json`;
  if (existsSync(done) && statSync(done).mtimeMs >= statSync(`${folder}package-lock.json`).mtimeMs) return;
  // Not `npm ci`: it insists on the native parts of every platform, which not every mirror of the registry has.
  console.error("installing the peers from npm into bench/peers ...");
  execFileSync("npm", ["install", "--no-save", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
  });
}

/** Loads a package of bench/peers. */
export function requirePeer(name) {
  install();
  return require(name);
}
