import { readFileSync } from "node:fs";

/** How many CPUs are possible: slots of a per-CPU value. The file holds ranges, "0-3,8". */
export function possibleCpus(): number {
  const ranges = readFileSync("/sys/devices/system/cpu/possible", "utf8").trim().split(",");
  return ranges.reduce((sum, range) => {
    const [first, last = first] = range.split("-").map(Number);
    return sum + last! - first! + 1;
  }, 0);
}
