// What the kernel says of the memory of this process: /proc/self of Linux (proc_pid_smaps(5), proc_pid_status(5)).
import { readFileSync, writeFileSync } from "node:fs";

const read = (name) => readFileSync(`/proc/self/${name}`, "latin1");

/** The number of kB in a line such as "Rss:  1234 kB", as bytes. */
function field(text, name) {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text);
  if (match === null) throw new Error(`/proc/self has no ${name}`);
  return Number(match[1]) * 1024;
}

/** Bytes resident in memory. The sum over all mappings, which is exact; VmRSS may be some dozen pages off. */
export const residentBytes = () => field(read("smaps_rollup"), "Rss");

/** The most that was resident since the start, or since {@link resetPeak}. */
export const peakBytes = () => field(read("status"), "VmHWM");

/** Where that is not allowed, the peak counts from the start of the process. */
export function resetPeak() {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch (error) {
    if (error.code !== "EACCES" && error.code !== "ENOENT") throw error;
  }
}

/**
 * Resident bytes of the mapping that a WebAssembly memory is: private, writable, and exactly as long as the memory, since
 * the rest of the address space that V8 reserves for it is not accessible. undefined when that does not tell which one it is.
 *
 * @param {number} length of the memory in bytes
 */
export function linearMemoryBytes(length) {
  const found = [];
  // A mapping is a line with its addresses, then its fields, the last of which is VmFlags.
  for (const text of read("smaps").split(/^VmFlags.*\n/m)) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) rw-p/.exec(text);
    if (match === null) continue;
    const size = Number(BigInt(`0x${match[2]}`) - BigInt(`0x${match[1]}`));
    if (size === length) found.push(field(text, "Rss"));
  }
  return found.length === 1 ? found[0] : undefined;
}

/** Bytes that the machine can still give. */
export function availableBytes() {
  return Number(/^MemAvailable:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "latin1"))[1]) * 1024;
}
