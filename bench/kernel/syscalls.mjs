// bench/kernel/syscalls.c, compiled once and called through koffi: one call per pass, so that what is timed is bpf(2).

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { make, reasonOf } from "../peers/make.mjs";

const source = fileURLToPath(new URL("syscalls.c", import.meta.url));
const CALLS = 20_000;

function compile(output) {
  try {
    execFileSync("gcc", ["-O2", "-shared", "-fPIC", "-o", output, source], { stdio: "pipe" });
  } catch (error) {
    throw new Error(
      "needs gcc and the kernel's headers (Debian: apt-get install gcc libc6-dev linux-libc-dev): " +
        reasonOf(error).split("\n")[0],
    );
  }
}

/** The functions of syscalls.c; each throws instead of returning -errno. */
export async function loadSyscalls() {
  const library = make("kernel_syscalls.so", [source, import.meta.filename], compile);
  const { default: koffi } = await import("koffi");
  const native = koffi.load(library);
  const bind = (name, parameters) => {
    const call = native.func(`double ${name}(${parameters})`);
    return (...values) => {
      const result = call(...values);
      if (result < 0) throw new Error(`bpf(2), ${name}: errno ${-result}`);
      return result;
    };
  };
  const keys = "int map, const uint32_t *keys, uint32_t count";
  return {
    refused: bind("refused", "uint32_t count"),
    update: bind("update", `${keys}, int counted`),
    lookup: bind("lookup", keys),
    count: bind("count", keys),
    erase: bind("erase", keys),
    updateBatch: bind("update_batch", `${keys}, double first`),
    eraseBatch: bind("erase_batch", keys),
    walk: bind("walk", "int map"),
    walkBatch: bind("walk_batch", "int map, uint32_t size, int drain"),
  };
}

/** Nanoseconds of a call that the kernel refuses at once, from C and from JavaScript: the difference is koffi's. */
export function refusedCall(syscalls, bpf) {
  const time = (work) => {
    const start = process.hrtime.bigint();
    work();
    return Number(process.hrtime.bigint() - start) / CALLS;
  };
  const inC = () => syscalls.refused(CALLS);
  const inJavaScript = () => {
    for (let i = 0; i < CALLS; i++) bpf.refused();
  };
  // The first of each is without optimised code and warm caches.
  return { c: [time(inC), time(inC)][1], javaScript: [time(inJavaScript), time(inJavaScript)][1] };
}
