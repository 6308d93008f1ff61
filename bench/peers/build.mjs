// Compiles the peer that is written in Rust.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { make, reasonOf } from "./make.mjs";

const source = fileURLToPath(new URL("hashbrown.rs", import.meta.url));
/** The second is Debian's, which has a wasm32 library of its own: a rustc of rustup that comes first in PATH may have none. */
const COMPILERS = ["rustc", "/usr/bin/rustc"];
const FLAGS = [
  ..."--target wasm32-unknown-unknown -C opt-level=3 -C lto=fat -C codegen-units=1".split(" "),
  ..."-C panic=abort -C strip=symbols -C target-feature=+simd128,+bulk-memory".split(" "),
];

/** @returns {string} path of the compiled hashbrown.rs */
export function buildHashbrown() {
  return make("hashbrown.wasm", [source, import.meta.filename], (output) => {
    const reasons = [];
    for (const rustc of COMPILERS) {
      try {
        execFileSync(rustc, [...FLAGS, "-o", output, source], { stdio: "pipe" });
        return;
      } catch (error) {
        reasons.push(`${rustc}: ${reasonOf(error).split("\n")[0]}`);
      }
    }
    throw new Error(
      "needs a rustc with the target wasm32-unknown-unknown (Debian: apt-get install rustc libstd-rust-dev-wasm32 lld; " +
        `rustup: rustup target add wasm32-unknown-unknown): ${reasons.join("; ")}`,
    );
  });
}
